// What to answer a challenge request for (host, token), from the Orders this replica knows. Called by live-answers.ts, first with the cache's
// view and then with a live one. Pure. The answer is public (RFC 8555 §8.1), but only for hosts that are being ordered.

import { timingSafeEqual } from 'node:crypto';
import { isProbe, probeAnswer } from '../solve/probe-token.ts';

/** An Order that is neither valid nor failed. */
export interface PendingOrder {
  /** HTTP-01 tokens for the host, as far as they are known yet. */
  readonly tokens: readonly string[];
  /** Of the account that ordered (RFC 7638). */
  readonly thumbprint: string;
}

export interface AnswerView {
  /** The unfinished Orders that name this host, in lower case. */
  readonly orders: (host: string) => readonly PendingOrder[];
}

/** The token's own Order decides; a preflight's probe is answered for the account that is about to order. */
export function answer(host: string, token: string, view: AnswerView): string | undefined {
  if (!isToken(token)) return undefined;
  const orders = view.orders(host);
  // Each one is looked at, so that the time taken says nothing about which one fits.
  const [own] = orders.filter((order) => order.tokens.filter((known) => sameText(known, token)).length > 0);
  if (own !== undefined) return `${token}.${own.thumbprint}`;
  if (!isProbe(token)) return undefined;
  const probed = orders.map(({ thumbprint }) => probeAnswer(thumbprint, host, token));
  return probed.find((each) => each !== undefined);
}

/** base64url, as RFC 8555 §8 demands; 128 is four times what CAs use. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(text);
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
