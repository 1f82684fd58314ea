// Which signature goes with which key (RFC 4055, RFC 5758, RFC 8410), made and verified. Called by csr.ts and sign.ts.
// A signature by a large RSA key takes 5 to 40 ms and goes to the thread pool; the others take at most one, less than the hand-over adds.

import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type DerNode, readBits } from './der-read.ts';
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

const curveDigests: ReadonlyMap<number, string> = new Map([
  [256, 'sha256'],
  [384, 'sha384'],
  [521, 'sha512'],
]);

/** The hash is as strong as the curve; every RSA key signs with SHA-256, which all CAs accept. */
function schemeOf(key: KeyObject): Scheme {
  const kind = kindOfKey(key);
  const digest = kind?.algorithm === 'ECDSA' ? curveDigests.get(kind.size) : undefined;
  const scheme = schemes.find((s) => s.keyType === key.asymmetricKeyType && (digest ?? s.digest) === s.digest);
  if (scheme === undefined) throw new Error(`no signature scheme for a key of type ${key.asymmetricKeyType}`);
  return scheme;
}

/** AlgorithmIdentifier; RSA alone has a NULL parameter (RFC 4055 §5). */
function identifier(scheme: Scheme): Buffer {
  return sequence(objectId(scheme.oid), ...(scheme.keyType === 'rsa' ? [derNull] : []));
}

export function signatureAlgorithm(key: KeyObject): Buffer {
  return identifier(schemeOf(key));
}

/** `SEQUENCE { toBeSigned, algorithm, signature }`, the outer shape of both CSRs and certificates. */
export async function signed(toBeSigned: Buffer, key: KeyObject): Promise<Buffer> {
  const kind = kindOfKey(key);
  const slow = kind?.algorithm === 'RSA' && kind.size > 3072;
  const digest = schemeOf(key).digest;
  const signature = slow ? await signAsync(digest, toBeSigned, key) : sign(digest, toBeSigned, key);
  return sequence(toBeSigned, signatureAlgorithm(key), bitString(signature));
}

export type Verdict = 'valid' | 'invalid' | 'unsupported';

/** Checks such a shape against a public key; `unsupported` for algorithms that are not in the table, SHA-1 among them. */
export function verifySigned(outer: DerNode, key: KeyObject): Verdict {
  const [body, algorithm, bits] = outer.children;
  const signature = readBits(bits);
  if (outer.tag !== 0x30 || body?.tag !== 0x30 || signature === undefined) return 'invalid';
  const scheme = schemes.find(
    (s) => s.keyType === key.asymmetricKeyType && algorithm?.raw.equals(identifier(s)) === true,
  );
  if (scheme === undefined) return 'unsupported';
  return verify(scheme.digest, body.raw, key, signature) ? 'valid' : 'invalid';
}
