// How long an order waits, and the sentence that says for what. Pure; called by step.ts and problem.ts.

import { annotations } from '../api/names.ts';
import type { CaProblem } from './ca.ts';
import type { Wait } from './state.ts';

const hour = 3_600_000;

/** What has been counted so far. */
export type Counted = Pick<Wait, 'attempts'> | undefined;

export function waitFor(last: Counted, reason: string, message: string, until: number): Wait {
  return { until, reason, message, attempts: (last?.attempts ?? 0) + 1 };
}

/** Epoch ms: half a second at first, five minutes at most. */
export function backOff(last: Counted, now: number): number {
  return now + Math.min(300_000, 500 * 2 ** Math.min(last?.attempts ?? 0, 10));
}

/** A place in Certway's own line: what the CA has refused before is still counted, the line itself is no failure. */
export function inLine(
  last: Wait | undefined,
  { reason, message, until }: Pick<Wait, 'reason' | 'message' | 'until'>,
): Wait {
  return { until, reason, message, attempts: last?.attempts ?? 0, inLine: true };
}

/** Longer than any certificate lives, ms. */
export const untilAPersonActs = 100 * 365.25 * 24 * hour;

/**
 * A minute where the CA does not say, as everybody of the account then waits, and longer each time. A pause has no end of its own: somebody has to visit the page and say so here
 * (certway.dev/unpause on the issuer); nothing is asked of the CA before.
 */
export function slowDown(last: Counted, problem: CaProblem & { kind: 'rateLimited' }, now: number): Wait {
  const { detail, pauseUrl, retryAt = now + Math.min(hour, 60_000 * 2 ** Math.min(last?.attempts ?? 0, 10)) } = problem;
  if (pauseUrl === undefined) return waitFor(last, 'RateLimited', detail, retryAt);
  return waitFor(last, 'CAPaused', pauseWords(pauseUrl), now + untilAPersonActs);
}

/** What has to be done about a pause, and where. */
export function pauseWords(url: string): string {
  const word = `gives the issuer's annotation ${annotations.unpause} a new value`;
  return `The CA issues nothing for these names until somebody ends its pause at ${url} and then ${word}, or deletes the Order.`;
}

/** The next look at something the CA is working on: its own Retry-After up to an hour, else a growing interval. */
export function pause(retryAt: number | undefined, polls: number, now: number): Wait {
  const asked = Math.min(retryAt ?? 0, now + hour);
  const until = Math.max(asked, now + Math.min(5_000, 100 * 2 ** Math.min(polls, 6)));
  return { until, reason: 'Processing', message: 'The CA is working on it.', attempts: 0 };
}

/** Half a second doubling to five minutes: more than an hour for a CA that is slow, and an end with one that runs in a circle. */
export const mostCircles = 20;

/** The wait before turn number `circles` of an order that makes no progress. */
export function circling(circles: number, retryAt: number | undefined, now: number): Wait {
  const asked = Math.min(retryAt ?? 0, now + hour);
  const until = Math.max(asked, now + Math.min(300_000, 500 * 2 ** Math.min(circles - 1, 12)));
  const message = 'Every name is proven; the CA does not call the order ready yet.';
  return { until, reason: 'Processing', message, attempts: circles };
}
