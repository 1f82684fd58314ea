// What we sign: requests (RFC 8555 §6.2), the external account binding (§7.3.4), the change of a key (§7.3.5); and the key's thumbprint
// (§8.1, RFC 7638). By `jose`, which signs on the thread pool and converts each KeyObject once. Called by transport.ts, account.ts, key-change.ts.

import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { FlattenedSign } from 'jose/jws/flattened/sign';

export interface ToSign {
  readonly key: KeyObject;
  /** The account's URL; without it the key itself is sent, as newAccount and revokeCert may (§6.2). */
  readonly accountUrl?: string | undefined;
  readonly url: string;
  readonly nonce: string;
  /** Absent: POST-as-GET, an empty payload (§6.3). */
  readonly payload?: unknown;
}

type Algorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';

/**
 * Undefined for keys that no ACME server takes: anything but RSA of 2048 bits or more, the NIST curves and Ed25519. Whether it takes one of these is
 * the server's to say (Let's Encrypt: neither P-521 nor Ed25519).
 */
export function algorithmOf(key: KeyObject): Algorithm | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.type !== 'private') return undefined;
  if (key.asymmetricKeyType === 'rsa') return (details?.modulusLength ?? 0) >= 2048 ? 'RS256' : undefined;
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  switch (key.asymmetricKeyType === 'ec' ? details?.namedCurve : undefined) {
    case 'prime256v1':
      return 'ES256';
    case 'secp384r1':
      return 'ES384';
    case 'secp521r1':
      return 'ES512';
    default:
      return undefined;
  }
}

/** The JWS as JSON, ready to be posted. The key must have an algorithm. */
export async function signedRequest({ key, accountUrl, url, nonce, payload }: ToSign): Promise<string> {
  const alg = algorithmOf(key);
  if (alg === undefined) throw new Error('this kind of key cannot sign for ACME');
  const signer = accountUrl === undefined ? { jwk: publicJwk(key) } : { kid: accountUrl };
  const jws = new FlattenedSign(bytes(payload === undefined ? '' : JSON.stringify(payload)));
  return JSON.stringify(await jws.setProtectedHeader({ alg, ...signer, nonce, url }).sign(key));
}

export interface ExternalAccount {
  readonly keyId: string;
  /** base64url, as CAs hand it out. */
  readonly macKey: string;
}

/** base64url, with or without padding; the characters of plain base64 are taken too. */
export function isMacKey(text: string): boolean {
  return /^[A-Za-z0-9_+/-]+={0,2}$/.test(text);
}

/**
 * Ties `key` to an account that the CA knows by other means. Always HS256, as in cert-manager, which ignores `keyAlgorithm`: what is written there
 * has never been tried against the CA.
 */
export async function externalBinding(eab: ExternalAccount, key: KeyObject, newAccountUrl: string): Promise<unknown> {
  return new FlattenedSign(bytes(JSON.stringify(publicJwk(key))))
    .setProtectedHeader({ alg: 'HS256', kid: eab.keyId, url: newAccountUrl })
    .sign(Buffer.from(eab.macKey, 'base64url'));
}

/** §7.3.5: the new key says, signed with itself, which account it takes over from which key. */
export async function keyChangeStatement(
  keys: { readonly old: KeyObject; readonly next: KeyObject },
  accountUrl: string,
  keyChangeUrl: string,
): Promise<unknown> {
  const alg = algorithmOf(keys.next);
  if (alg === undefined) throw new Error('this kind of key cannot sign for ACME');
  const payload = { account: accountUrl, oldKey: publicJwk(keys.old) };
  return new FlattenedSign(bytes(JSON.stringify(payload)))
    .setProtectedHeader({ alg, jwk: publicJwk(keys.next), url: keyChangeUrl })
    .sign(keys.next);
}

/** What follows the token in an HTTP-01 answer. */
export function thumbprint(key: KeyObject): Promise<string> {
  return calculateJwkThumbprint(publicJwk(key));
}

function publicJwk(key: KeyObject) {
  const { kty = '', n, e, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  if (kty === 'RSA') return { kty, n: n ?? '', e: e ?? '' };
  return { kty, crv: crv ?? '', x: x ?? '', ...(kty === 'EC' && { y: y ?? '' }) };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
