// When a certificate is renewed: as asked, spread a little so that certificates made together are not renewed together, and inside the
// windows of spec.renewal. Pure; called where a Certificate is observed, and its result is what status.renewalTime says.

import { createHash } from 'node:crypto';
import type { CertificateRenewal, RenewalWindow } from '../api/certmanager.ts';
import { parseGoDuration, type RenewalMoment, renewalMoment } from '../pki/renewal.ts';
import { type Cron, isTimeZone, nextTime, parseCron } from './renewal-cron.ts';

export interface RenewalInput {
  /** Of the certificate as issued, ms. */
  readonly leaf: { readonly notBefore: number; readonly notAfter: number };
  readonly renewBefore?: string | undefined;
  readonly renewBeforePercentage?: number | undefined;
  readonly renewal?: CertificateRenewal | undefined;
  /** When the CA that would sign the next one ends, epoch ms; where this process knows. */
  readonly signerEnd?: number | undefined;
  /** Decides the spread: the uid of the Certificate. */
  readonly seed: string;
}

export type Renewal =
  /** `noWindow`: no window opens in time, so it is renewed without one. */
  | { readonly kind: 'due'; readonly at: number; readonly why: RenewalMoment['why'] | 'window' | 'noWindow' }
  | { readonly kind: 'disabled' };

const hour = 3_600_000;
/** A certificate is not renewed sooner than this after its notBefore, which CAs set back by up to an hour. */
const leastLife = 2 * hour;
/** Nor sooner than this while its CA ends with it: the next one would end then too. */
const leastPause = 60_000;

/**
 * The moment at which the certificate is really renewed, in ms, whole seconds; status.renewalTime shows this one.
 *
 * The asked moment is cert-manager's (renewBefore, renewBeforePercentage, else two thirds of the life). It is brought forward by up to an
 * hour or a fiftieth of what remains of the life then, whichever is less: renewBefore means «at least». It is never so early that a long
 * renewBefore renews without a pause, nor that a CA at its end signs one after the other.
 *
 * Outside all windows it waits for the next to open. cert-manager waits even past the expiry when the next one opens soon after it, and
 * renews at the asked moment, as an error, when none does. Here a window must open early enough to repeat a failed attempt, or the asked
 * moment counts: an outage is worse than a renewal at the wrong time of day. A window that cannot be read counts as not there, for the
 * same reason; checkRenewal says so.
 */
export function renewAt(input: RenewalInput): Renewal {
  const { leaf, renewal, seed } = input;
  if (renewal?.policy === 'Disabled') return { kind: 'disabled' };
  const { notBefore, notAfter } = leaf;
  const asked = renewalMoment({ ...input, notBefore, notAfter });
  const floor = earliest(input);
  const spread = fraction(seed) * Math.min(hour, Math.max(0, notAfter - asked.at) / 50);
  const at = Math.max(asked.at - spread, floor);
  const due = (when: number, why: Extract<Renewal, { kind: 'due' }>['why']) =>
    ({ kind: 'due', at: Math.max(floor, Math.floor(when / 1000) * 1000), why }) as const;
  const windows = (renewal?.windows ?? []).flatMap((window) => readWindow(window) ?? []);
  if (windows.length === 0) return due(at, asked.why);
  const opened = opening(windows, at, Math.max(at, latest(leaf)));
  if (opened === undefined) return due(at, 'noWindow');
  if (opened.start <= at) return due(at, asked.why);
  // The herd that waits for a window does not rush through its door.
  return due(
    opened.start + fraction(seed) * Math.min(hour, opened.length / 2, (notAfter - opened.start) / 50),
    'window',
  );
}

/** Whole seconds, rounded up: rounded down, a life of seconds would be due when it begins. Never after the end. */
function earliest({ leaf: { notBefore, notAfter }, signerEnd }: RenewalInput): number {
  const gainsNothing = signerEnd !== undefined && signerEnd <= notAfter;
  const pause = Math.max(Math.min(leastLife, (notAfter - notBefore) / 3), gainsNothing ? leastPause : 0);
  return Math.min(notAfter, Math.ceil((notBefore + pause) / 1000) * 1000);
}

/** The last moment at which a window may open: an hour before the end, or the last twentieth of a short life. */
function latest({ notBefore, notAfter }: RenewalInput['leaf']): number {
  return notAfter - Math.min(hour, (notAfter - notBefore) / 20);
}

interface Window {
  readonly cron: Cron;
  readonly zone: string;
  /** Ms. */
  readonly length: number;
}

/** The window that is open at `at`, else the next to open, not after `until`. */
function opening(windows: readonly Window[], at: number, until: number) {
  const openings = windows.flatMap(({ cron, zone, length }) => {
    const start = nextTime(cron, zone, at - length, until);
    return start === undefined ? [] : [{ start, length }];
  });
  return openings.toSorted((a, b) => a.start - b.start)[0];
}

function readWindow({ cron, timezone, windowDuration }: RenewalWindow): Window | undefined {
  const parsed = parseCron(cron);
  const length = parseGoDuration(windowDuration);
  const zone = timezone === undefined || timezone === '' ? 'UTC' : timezone;
  if (parsed === undefined || length === undefined || length <= 0 || !isTimeZone(zone)) return undefined;
  return { cron: parsed, zone, length };
}

/** A sentence about the first part of spec.renewal that cannot be followed; it keeps nothing from being issued or renewed. */
export function checkRenewal(renewal: CertificateRenewal | undefined): string | undefined {
  const windows = renewal?.windows ?? [];
  if (renewal?.policy === 'Disabled' && windows.length > 0) {
    return 'spec.renewal.windows has no effect with policy Disabled: remove one of the two.';
  }
  for (const [at, { cron, timezone = '', windowDuration }] of windows.entries()) {
    const where = `spec.renewal.windows[${at}]`;
    if (parseCron(cron) === undefined) {
      return `${where}.cron ${quote(cron)} cannot be read; write minute, hour, day of month, month and day of week, as in "0 3 * * 1-5".`;
    }
    if (timezone !== '' && !isTimeZone(timezone)) {
      return `${where}.timezone ${quote(timezone)} is not known; use an IANA name such as Europe/Berlin, or leave it out for UTC.`;
    }
    if ((parseGoDuration(windowDuration) ?? 0) <= 0) {
      return `${where}.windowDuration ${quote(windowDuration)} is no duration above zero; write it as in "4h".`;
    }
  }
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** In [0, 1), evenly over seeds, the same for the same seed. */
function fraction(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32;
}
