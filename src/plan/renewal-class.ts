// Where a request for a certificate stands before the CA: which exemption it has, and how much it matters that it comes soon. Pure; called by
// whoever makes an Ask of the budget.

import type { Ask, Class, Urgency } from '../budget/ask.ts';
import { canonicalIp } from '../pki/ip.ts';

/** What the CA suggests for a certificate (RFC 9773 §4.2), epoch ms; `end` is no longer inside. */
export interface SuggestedWindow {
  readonly start: number;
  readonly end: number;
}

/** The certificate whose place the asked one takes. */
export interface LastCertificate {
  /** Epoch ms. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Its DNS names and addresses, in any order. */
  readonly identifiers: readonly string[];
  /** `lost`: its Secret is gone or broken, so that nothing serves it. */
  readonly standing: 'serving' | 'lost';
  /** Whether the issuer that is asked now has issued it; `twin`: the same CA by another account. */
  readonly issuer: 'same' | 'twin' | 'other';
  /** As the CA has said it in this process. */
  readonly window?: SuggestedWindow | undefined;
}

export interface Need {
  readonly identifiers: readonly string[];
  /** When it was first asked for, epoch ms: the creation of the Order. */
  readonly since: number;
  /** Absent where these names had none before. */
  readonly last?: LastCertificate | undefined;
  /** Whether the Order names the certificate that it replaces (spec.replaces). */
  readonly replaces: 'named' | 'none';
}

const day = 86_400_000;
/** Let's Encrypt takes the exact same names within so long for a renewal. */
const renewalMemory = 120 * day;

/**
 * `ari`: exempt from every limit, which Boulder grants only while now lies inside the window. A window that is not known counts as closed: at
 * worst a unit is kept free that nobody needs. `renewal`: the exact same names within 120 days.
 */
export function classOf({ identifiers, last, replaces }: Need, now: number): Class {
  if (last === undefined || last.issuer === 'other') return 'new';
  if (last.issuer === 'same' && replaces === 'named' && isInside(last.window, now)) return 'ari';
  const isRecent = last.notBefore >= now - renewalMemory;
  return isRecent && covers(last, identifiers) && covers({ identifiers }, last.identifiers) ? 'renewal' : 'new';
}

/**
 * `urgent`: what was served is lost, ends within a day, or the CA wants it replaced at once. `window`: it is time, by the CA's window or because half of
 * the life is over, so that no renewal waits behind new names. `new`: a name that nothing serves yet. `routine`: replaced sooner than needed.
 */
export function urgencyOf({ identifiers, last }: Need, now: number): Urgency {
  if (last === undefined || !covers(last, identifiers)) return 'new';
  if (last.standing === 'lost' || isEnding(last, now) || isRecalled(last, now)) return 'urgent';
  const isOpen = last.window !== undefined && last.window.start <= now;
  return isOpen || now >= halfOf(last) ? 'window' : 'routine';
}

/** By when it should be there, epoch ms: what ends is needed by its end, what the CA recalls within a day, all else as soon as it was asked for. */
export function deadlineOf({ identifiers, last, since }: Need, now: number): number {
  if (last === undefined || !covers(last, identifiers)) return since + day;
  if (last.standing === 'lost') return Math.min(since, last.notAfter);
  const recalled = isRecalled(last, now) && last.window !== undefined ? last.window.end + day : last.notAfter;
  return Math.min(recalled, last.notAfter);
}

/** All three, as an Ask wants them. */
export function standingBefore(need: Need, now: number): Pick<Ask, 'class' | 'urgency' | 'deadline'> {
  return { class: classOf(need, now), urgency: urgencyOf(need, now), deadline: deadlineOf(need, now) };
}

export function isInside(window: SuggestedWindow | undefined, now: number): boolean {
  return window !== undefined && window.start <= now && now < window.end;
}

/** A window that is over before half of the life is: the CA has revoked the certificate, or is about to. */
function isRecalled(last: LastCertificate, now: number): boolean {
  const { window } = last;
  return window !== undefined && window.end <= now && window.end < halfOf(last);
}

function halfOf({ notBefore, notAfter }: LastCertificate): number {
  return notBefore + (notAfter - notBefore) / 2;
}

/** Whoever serves it has little time left. */
export function isEnding(life: Pick<LastCertificate, 'notBefore' | 'notAfter'>, now: number): boolean {
  return life.notAfter - now < closeTo(life);
}

/** A day before the end, or the last fifth of a life that is shorter than five days. */
function closeTo({ notBefore, notAfter }: Pick<LastCertificate, 'notBefore' | 'notAfter'>): number {
  return Math.min(day, (notAfter - notBefore) / 5);
}

/** Every one of `identifiers` is in it. */
function covers(last: Pick<LastCertificate, 'identifiers'>, identifiers: readonly string[]): boolean {
  const held = new Set(last.identifiers.map(spelt));
  return identifiers.every((each) => held.has(spelt(each)));
}

function spelt(identifier: string): string {
  return canonicalIp(identifier.toLowerCase());
}
