// What a preflight asks for before there is any order, and what our responder answers to it. Only who knows the account that is about to order the host
// can ask, only a replica that knows the unfinished Order can answer, and no part of the answer repeats the question. Used by preflight.ts and serve/.

import { createHmac, timingSafeEqual } from 'node:crypto';

// No CA's token begins like this: they are random.
const prefix = 'certway-probe-';
const shape = /^certway-probe-([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{22})$/;

/** Stands in the path where a challenge's token would. `nonce` is 16 random bytes; `thumbprint` the account's (RFC 7638). */
export function probeToken(thumbprint: string, host: string, nonce: Buffer): string {
  const text = nonce.toString('base64url');
  return `${prefix}${text}${seal(thumbprint, 'ask', host, text)}`;
}

export function isProbe(token: string): boolean {
  return token.startsWith(prefix);
}

/** The body that a probe for the host is answered with, if the token was made for this account and host; in constant time. */
export function probeAnswer(thumbprint: string, host: string, token: string): string | undefined {
  const [, nonce = '', given = ''] = shape.exec(token) ?? [];
  const expected = seal(thumbprint, 'ask', host, nonce);
  const isAsked = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
  return isAsked ? `${prefix}${seal(thumbprint, 'answer', host, nonce)}` : undefined;
}

/** 128 bits in base64url. */
function seal(thumbprint: string, purpose: 'ask' | 'answer', host: string, nonce: string): string {
  const text = `certway probe\n${purpose}\n${host.toLowerCase()}\n${nonce}`;
  return createHmac('sha256', thumbprint).update(text).digest().subarray(0, 16).toString('base64url');
}
