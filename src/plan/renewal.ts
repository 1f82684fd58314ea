// When a certificate is renewed: as asked or as its CA suggests, spread so that certificates made together are not renewed together, and inside
// the windows of spec.renewal. Pure; called where a Certificate is observed, and its result is what status.renewalTime says.

import type { CertificateRenewal, RenewalWindow } from '../api/certmanager.ts';
import { parseGoDuration, type RenewalMoment, renewalMoment } from '../pki/renewal.ts';
import { type Cron, isTimeZone, nextTime, parseCron } from './renewal-cron.ts';
import type { Suggested } from './renewal-info.ts';
import { emergencyAt, fraction, mostEarly } from './renewal-spread.ts';

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
  /** Whether two thirds of the life are spread over an hour or, where a CA with limits is asked, over a fiftieth of it. */
  readonly width?: 'narrow' | 'wide' | undefined;
  /** What the CA suggests (RFC 9773), where it has been heard. */
  readonly suggested?: Suggested | undefined;
  /** What was decided for this certificate and this spec before a restart; it holds until the CA is heard again. */
  readonly remembered?: number | undefined;
}

export type Renewal =
  /** `noWindow`: no window opens in time, so it is renewed without one. */
  | {
      readonly kind: 'due';
      readonly at: number;
      readonly why: RenewalMoment['why'] | 'window' | 'noWindow' | 'suggested' | 'remembered';
    }
  | { readonly kind: 'disabled' };

const hour = 3_600_000;
/** A certificate is not renewed sooner than this after its notBefore, which CAs set back by up to an hour. */
const leastLife = 2 * hour;
/** Nor sooner than this while its CA ends with it: the next one would end then too. */
const leastPause = 60_000;

type Due = Extract<Renewal, { kind: 'due' }>;

/**
 * The moment at which the certificate is really renewed, in ms, whole seconds; status.renewalTime shows this one.
 *
 * The asked moment is cert-manager's (renewBefore, renewBeforePercentage, else two thirds of the life), brought forward a little: renewBefore
 * means «at least». It is never so early that a long renewBefore renews without a pause, nor that a CA at its end signs one after the other.
 *
 * What the CA suggests takes the place of the two thirds. Of it and a moment that the user asked for, the earlier counts: a CA can bring a renewal
 * forward, but put off none that was asked for, nor any into the last twentieth of the life. A window that is over when it is heard of means at
 * once, whatever spec.renewal.windows say: the certificate is revoked, or about to be.
 *
 * Outside all windows of spec.renewal it waits for the next to open, if it can for one that opens while the CA's is open too. cert-manager waits
 * even past the expiry when the next one opens soon after it, and renews at the asked moment, as an error, when none does. Here a window must
 * open early enough to repeat a failed attempt, or the asked moment counts: an outage is worse than a renewal at the wrong time of day. A window
 * that cannot be read counts as not there, for the same reason; checkRenewal says so.
 */
export function renewAt(input: RenewalInput): Renewal {
  const { renewal, suggested, remembered, leaf, seed } = input;
  if (renewal?.policy === 'Disabled') return { kind: 'disabled' };
  if (suggested === undefined && remembered !== undefined) {
    return { kind: 'due', at: wholeSeconds(Math.min(remembered, emergencyAt(leaf, seed))), why: 'remembered' };
  }
  const planned = insideWindows(input, wishOf(input));
  if (suggested?.kind !== 'over') return planned;
  const at = wholeSeconds(Math.max(suggested.moment, suggested.soonest, leaf.notBefore));
  return planned.at <= at ? planned : { kind: 'due', at, why: 'suggested' };
}

/** Before the windows of spec.renewal are looked at. */
type Wish = Pick<Due, 'why'> & { readonly at: number; readonly within?: Suggested['window'] };

function wishOf(input: RenewalInput): Wish {
  const { leaf, seed, suggested, width = 'narrow' } = input;
  const asked = renewalMoment({ ...input, ...leaf });
  const isAsked = asked.why !== 'twoThirds';
  const early = fraction(seed) * mostEarly(leaf, leaf.notAfter - asked.at, isAsked ? 'narrow' : width);
  const own = { at: asked.at - early, why: asked.why };
  if (suggested?.kind !== 'coming') return own;
  const at = Math.min(Math.max(suggested.moment, suggested.soonest), emergencyAt(leaf, seed));
  return isAsked && own.at <= at ? own : { at, why: 'suggested', within: suggested.window };
}

function insideWindows(input: RenewalInput, { at: wished, why, within }: Wish): Due {
  const { leaf, renewal, seed } = input;
  const floor = earliest(input);
  const at = Math.max(wished, floor);
  const due = (when: number, because: Due['why']) =>
    ({ kind: 'due', at: Math.max(floor, wholeSeconds(when)), why: because }) as const;
  const windows = (renewal?.windows ?? []).flatMap((window) => readWindow(window) ?? []);
  if (windows.length === 0) return due(at, why);
  const opened = opening(windows, at, Math.max(at, latest(leaf)));
  const sooner =
    within === undefined ? undefined : openingWithin(windows, within, Math.max(within.start, floor), opened);
  if (opened === undefined && sooner === undefined) return due(at, 'noWindow');
  if (opened !== undefined && opened.start <= at) return due(at, why);
  const { start, length } = sooner ?? opened ?? { start: at, length: 0 };
  // The herd that waits for a window does not rush through its door.
  return due(start + fraction(seed) * Math.min(hour, length / 2, (leaf.notAfter - start) / 50), 'window');
}

/** An opening while the CA's window is open too, where the next one after the chosen moment comes only later. */
function openingWithin(
  windows: readonly Window[],
  within: Suggested['window'],
  from: number,
  next: { readonly start: number } | undefined,
) {
  if (next !== undefined && next.start < within.end) return undefined;
  const found = opening(windows, from, within.end - 1);
  if (found === undefined) return undefined;
  const start = Math.max(found.start, from);
  return { start, length: Math.min(found.start + found.length, within.end) - start };
}

function wholeSeconds(at: number): number {
  return Math.floor(at / 1000) * 1000;
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
