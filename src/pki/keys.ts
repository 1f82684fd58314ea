// Private keys: made, written to and read from the PEM of a Secret, compared. Called by apply/ (issuance, accounts) and plan/.
// Inside the program a key is a KeyObject, which prints nothing of itself; PEM exists only at the Secret's edge.

import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyEncoding, PrivateKeySpec } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { type PkiProblem, refuse } from './problem.ts';

const makePair = promisify(generateKeyPair);

const curves: ReadonlyMap<number, string> = new Map([
  [256, 'prime256v1'],
  [384, 'secp384r1'],
  [521, 'secp521r1'],
]);

/** Says what is wrong with the wished key, as cert-manager's own validation would (RSA 2048 to 8192; P-256, P-384, P-521). */
export function checkKeySpec(spec: PrivateKeySpec): Reply<PrivateKeySpec, PkiProblem> {
  const size = spec.size;
  const algorithm = spec.algorithm ?? 'RSA';
  if (size === undefined || size === 0 || algorithm === 'Ed25519') return { ok: true, value: spec };
  if (algorithm === 'RSA' && Number.isInteger(size) && size >= 2048 && size <= 8192) return { ok: true, value: spec };
  if (algorithm === 'ECDSA' && curves.has(size)) return { ok: true, value: spec };
  const sizes = algorithm === 'RSA' ? '2048 to 8192' : '256, 384 or 521';
  return refuse({ kind: 'unsupported', what: 'key', message: `A key of ${algorithm} has ${sizes} bits, not ${size}.` });
}

/** On the thread pool: an RSA key takes 50 ms to seconds, an elliptic one less than one. The spec must have passed checkKeySpec. */
export async function generateKey(spec: PrivateKeySpec): Promise<KeyObject> {
  const { algorithm, size } = effectiveKey(spec);
  switch (algorithm) {
    case 'RSA':
      return (await makePair('rsa', { modulusLength: size })).privateKey;
    case 'ECDSA':
      return (await makePair('ec', { namedCurve: curves.get(size) ?? '' })).privateKey;
    case 'Ed25519':
      return (await makePair('ed25519', {})).privateKey;
    default:
      throw new Error(`no such key algorithm: ${algorithm satisfies never}`);
  }
}

export interface KeyKind {
  readonly algorithm: NonNullable<PrivateKeySpec['algorithm']>;
  /** Bits; 256 for Ed25519. */
  readonly size: number;
}

/** The spec with its defaults: RSA 2048, P-256. */
export function effectiveKey(spec: PrivateKeySpec | undefined): KeyKind {
  const algorithm = spec?.algorithm ?? 'RSA';
  const size = spec?.size === undefined || spec.size === 0 ? undefined : spec.size;
  switch (algorithm) {
    case 'RSA':
      return { algorithm, size: size ?? 2048 };
    case 'ECDSA':
      return { algorithm, size: size ?? 256 };
    case 'Ed25519':
      return { algorithm, size: 256 };
    default:
      return algorithm satisfies never;
  }
}

/** Undefined for kinds that we neither make nor sign with. */
export function kindOfKey(key: KeyObject): KeyKind | undefined {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { algorithm: 'RSA', size: details?.modulusLength ?? 0 };
    case 'ec': {
      const curve = [...curves].find(([, name]) => name === details?.namedCurve);
      return curve === undefined ? undefined : { algorithm: 'ECDSA', size: curve[0] };
    }
    case 'ed25519':
      return { algorithm: 'Ed25519', size: 256 };
    default:
      return undefined;
  }
}

/** PKCS1 means "RSA PRIVATE KEY" or, for elliptic keys, SEC 1's "EC PRIVATE KEY", as in cert-manager; Ed25519 knows only PKCS8. */
export function keyToPem(key: KeyObject, encoding: KeyEncoding): string {
  const classic = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8';
  return key.export({ format: 'pem', type: encoding === 'PKCS1' ? classic : 'pkcs8' }).toString();
}

/** Any unencrypted PEM of an RSA, ECDSA or Ed25519 key. */
export function keyFromPem(pem: string): Reply<KeyObject, PkiProblem> {
  const key = parsePrivateKey(pem);
  if (key === undefined) {
    return refuse({ kind: 'malformed', what: 'privateKey', message: 'The private key is not an unencrypted PEM key.' });
  }
  return kindOfKey(key) === undefined
    ? refuse({
        kind: 'unsupported',
        what: 'key',
        message: 'The private key is not RSA, ECDSA (P-256/384/521) or Ed25519.',
      })
    : { ok: true, value: key };
}

function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // The error's text and cause may quote its input, so nothing of it is kept.
    return undefined;
  }
}

export function keyMatchesSpec(key: KeyObject, spec: PrivateKeySpec | undefined): boolean {
  const wanted = effectiveKey(spec);
  const kind = kindOfKey(key);
  return kind?.algorithm === wanted.algorithm && kind.size === wanted.size;
}

/** Compares the public halves; either argument may be private or public. */
export function publicKeysEqual(a: KeyObject, b: KeyObject): boolean {
  return publicHalf(a).equals(publicHalf(b));
}

export function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/** Names a key pair without telling it: SHA-256 over the SubjectPublicKeyInfo, in hexadecimal. Takes either half. */
export function fingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(publicHalf(key).export({ format: 'der', type: 'spki' }))
    .digest('hex');
}
