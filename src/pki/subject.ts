// Distinguished names (RFC 5280 §4.1.2.4): written from spec.subject and the common name, read back as parts and as one line of text.
// Called by csr.ts, certificate.ts and sign.ts; satisfies.ts compares names by it.

import type { X509Subject } from '../api/certmanager.ts';
import { attributeName } from './attributes.ts';
import { type DerNode, readOid, readText } from './der-read.ts';
import { directoryString, objectId, sequence, setOf } from './der-write.ts';
import { oids } from './oids.ts';

export interface NameAttribute {
  readonly oid: string;
  /** Undefined where the value is of a type that is no text. */
  readonly text: string | undefined;
  /** DER. */
  readonly value: Buffer;
}

/** Usually one attribute; several have no order. */
export type RelativeName = readonly NameAttribute[];

type ListPart = Exclude<keyof X509Subject, 'serialNumber'>;

/** In the order in which cert-manager writes them. */
export const listParts: readonly (readonly [ListPart, string])[] = [
  ['countries', oids.country],
  ['organizations', oids.organization],
  ['organizationalUnits', oids.organizationalUnit],
  ['localities', oids.locality],
  ['provinces', oids.province],
  ['streetAddresses', oids.streetAddress],
  ['postalCodes', oids.postalCode],
];

/** The name that spec.subject and spec.commonName make; an empty serial number is none, as in cert-manager. */
export function relativeNames(subject: X509Subject | undefined, commonName: string | undefined) {
  const serial = subject?.serialNumber ?? '';
  return [
    // All values of one part make one multi-valued name, as cert-manager's library writes them: the subject must not change at a move.
    ...listParts.flatMap(([part, oid]) => {
      const values = (subject?.[part] ?? []).flatMap((text) => relativeName(oid, text));
      return values.length === 0 ? [] : [values];
    }),
    ...(commonName === undefined ? [] : [relativeName(oids.commonName, commonName)]),
    ...(serial === '' ? [] : [relativeName(oids.serialNumber, serial)]),
  ];
}

function relativeName(oid: string, text: string): RelativeName {
  return [{ oid, text, value: directoryString(text) }];
}

/** DER of the Name. */
export function writeName(names: readonly RelativeName[]): Buffer {
  return sequence(
    ...names.map((name) => setOf(...name.map(({ oid, value }) => sequence(objectId(oid), Buffer.from(value))))),
  );
}

export function writeSubject(subject: X509Subject | undefined, commonName: string | undefined): Buffer {
  return writeName(relativeNames(subject, commonName));
}

export interface SubjectFacts {
  /** The last one, which is the one that Go and OpenSSL take. */
  readonly commonName?: string;
  readonly parts: X509Subject;
  readonly relativeNames: readonly RelativeName[];
  /** For people: `C=DE,O=Example,CN=foo.com`, with a backslash before separators inside values. */
  readonly text: string;
  readonly der: Buffer;
}

/** Undefined where the node is no Name. */
export function readSubject(name: DerNode | undefined): SubjectFacts | undefined {
  if (name?.tag !== 0x30) return undefined;
  const names = name.children.map(readRelativeName);
  if (!names.every((each) => each !== undefined)) return undefined;
  const attributes = names.flat();
  const valuesOf = (oid: string) => attributes.filter((a) => a.oid === oid).map(printed);
  const commonName = valuesOf(oids.commonName).at(-1);
  const serialNumber = valuesOf(oids.serialNumber).at(-1);
  const lists = listParts
    .map(([part, oid]) => [part, valuesOf(oid)] as const)
    .filter(([, values]) => values.length > 0);
  return {
    ...(commonName === undefined ? {} : { commonName }),
    parts: { ...Object.fromEntries(lists), ...(serialNumber === undefined ? {} : { serialNumber }) },
    relativeNames: names,
    text: attributes.map((each) => `${attributeName(each.oid)}=${escapeValue(printed(each))}`).join(','),
    der: name.raw,
  };
}

function readRelativeName(set: DerNode): RelativeName | undefined {
  const attributes = set.tag === 0x31 ? set.children.map(readAttribute) : [];
  return attributes.length > 0 && attributes.every((each) => each !== undefined) ? attributes : undefined;
}

function readAttribute(node: DerNode): NameAttribute | undefined {
  const oid = readOid(node.children[0]);
  const value = node.children[1];
  if (node.tag !== 0x30 || oid === undefined || value === undefined) return undefined;
  return { oid, text: readText(value), value: value.raw };
}

function printed({ text, value }: NameAttribute): string {
  return text ?? `#${value.toString('hex')}`;
}

/** The same attributes in the same order; how a text is encoded does not count. */
export function sameName(a: readonly RelativeName[], b: readonly RelativeName[]): boolean {
  const keys = (names: readonly RelativeName[]) =>
    JSON.stringify(names.map((name) => name.map((each) => `${each.oid}=${printed(each)}`).sort()));
  return keys(a) === keys(b);
}

function escapeValue(text: string): string {
  return text.replaceAll(/[,+="<>;\\]/g, '\\$&').replaceAll(/\p{Cc}/gu, '?');
}
