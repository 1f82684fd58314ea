// The alias under which a truststore lists a certificate: its subject as one line, spelled as cert-manager spells it (RFC 2253, last part first),
// so that whoever looks an alias up finds it after a move. Called by pkcs12.ts.

import { X509Certificate } from 'node:crypto';
import { type DerNode, parseDer, readOid, readText } from '../pki/der-read.ts';
import { directoryString } from '../pki/der-write.ts';

/** The order in which Go's name type lists the parts that it knows; the others come before them as they stand. */
const known: readonly (readonly [oid: string, label: string])[] = [
  ['2.5.4.6', 'C'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.17', 'POSTALCODE'],
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'SERIALNUMBER'],
];
/** Of these there is one, the last. */
const single: ReadonlySet<string> = new Set(['CN', 'SERIALNUMBER']);

export function trustName(certificate: Uint8Array): string {
  const attributes = subjectOf(Buffer.from(certificate));
  const labels: ReadonlyMap<string, string> = new Map(known);
  const foreign = attributes
    .filter(({ oid }) => !labels.has(oid))
    .map(({ oid, text }) => `${oid}=#${directoryString(text).toString('hex')}`);
  const parts = known.flatMap(([oid, label]) => {
    const texts = attributes.filter((each) => each.oid === oid).map(({ text }) => `${label}=${escaped(text)}`);
    if (texts.length === 0) return [];
    return [single.has(label) ? (texts.at(-1) ?? '') : texts.join('+')];
  });
  return [...foreign, ...parts].reverse().join(',');
}

function subjectOf(certificate: Buffer): readonly { readonly oid: string; readonly text: string }[] {
  const fields = parseDer(new X509Certificate(certificate).raw)?.children[0]?.children ?? [];
  const body = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  return (body[4]?.children ?? []).flatMap((set) => set.children.flatMap(attributeOf));
}

function attributeOf(node: DerNode) {
  const [oid, text] = [readOid(node.children[0]), readText(node.children[1])];
  return oid === undefined || text === undefined ? [] : [{ oid, text }];
}

function escaped(text: string): string {
  return text.replaceAll(/[,+"\\<>;]|^[ #]| $/g, '\\$&');
}
