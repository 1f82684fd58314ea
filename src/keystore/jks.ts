// Writes Java's own keystore format, version 2: big-endian records and a digest over the password and all of them. Called by keystores.ts.

import { hash, type KeyObject, randomBytes } from 'node:crypto';
import { derNull, objectId, octetString, sequence } from '../pki/der-write.ts';
import { oids } from './oids.ts';

export const jksMagic = 0xfeedfeed;
export const jksVersion = 2;
export const jksTags = { key: 1, trusted: 2 } as const;

export interface JksTerms {
  readonly alias: string;
  readonly password: string;
  /** Milliseconds since 1970; Java shows it as the entry's creation date. */
  readonly createdAt: number;
}

/** Certificates are DER, the leaf first; the authorities become trusted entries beside the key's. */
export function jksKeystore(
  key: KeyObject,
  chain: readonly Buffer[],
  authorities: readonly Buffer[],
  terms: JksTerms,
): Buffer {
  const alias = jksAlias(terms.alias);
  const entry = [
    number(jksTags.key),
    ...heading(alias, terms),
    prefixed(protectedKey(key, terms.password)),
    number(chain.length),
    ...chain.map(certificateOf),
  ];
  const trusted = authorityAliases(authorities.length, alias).map((name, at) =>
    trustedEntry(name, authorities[at], terms),
  );
  return file([Buffer.concat(entry), ...trusted], terms.password);
}

export function jksTruststore(authorities: readonly Buffer[], terms: Omit<JksTerms, 'alias'>): Buffer {
  const names = authorityAliases(authorities.length);
  return file(
    names.map((name, at) => trustedEntry(name, authorities[at], terms)),
    terms.password,
  );
}

/** Java looks aliases up in lower case. */
export function jksAlias(alias: string): string {
  return alias.toLowerCase();
}

/** `ca`, `ca-1`, `ca-2` …; the name that the key bears is left out, as one of the two entries would be lost. */
export function authorityAliases(count: number, taken?: string): readonly string[] {
  const names = Array.from({ length: count + 1 }, (_, at) => (at === 0 ? 'ca' : `ca-${at}`));
  return names.filter((name) => name !== taken).slice(0, count);
}

/** SHA-1 over the password in UTF-16, a phrase that Sun chose, and everything before the digest. */
export function jksDigest(password: string, content: Uint8Array): Buffer {
  return hash('sha1', Buffer.concat([passwordBytes(password), Buffer.from('Mighty Aphrodite'), content]), 'buffer');
}

function file(entries: readonly Buffer[], password: string): Buffer {
  const content = Buffer.concat([number(jksMagic), number(jksVersion), number(entries.length), ...entries]);
  return Buffer.concat([content, jksDigest(password, content)]);
}

function trustedEntry(alias: string, certificate: Buffer | undefined, terms: Omit<JksTerms, 'alias'>): Buffer {
  return Buffer.concat([
    number(jksTags.trusted),
    ...heading(alias, terms),
    certificateOf(certificate ?? Buffer.alloc(0)),
  ]);
}

function heading(alias: string, { createdAt }: Pick<JksTerms, 'createdAt'>): readonly Buffer[] {
  const date = Buffer.alloc(8);
  date.writeBigInt64BE(BigInt(Math.floor(createdAt)));
  return [javaText(alias), date];
}

function certificateOf(der: Buffer): Buffer {
  return Buffer.concat([javaText('X.509'), prefixed(der)]);
}

/** Sun's protector: the key XOR a chain of SHA-1 over password and salt, with a digest to know the right password by. */
function protectedKey(key: KeyObject, password: string): Buffer {
  const plain = key.export({ format: 'der', type: 'pkcs8' });
  const secret = passwordBytes(password);
  const salt = randomBytes(20);
  const cipher = Buffer.from(plain);
  let link: Buffer = salt;
  for (let at = 0; at < cipher.length; at++) {
    if (at % 20 === 0) link = hash('sha1', Buffer.concat([secret, link]), 'buffer');
    cipher[at] = (cipher[at] ?? 0) ^ (link[at % 20] ?? 0);
  }
  const check = hash('sha1', Buffer.concat([secret, plain]), 'buffer');
  const algorithm = sequence(objectId(oids.javaKeyProtector), derNull);
  return sequence(algorithm, octetString(Buffer.concat([salt, cipher, check])));
}

function passwordBytes(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16();
}

/** Java's writeUTF: a length, then each UTF-16 unit by itself, NUL in two bytes. */
export function javaText(value: string): Buffer {
  const bytes = Buffer.concat(Array.from({ length: value.length }, (_, at) => unit(value.charCodeAt(at))));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function unit(code: number): Buffer {
  if (code !== 0 && code < 0x80) return Buffer.from([code]);
  if (code < 0x800) return Buffer.from([0xc0 | (code >> 6), 0x80 | (code & 0x3f)]);
  return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
}

function prefixed(bytes: Uint8Array): Buffer {
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
