// Distinguished names (RFC 5280 §4.1.2.4): written from spec.subject and the common name, read back as parts and as one line of text.
// Called by csr.ts, certificate.ts and sign.ts.

import type { X509Subject } from '../api/certmanager.ts';
import { type DerNode, readOid, readText } from './der-read.ts';
import { directoryString, objectId, sequence, setOf } from './der-write.ts';
import { oids } from './oids.ts';

type ListPart = Exclude<keyof X509Subject, 'serialNumber'>;

/** In the order in which cert-manager writes them. */
const listParts: readonly (readonly [ListPart, string, string])[] = [
  ['countries', oids.country, 'C'],
  ['organizations', oids.organization, 'O'],
  ['organizationalUnits', oids.organizationalUnit, 'OU'],
  ['localities', oids.locality, 'L'],
  ['provinces', oids.province, 'ST'],
  ['streetAddresses', oids.streetAddress, 'STREET'],
  ['postalCodes', oids.postalCode, 'postalCode'],
];

const shortNames: ReadonlyMap<string, string> = new Map([
  ...listParts.map(([, oid, short]) => [oid, short] as const),
  [oids.commonName, 'CN'],
  [oids.serialNumber, 'serialNumber'],
]);

export function writeSubject(subject: X509Subject | undefined, commonName: string | undefined): Buffer {
  const parts = listParts.flatMap(([part, oid]) => (subject?.[part] ?? []).map((text) => relativeName(oid, text)));
  return sequence(
    ...parts,
    ...(commonName === undefined ? [] : [relativeName(oids.commonName, commonName)]),
    ...(subject?.serialNumber === undefined ? [] : [relativeName(oids.serialNumber, subject.serialNumber)]),
  );
}

function relativeName(oid: string, text: string): Buffer {
  return setOf(sequence(objectId(oid), directoryString(text)));
}

export interface SubjectFacts {
  readonly commonName?: string;
  readonly parts: X509Subject;
  /** For people: `C=DE,O=Example,CN=foo.com`, with a backslash before separators inside values. */
  readonly text: string;
  readonly der: Buffer;
}

/** Undefined where the node is no Name. */
export function readSubject(name: DerNode | undefined): SubjectFacts | undefined {
  if (name?.tag !== 0x30) return undefined;
  const attributes = name.children.flatMap((set) => set.children).map(readAttribute);
  if (!attributes.every((attribute) => attribute !== undefined)) return undefined;
  const valuesOf = (oid: string) => attributes.filter((a) => a.oid === oid).map((a) => a.text);
  const commonName = valuesOf(oids.commonName).at(-1);
  const serialNumber = valuesOf(oids.serialNumber).at(-1);
  const lists = listParts
    .map(([part, oid]) => [part, valuesOf(oid)] as const)
    .filter(([, values]) => values.length > 0);
  return {
    ...(commonName === undefined ? {} : { commonName }),
    parts: { ...Object.fromEntries(lists), ...(serialNumber === undefined ? {} : { serialNumber }) },
    text: attributes.map(({ oid, text }) => `${shortNames.get(oid) ?? oid}=${escapeValue(text)}`).join(','),
    der: name.raw,
  };
}

function readAttribute(node: DerNode): { readonly oid: string; readonly text: string } | undefined {
  const oid = readOid(node.children[0]);
  const value = node.children[1];
  if (oid === undefined || value === undefined) return undefined;
  return { oid, text: readText(value) ?? `#${value.raw.toString('hex')}` };
}

function escapeValue(text: string): string {
  return text.replaceAll(/[,+="<>;\\]/g, '\\$&').replaceAll(/\p{Cc}/gu, '?');
}
