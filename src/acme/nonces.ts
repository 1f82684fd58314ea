// The anti-replay nonces of one directory (RFC 8555 §6.5): collected from every reply, spent newest first, so that a new one is asked for
// only when none is left. Kept by transport.ts.

import { type Headers, headerOf } from './http-reply.ts';

// CAs forget nonces: Boulder keeps the last ones per front end, and an old one costs a refused request.
const freshMs = 5 * 60_000;
const most = 64;

export interface Nonces {
  take(now: number): string | undefined;
  put(nonce: string | undefined, now: number): void;
}

export function nonces(): Nonces {
  let held: { readonly nonce: string; readonly at: number }[] = [];
  return {
    take: (now) => {
      const newest = held.pop();
      if (newest !== undefined && now - newest.at < freshMs) return newest.nonce;
      held = [];
      return undefined;
    },
    put: (nonce, now) => {
      if (nonce === undefined) return;
      held.push({ nonce, at: now });
      if (held.length > most) held.shift();
    },
  };
}

/** §6.5.1: a value that is not base64url is ignored. */
export function nonceOf(headers: Headers): string | undefined {
  const value = headerOf(headers, 'replay-nonce') ?? '';
  return /^[A-Za-z0-9_-]{1,512}$/.test(value) ? value : undefined;
}
