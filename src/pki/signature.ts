// Which signature goes with which key (RFC 4055, RFC 5758, RFC 8410), made and verified. Called by csr.ts and sign.ts.
// A signature by a large RSA key takes 5 to 40 ms and goes to the thread pool; the others take at most one, less than the hand-over adds.

import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { SignatureAlgorithm } from '../api/certmanager.ts';
import { type DerNode, readBits } from './der-read.ts';
import { bitString, derNull, objectId, sequence } from './der-write.ts';
import { type KeyKind, kindOfKey } from './keys.ts';
import { oids } from './oids.ts';

interface Scheme {
  readonly name: SignatureAlgorithm;
  readonly oid: string;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** Null where the key's algorithm hashes by itself. */
  readonly digest: string | null;
}

const schemes: readonly Scheme[] = [
  { name: 'SHA256WithRSA', oid: oids.sha256WithRsa, keyType: 'rsa', digest: 'sha256' },
  { name: 'SHA384WithRSA', oid: oids.sha384WithRsa, keyType: 'rsa', digest: 'sha384' },
  { name: 'SHA512WithRSA', oid: oids.sha512WithRsa, keyType: 'rsa', digest: 'sha512' },
  { name: 'ECDSAWithSHA256', oid: oids.ecdsaWithSha256, keyType: 'ec', digest: 'sha256' },
  { name: 'ECDSAWithSHA384', oid: oids.ecdsaWithSha384, keyType: 'ec', digest: 'sha384' },
  { name: 'ECDSAWithSHA512', oid: oids.ecdsaWithSha512, keyType: 'ec', digest: 'sha512' },
  { name: 'PureEd25519', oid: oids.ed25519, keyType: 'ed25519', digest: null },
];

const keyTypes: Readonly<Record<KeyKind['algorithm'], Scheme['keyType']>> = {
  RSA: 'rsa',
  ECDSA: 'ec',
  Ed25519: 'ed25519',
};

/** A sentence where keys of this kind cannot sign so. */
export function signatureFault(wanted: SignatureAlgorithm, key: KeyKind['algorithm']): string | undefined {
  const fitting = schemes.filter(({ keyType }) => keyType === keyTypes[key]).map(({ name }) => name);
  if (fitting.includes(wanted)) return undefined;
  return `spec.signatureAlgorithm ${JSON.stringify(wanted)} does not fit a key of ${key}: use ${fitting.join(' or ')}, or change spec.privateKey.algorithm.`;
}

const signAsync = promisify(sign);

const curveDigests: ReadonlyMap<number, string> = new Map([
  [256, 'sha256'],
  [384, 'sha384'],
  [521, 'sha512'],
]);

/** As asked, else: the hash is as strong as the curve, and every RSA key signs with SHA-256, which all CAs accept. */
function schemeOf(key: KeyObject, asked?: SignatureAlgorithm): Scheme {
  const kind = kindOfKey(key);
  const digest = kind?.algorithm === 'ECDSA' ? curveDigests.get(kind.size) : undefined;
  const scheme = schemes.find(
    (s) =>
      s.keyType === key.asymmetricKeyType &&
      (asked === undefined ? (digest ?? s.digest) === s.digest : s.name === asked),
  );
  if (scheme === undefined) {
    throw new Error(`no signature scheme ${asked ?? ''} for a key of type ${key.asymmetricKeyType}`);
  }
  return scheme;
}

/** AlgorithmIdentifier; RSA alone has a NULL parameter (RFC 4055 §5). */
function identifier(scheme: Scheme): Buffer {
  return sequence(objectId(scheme.oid), ...(scheme.keyType === 'rsa' ? [derNull] : []));
}

/** What signatures of a certificate by this key say they are. */
export function signatureAlgorithm(key: KeyObject): Buffer {
  return identifier(schemeOf(key));
}

/**
 * `SEQUENCE { toBeSigned, algorithm, signature }`, the outer shape of both CSRs and certificates. An algorithm is asked for in CSRs only:
 * cert-manager applies spec.signatureAlgorithm nowhere else, and its CA and self-signed issuers choose by the signing key.
 */
export async function signed(toBeSigned: Buffer, key: KeyObject, asked?: SignatureAlgorithm): Promise<Buffer> {
  const kind = kindOfKey(key);
  const slow = kind?.algorithm === 'RSA' && kind.size > 3072;
  const scheme = schemeOf(key, asked);
  const signature = slow ? await signAsync(scheme.digest, toBeSigned, key) : sign(scheme.digest, toBeSigned, key);
  return sequence(toBeSigned, identifier(scheme), bitString(signature));
}

export type Verdict =
  | { readonly kind: 'valid'; readonly by: SignatureAlgorithm }
  | { readonly kind: 'invalid' | 'unsupported' };

/** Checks such a shape against a public key; `unsupported` for algorithms that are not in the table, SHA-1 among them. */
export function verifySigned(outer: DerNode, key: KeyObject): Verdict {
  const [body, algorithm, bits] = outer.children;
  const signature = readBits(bits);
  if (outer.tag !== 0x30 || body?.tag !== 0x30 || signature === undefined) return { kind: 'invalid' };
  const scheme = schemes.find(
    (s) => s.keyType === key.asymmetricKeyType && algorithm?.raw.equals(identifier(s)) === true,
  );
  if (scheme === undefined) return { kind: 'unsupported' };
  return verify(scheme.digest, body.raw, key, signature) ? { kind: 'valid', by: scheme.name } : { kind: 'invalid' };
}
