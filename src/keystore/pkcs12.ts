// Writes PKCS #12 files (RFC 7292): a key with its chain, or certificates to trust. Called by keystores.ts.
// Laid out as cert-manager does it: encrypted certificates first, then the key in a bag of its own that names the leaf by its SHA-1.

import { hash, type KeyObject, randomBytes } from 'node:crypto';
import type { Pkcs12Profile } from '../api/certmanager.ts';
import { explicit, implicit, integer, objectId, octetString, sequence, setOf, tlv } from '../pki/der-write.ts';
import { macData } from './mac.ts';
import { oids } from './oids.ts';
import { type Profile, profiles } from './profiles.ts';
import { protect } from './protect.ts';
import { trustName } from './trust-name.ts';

export interface Pkcs12Terms {
  readonly profile: Pkcs12Profile;
  readonly password: string;
}

/** Certificates are DER, the leaf first; `authorities` come after it without being marked as trusted. */
export async function pkcs12Keystore(
  key: KeyObject,
  chain: readonly Buffer[],
  authorities: readonly Buffer[],
  { profile: name, password }: Pkcs12Terms,
): Promise<Buffer> {
  const profile = profiles[name];
  const [leaf = Buffer.alloc(0), ...others] = chain;
  const keyId = attribute(oids.localKeyId, octetString(leafId(leaf)));
  const bags = [
    certificateBag(leaf, [keyId]),
    ...[...others, ...authorities].map((certificate) => certificateBag(certificate, [])),
  ];
  const plain = key.export({ format: 'der', type: 'pkcs8' });
  const shrouded = await protect(plain, profile.key, password, profile.saltLength);
  const keyBag = bag(oids.shroudedKeyBag, sequence(shrouded.algorithm, octetString(shrouded.bytes)), [keyId]);
  const keys = contentInfo(oids.data, octetString(sequence(keyBag)));
  return file([await encrypted(bags, profile, password), keys], profile, password);
}

/** Each certificate is marked as trusted for any use, in the way that Java looks for, and named by its subject. */
export async function pkcs12Truststore(
  authorities: readonly Buffer[],
  { profile: name, password }: Pkcs12Terms,
): Promise<Buffer> {
  const profile = profiles[name];
  const trusted = attribute(oids.javaTrust, objectId(oids.anyExtendedKeyUsage));
  const bags = authorities.map((certificate) => {
    const alias = tlv(0x1e, Buffer.from(trustName(certificate), 'utf16le').swap16());
    return certificateBag(certificate, [trusted, attribute(oids.friendlyName, alias)]);
  });
  return file([await encrypted(bags, profile, password)], profile, password);
}

/** What ties a key to its certificate in the file. */
export function leafId(leaf: Uint8Array): Buffer {
  return hash('sha1', leaf, 'buffer');
}

async function file(contents: readonly Buffer[], profile: Profile, password: string): Promise<Buffer> {
  const safe = sequence(...contents);
  const { mac, macIterations: iterations, saltLength } = profile;
  const sealed = await macData(safe, { mac, password, iterations, salt: randomBytes(saltLength) });
  return sequence(integer(Buffer.from([3])), contentInfo(oids.data, octetString(safe)), sealed);
}

async function encrypted(bags: readonly Buffer[], profile: Profile, password: string): Promise<Buffer> {
  const { algorithm, bytes } = await protect(sequence(...bags), profile.certificates, password, profile.saltLength);
  const info = sequence(objectId(oids.data), algorithm, implicit(0, bytes));
  return contentInfo(oids.encryptedData, sequence(integer(Buffer.from([0])), info));
}

function contentInfo(type: string, content: Buffer): Buffer {
  return sequence(objectId(type), explicit(0, content));
}

function certificateBag(certificate: Buffer, attributes: readonly Buffer[]): Buffer {
  const value = sequence(objectId(oids.x509Certificate), explicit(0, octetString(certificate)));
  return bag(oids.certificateBag, value, attributes);
}

function bag(type: string, value: Buffer, attributes: readonly Buffer[]): Buffer {
  const set = attributes.length === 0 ? [] : [setOf(...attributes)];
  return sequence(objectId(type), explicit(0, value), ...set);
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence(objectId(type), setOf(value));
}
