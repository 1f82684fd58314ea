// Which signature goes with which key (RFC 4055, RFC 5758, RFC 8410), made and verified. Called by csr.ts and sign.ts.
// Signing runs on the thread pool: an RSA signature takes most of a millisecond.

import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type DerNode, readBits, readOid } from './der-read.ts';
import { bitString, derNull, objectId, sequence } from './der-write.ts';
import { kindOfKey } from './keys.ts';
import { oids } from './oids.ts';

interface Scheme {
  readonly oid: string;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** Null where the key's algorithm hashes by itself. */
  readonly digest: string | null;
}

const schemes: readonly Scheme[] = [
  { oid: oids.sha256WithRsa, keyType: 'rsa', digest: 'sha256' },
  { oid: oids.sha384WithRsa, keyType: 'rsa', digest: 'sha384' },
  { oid: oids.sha512WithRsa, keyType: 'rsa', digest: 'sha512' },
  { oid: oids.ecdsaWithSha256, keyType: 'ec', digest: 'sha256' },
  { oid: oids.ecdsaWithSha384, keyType: 'ec', digest: 'sha384' },
  { oid: oids.ecdsaWithSha512, keyType: 'ec', digest: 'sha512' },
  { oid: oids.ed25519, keyType: 'ed25519', digest: null },
];

const signAsync = promisify(sign);

/** The hash is as strong as the curve; every RSA key signs with SHA-256, which all CAs accept. */
function schemeOf(key: KeyObject): Scheme {
  const digest = kindOfKey(key)?.algorithm === 'ECDSA' ? { 256: 'sha256', 384: 'sha384', 521: 'sha512' } : undefined;
  const size = kindOfKey(key)?.size;
  const wanted = size === 256 || size === 384 || size === 521 ? digest?.[size] : undefined;
  const scheme = schemes.find((s) => s.keyType === key.asymmetricKeyType && (wanted === undefined || s.digest === wanted));
  if (scheme === undefined) throw new Error(`no signature scheme for a key of type ${key.asymmetricKeyType}`);
  return scheme;
}

/** AlgorithmIdentifier; RSA alone has a NULL parameter (RFC 4055 §5). */
export function signatureAlgorithm(key: KeyObject): Buffer {
  const scheme = schemeOf(key);
  return sequence(objectId(scheme.oid), ...(scheme.keyType === 'rsa' ? [derNull] : []));
}

/** `SEQUENCE { toBeSigned, algorithm, signature }`, the outer shape of both CSRs and certificates. */
export async function signed(toBeSigned: Buffer, key: KeyObject): Promise<Buffer> {
  const signature = await signAsync(schemeOf(key).digest, toBeSigned, key);
  return sequence(toBeSigned, signatureAlgorithm(key), bitString(signature));
}

export type Verdict = 'valid' | 'invalid' | 'unsupported';

/** Checks such a shape against a public key; `unsupported` for algorithms that are not in the table, SHA-1 among them. */
export function verifySigned(outer: DerNode, key: KeyObject): Verdict {
  const [body, algorithm, bits] = outer.children;
  const signature = readBits(bits);
  const oid = readOid(algorithm?.children[0]);
  const scheme = schemes.find((s) => s.oid === oid && s.keyType === key.asymmetricKeyType);
  if (scheme === undefined) return 'unsupported';
  if (body === undefined || signature === undefined) return 'invalid';
  return verify(scheme.digest, body.raw, key, signature) ? 'valid' : 'invalid';
}
