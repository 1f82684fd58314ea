// What people are told of an order that waits in Certway's own line: which limit, whose it is, and until about when. Called by apply/budgets.ts and
// apply/budget-recall.ts.

import type { LineWait } from '../budget/line.ts';
import { rehearsalMark } from '../order/rehearsal.ts';
import type { Wait } from '../order/state.ts';
import { pauseWords, untilAPersonActs } from '../order/wait.ts';
import { timestamp } from './conditions.ts';

export interface Told {
  readonly reason: string;
  readonly message: string;
  /** Epoch ms, on the clock of `now`. */
  readonly until: number;
}

/** Looked at again then where no time ends the wait: whatever ends it wakes the order. */
const meanwhileMs = 600_000;
/** What is over sooner need not be told; ms. */
const soonMs = 4_000;

/** `until` in `wait` is on the clock of `now` already; the order has waited since `since` (epoch ms). */
export function lineWords(wait: LineWait, since: number, now: number): Told {
  const { limit, subject, until = now + meanwhileMs, url = '' } = wait;
  const then = `about ${timestamp(until)}`;
  switch (limit) {
    case 'paused':
      return { reason: 'CAPaused', message: pauseWords(url), until: now + untilAPersonActs };
    case 'equalNeed': {
      const message = 'Another order for the same names is under way; this one follows it.';
      return { reason: 'EqualOrder', message, until: now - since < soonMs ? now + soonMs : now + meanwhileMs };
    }
    case 'accountHeld':
      return { reason: 'RateLimited', message: `The CA has asked account ${subject} to wait until ${then}.`, until };
    case 'directoryHeld':
      return { reason: 'RateLimited', message: `The CA has asked everybody to wait until ${then}.`, until };
    default: {
      const message = `The CA's limit ${limit} for ${subject} leaves no room; it is this order's turn at ${then}.`;
      return { reason: 'RateLimited', message, until };
    }
  }
}

/** An estimate that has moved a little is not worth a write: what was told stays until its time has come. */
export function retold(last: Wait | undefined, told: Told, now: number): Told {
  if (last === undefined || last.until <= now || about(last) !== about(told)) return told;
  const slack = Math.max(60_000, (told.until - now) / 4);
  return Math.abs(last.until - told.until) > slack ? told : last;
}

/** All but the time, and before which CA it stands. */
function about({ reason, message: told }: Pick<Wait, 'reason' | 'message'>): string {
  const message = told.startsWith(rehearsalMark) ? told.slice(told.indexOf(': ') + 2) : told;
  return `${reason} ${message.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '')}`;
}
