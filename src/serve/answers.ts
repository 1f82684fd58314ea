// What to answer a challenge request for (host, token), from the Orders this replica knows. Called by live-answers.ts, first with the cache's
// view and then with a live one. Pure. The answer is public (RFC 8555 §8.1), but only for hosts that are being ordered.

import { timingSafeEqual } from 'node:crypto';

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

/** The token's own Order decides; for a token not yet known, the one account that has an unfinished Order for the host. */
export function answer(host: string, token: string, view: AnswerView): string | undefined {
  if (!isToken(token)) return undefined;
  const orders = view.orders(host);
  const own = orders.find((order) => order.tokens.some((known) => sameText(known, token)));
  const accounts = new Set(orders.map((order) => order.thumbprint));
  const [only] = accounts;
  const thumbprint = own?.thumbprint ?? (accounts.size === 1 ? only : undefined);
  return thumbprint === undefined ? undefined : `${token}.${thumbprint}`;
}

/** base64url, as RFC 8555 §8 demands; 128 is four times what CAs use. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(text);
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
