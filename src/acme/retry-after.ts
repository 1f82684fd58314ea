// When the CA wants to be asked again (RFC 9110 §10.2.3), on our own clock. Called for problems and for successes alike (RFC 8555 §6.6, §7.4, §7.5.1).

import { type Headers, headerOf } from './http-reply.ts';

const longestMs = 30 * 86_400_000;

/**
 * Epoch ms; undefined without a readable Retry-After. A date is taken relative to the reply's own Date, so that a skewed clock, ours or
 * theirs, does not turn a minute into an hour. Never before `now`, never more than 30 days after it.
 */
export function retryAt(headers: Headers, now: number): number | undefined {
  const value = headerOf(headers, 'retry-after')?.trim() ?? '';
  const wait = /^\d{1,10}$/.test(value) ? Number(value) * 1000 : untilDate(value, headerOf(headers, 'date'), now);
  return wait === undefined ? undefined : now + Math.min(longestMs, Math.max(0, wait));
}

function untilDate(value: string, date: string | undefined, now: number): number | undefined {
  const at = readDate(value);
  return at === undefined ? undefined : at - (readDate(date ?? '') ?? now);
}

/** An HTTP-date in the only format that is still sent, IMF-fixdate: `Sat, 21 Nov 2026 10:00:00 GMT`. */
export function readDate(value: string): number | undefined {
  const time = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(value)
    ? Date.parse(value)
    : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
