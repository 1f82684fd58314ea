// The names below which a CA may certify (RFC 5280 §4.2.1.10): checked as spec.nameConstraints has them, written, read, compared.
// Called by csr.ts, certificate.ts, sign.ts and satisfies.ts.

import type { NameConstraintItem, NameConstraints } from '../api/certmanager.ts';
import { type DerNode, parseDer } from './der-read.ts';
import { implicit, sequence, tlv } from './der-write.ts';
import type { Extension } from './extensions.ts';
import { rangeBytes, rangeText } from './ip.ts';
import { oids } from './oids.ts';

export interface Subtrees {
  readonly dnsDomains: readonly string[];
  /** CIDR, canonical. */
  readonly ipRanges: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uriDomains: readonly string[];
}

export interface ConstraintFacts {
  readonly critical: boolean;
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
}

const sides = ['permitted', 'excluded'] as const;

const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const domain = new RegExp(`^\\.?${label}(\\.${label})*$`);

interface Sort {
  readonly field: keyof Subtrees;
  /** Of GeneralName. */
  readonly tag: number;
  readonly fits: (text: string) => boolean;
  readonly example: string;
}

/** In the order in which cert-manager writes them. An empty DNS domain stands for all names, and so does no other sort. */
const sorts: readonly Sort[] = [
  { field: 'dnsDomains', tag: 2, fits: (text) => text === '' || isDomain(text), example: 'example.com' },
  { field: 'ipRanges', tag: 7, fits: (text) => rangeBytes(text) !== undefined, example: '10.0.0.0/8' },
  { field: 'emailAddresses', tag: 1, fits: isMailbox, example: 'example.com or somebody@example.com' },
  { field: 'uriDomains', tag: 6, fits: isDomain, example: 'example.com' },
];

function isDomain(text: string): boolean {
  return text.length <= 253 && domain.test(text);
}

function isMailbox(text: string): boolean {
  const at = text.lastIndexOf('@');
  return at < 0 ? isDomain(text) : /^[!-?A-~]{1,64}$/.test(text.slice(0, at)) && isDomain(text.slice(at + 1));
}

/** A sentence about what cannot be written; undefined where all can. */
export function constraintsFault(constraints: NameConstraints): string | undefined {
  for (const side of sides) {
    for (const { field, fits, example } of sorts) {
      const bad = constraints[side]?.[field]?.find((text) => !fits(text));
      if (bad === undefined) continue;
      const where = `spec.nameConstraints.${side}.${field}`;
      return `${where}: ${JSON.stringify(bad.slice(0, 80))} cannot be written; write it as in ${example}.`;
    }
  }
  return isEmpty(factsOf(constraints))
    ? 'spec.nameConstraints lists nothing: name what is permitted or excluded, or remove it.'
    : undefined;
}

function isEmpty({ permitted, excluded }: ConstraintFacts): boolean {
  return sorts.every(({ field }) => permitted[field].length === 0 && excluded[field].length === 0);
}

/** The wish in the form in which it is read back. */
export function factsOf(constraints: NameConstraints): ConstraintFacts {
  const subtrees = (item: NameConstraintItem | undefined): Subtrees => ({
    dnsDomains: item?.dnsDomains ?? [],
    ipRanges: (item?.ipRanges ?? []).map((text) => rangeText(rangeBytes(text) ?? Buffer.alloc(0)) ?? text),
    emailAddresses: item?.emailAddresses ?? [],
    uriDomains: item?.uriDomains ?? [],
  });
  const { critical = false, permitted, excluded } = constraints;
  return { critical, permitted: subtrees(permitted), excluded: subtrees(excluded) };
}

export function constraintsExtension(facts: ConstraintFacts): Extension {
  const parts = sides.flatMap((side, number) => {
    const trees = sorts.flatMap(({ field, tag }) => facts[side][field].map((text) => sequence(baseName(tag, text))));
    return trees.length === 0 ? [] : [tlv(0xa0 | number, ...trees)];
  });
  return { oid: oids.nameConstraints, critical: facts.critical, value: sequence(...parts) };
}

function baseName(tag: number, text: string): Buffer {
  return implicit(tag, tag === 7 ? (rangeBytes(text) ?? Buffer.alloc(0)) : Buffer.from(text, 'latin1'));
}

/** Undefined for what could not have been written here: other kinds of names, distances, broken masks. */
export function readConstraintsExtension(extension: Extension): ConstraintFacts | undefined {
  const root = parseDer(extension.value);
  if (root?.tag !== 0x30) return undefined;
  const [permitted, excluded] = sides.map((_, number) => {
    const nodes = root.children.filter(({ tag }) => tag === (0xa0 | number));
    return nodes.length > 1 ? undefined : readSubtrees(nodes[0]?.children ?? []);
  });
  if (permitted === undefined || excluded === undefined) return undefined;
  const facts = { critical: extension.critical, permitted, excluded };
  const strange = root.children.some(({ tag }) => tag !== 0xa0 && tag !== 0xa1);
  return strange || isEmpty(facts) || constraintsFault(facts) !== undefined ? undefined : facts;
}

function readSubtrees(nodes: readonly DerNode[]): Subtrees | undefined {
  const bases = nodes.map((node) => (node.tag === 0x30 && node.children.length === 1 ? node.children[0] : undefined));
  const texts = (number: number) =>
    bases.filter((base) => base?.tag === (0x80 | number)).flatMap((base) => baseText(number, base) ?? []);
  const found = { dnsDomains: texts(2), ipRanges: texts(7), emailAddresses: texts(1), uriDomains: texts(6) };
  return Object.values(found).flat().length === nodes.length ? found : undefined;
}

function baseText(number: number, base: DerNode | undefined): string | undefined {
  if (base === undefined) return undefined;
  return number === 7 ? rangeText(base.content) : base.content.toString('latin1');
}

/** As sets, host names without regard to case; whether the extension is critical is for the caller. */
export function sameSubtrees(a: ConstraintFacts, b: ConstraintFacts): boolean {
  const keys = (facts: ConstraintFacts) =>
    JSON.stringify(
      sides.map((side) =>
        sorts.map(({ field }) => [...new Set(facts[side][field].map((text) => text.toLowerCase()))].sort()),
      ),
    );
  return keys(a) === keys(b);
}
