// The attributes of a distinguished name: what they are called, and which characters their values may have. X.520's upper bounds are not held against
// anybody: cert-manager and CAs write longer values, and a certificate that moves to Certway must renew. Called by subject.ts, literal-subject.ts, check-subject.ts.

import { oids } from './oids.ts';

interface Attribute {
  readonly oid: string;
  /** As it is printed; read without regard to case (RFC 4514 §2.3). */
  readonly name: string;
  /** What is allowed where the type is no DirectoryString. */
  readonly alphabet?: 'printable' | 'ascii';
}

const attributes: readonly Attribute[] = [
  { oid: oids.commonName, name: 'CN' },
  { oid: oids.country, name: 'C' },
  { oid: oids.organization, name: 'O' },
  { oid: oids.organizationalUnit, name: 'OU' },
  { oid: oids.locality, name: 'L' },
  { oid: oids.province, name: 'ST' },
  { oid: oids.streetAddress, name: 'STREET' },
  { oid: oids.postalCode, name: 'postalCode' },
  { oid: oids.serialNumber, name: 'serialNumber', alphabet: 'printable' },
  { oid: '0.9.2342.19200300.100.1.25', name: 'DC', alphabet: 'ascii' },
  { oid: '0.9.2342.19200300.100.1.1', name: 'UID' },
  { oid: '2.5.4.12', name: 'title' },
  { oid: '2.5.4.4', name: 'SN' },
  { oid: '2.5.4.42', name: 'givenName' },
  { oid: '2.5.4.43', name: 'initials' },
  { oid: '2.5.4.44', name: 'generationQualifier' },
  { oid: '2.5.4.46', name: 'dnQualifier', alphabet: 'printable' },
  { oid: '2.5.4.65', name: 'pseudonym' },
  { oid: oids.emailAddress, name: 'emailAddress', alphabet: 'ascii' },
];

const byName: ReadonlyMap<string, Attribute> = new Map(attributes.map((each) => [each.name.toLowerCase(), each]));
const byOid: ReadonlyMap<string, Attribute> = new Map(attributes.map((each) => [each.oid, each]));

export const attributeNames: readonly string[] = attributes.map(({ name }) => name);

export function attributeOid(name: string): string | undefined {
  return byName.get(name.toLowerCase())?.oid;
}

/** The short name, or the OID itself where there is none. */
export function attributeName(oid: string): string {
  return byOid.get(oid)?.name ?? oid;
}

/** What is wrong with a value of this attribute, to stand after its name in a sentence; undefined where it may be written. */
export function attributeFault(oid: string, text: string): string | undefined {
  const { alphabet } = byOid.get(oid) ?? {};
  if (text === '') return 'is empty; give it a value or leave it out';
  if (!isClean(text)) return 'has a control character or broken Unicode in it; remove it';
  if (alphabet === 'printable' && !/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) {
    return `has a character that is not allowed there: only letters, digits, spaces and '()+,-./:=? are`;
  }
  return alphabet === 'ascii' && !/^[ -~]*$/.test(text) ? 'has a character that is not ASCII' : undefined;
}

/** No control characters, NUL among them, and no half of a surrogate pair, which UTF-8 cannot carry. */
export function isClean(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}
