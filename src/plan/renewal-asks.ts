// When a CA is asked for renewal information (RFC 9773 §4.3): never by everybody at once, never sooner than it said, and early enough for the short
// windows of short lives. Pure; called by apply/renewal-info*.ts.

import { fraction, type Life } from './renewal-spread.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** What is asked for the first time in this process. */
export interface FirstAsk {
  readonly certId: string;
  readonly life: Life;
  /** When it would be renewed without an answer, epoch ms. */
  readonly due: number;
  /** Whether an earlier process has decided that: then there is no hurry. */
  readonly decided: 'before' | 'now';
}

/** CAs set notBefore back by up to an hour. */
const young = 2 * hour;
const leastPause = 5 * minute;

/**
 * At once for one that has just been issued, since those come as the line lets them, and for one that is due. After a start the others are spread over
 * six hours, half of the time until they are due, or a hundredth of their life: half of the window that Boulder gives it.
 */
export function firstAskAt({ certId, life, due, decided }: FirstAsk, now: number): number {
  if (due <= now || (decided === 'now' && now - life.notBefore < young)) return now;
  const most = Math.min(longestSpread(life), (due - now) / 2);
  const least = Math.min(leastPause, most);
  return now + least + fraction(`first ${certId}`) * (most - least);
}

/** 160 hours: 1.6 hours; 90 days: six hours. */
function longestSpread({ notBefore, notAfter }: Life): number {
  return Math.min(6 * hour, (notAfter - notBefore) / 100);
}

/** The CA's own moment, or up to a tenth later so that those who were asked together do not stay together; between a minute and a day away. */
export function nextAskAt(certId: string, askAgainAt: number, now: number): number {
  const wait = Math.min(day, Math.max(minute, askAgainAt - now));
  return now + Math.min(day, wait * (1 + fraction(`next ${certId} ${askAgainAt}`) / 10));
}

/** A CA without renewal information may have it one day. */
export function nextLookAt(certId: string, now: number): number {
  return now + day * (1 - fraction(`look ${certId}`) / 10);
}

/** After so many failures in a row, epoch ms; what the CA said of the moment counts where it is later, up to a day. */
export function askAfterFailure(
  failed: {
    readonly certId: string;
    readonly life: Life;
    readonly failures: number;
    readonly retryAt?: number | undefined;
  },
  now: number,
): number {
  const { certId, life, failures, retryAt = 0 } = failed;
  const own = Math.min(longestSpread(life), minute * 2 ** Math.min(failures - 1, 10));
  const wait = Math.max(own, Math.min(day, retryAt - now));
  return now + wait * (1 + fraction(`again ${certId} ${failures}`) / 5);
}

/** How long all questions to a CA that does not answer are put off, ms: a minute, doubled up to an hour. */
export function silenceOf(failures: number): number {
  return Math.min(hour, minute * 2 ** Math.min(failures - 1, 10));
}

/** Those that were put off together come back over ten minutes. */
export function afterSilence(certId: string, until: number): number {
  return until + fraction(`silence ${certId}`) * 10 * minute;
}
