// The attributes of a distinguished name: what they are called, how long their values may be, and which characters they may have.
// Called by subject.ts (text for people), literal-subject.ts (names to OIDs) and check-subject.ts (bounds).

import { oids } from './oids.ts';

interface Attribute {
  readonly oid: string;
  /** As it is printed; read without regard to case (RFC 4514 §2.3). */
  readonly name: string;
  /** Characters, not bytes: RFC 5280 appendix A; for street and postal code, of which it says nothing, X.520 annex C. */
  readonly most?: number;
  /** What is allowed where the type is no DirectoryString. */
  readonly alphabet?: 'country' | 'printable' | 'ascii';
}

const attributes: readonly Attribute[] = [
  { oid: oids.commonName, name: 'CN', most: 64 },
  { oid: oids.country, name: 'C', most: 2, alphabet: 'country' },
  { oid: oids.organization, name: 'O', most: 64 },
  { oid: oids.organizationalUnit, name: 'OU', most: 64 },
  { oid: oids.locality, name: 'L', most: 128 },
  { oid: oids.province, name: 'ST', most: 128 },
  { oid: oids.streetAddress, name: 'STREET', most: 128 },
  { oid: oids.postalCode, name: 'postalCode', most: 40 },
  { oid: oids.serialNumber, name: 'serialNumber', most: 64, alphabet: 'printable' },
  { oid: '0.9.2342.19200300.100.1.25', name: 'DC', alphabet: 'ascii' },
  { oid: '0.9.2342.19200300.100.1.1', name: 'UID', most: 256 },
  { oid: '2.5.4.12', name: 'title', most: 64 },
  { oid: '2.5.4.4', name: 'SN', most: 32_768 },
  { oid: '2.5.4.42', name: 'givenName', most: 32_768 },
  { oid: '2.5.4.43', name: 'initials', most: 32_768 },
  { oid: '2.5.4.44', name: 'generationQualifier', most: 32_768 },
  { oid: '2.5.4.46', name: 'dnQualifier', alphabet: 'printable' },
  { oid: '2.5.4.65', name: 'pseudonym', most: 128 },
  { oid: oids.emailAddress, name: 'emailAddress', most: 255, alphabet: 'ascii' },
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
  const { most, alphabet } = byOid.get(oid) ?? {};
  if (text === '') return 'is empty; give it a value or leave it out';
  if (!isClean(text)) return 'has a control character or broken Unicode in it; remove it';
  if (alphabet === 'country' && !/^[A-Za-z]{2}$/.test(text)) {
    return 'is no country code of two letters (ISO 3166), such as DE';
  }
  const length = [...text].length;
  if (most !== undefined && length > most) return `has ${length} characters; at most ${most} are allowed (X.520)`;
  if (alphabet === 'printable' && !/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) {
    return `has a character that is not allowed there: only letters, digits, spaces and '()+,-./:=? are`;
  }
  return alphabet === 'ascii' && !/^[ -~]*$/.test(text) ? 'has a character that is not ASCII' : undefined;
}

/** No control characters, NUL among them, and no half of a surrogate pair, which UTF-8 cannot carry. */
export function isClean(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}
