// One certificate of the simulated year, and what its CA suggests for it.

import type { LastCertificate } from '../../src/plan/renewal-class.ts';
import { day, hour } from './dice.ts';

export const profiles = { classic: 90 * day, tlsserver: 45 * day, shortlived: 160 * hour } as const;
export type Profile = keyof typeof profiles;

export interface Site {
  readonly name: string;
  readonly tenant: string;
  readonly profile: Profile;
  identifiers: readonly string[];
  leaf?: { readonly notBefore: number; readonly notAfter: number; readonly identifiers: readonly string[] };
  /** The CA wants it replaced at once. */
  isRecalled: boolean;
  asking?: { readonly id: string; readonly since: number };
  failures: number;
  /** Its DNS is broken until then. */
  deadUntil: number;
  /** What is to come; an older plan than this is void. */
  plan: number;
}

/** What Boulder suggests: two thirds of the life, half of a short one, a hundredth to either side; in the past for one that it recalls. */
export function windowOf(
  { isRecalled }: Site,
  { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number },
) {
  const life = notAfter - notBefore;
  if (isRecalled) return { start: notBefore, end: notBefore + hour };
  const middle = notBefore + (life < 10 * day ? life / 2 : (life * 2) / 3);
  return { start: middle - life / 100, end: middle + life / 100 };
}

export function isInWindow(site: Site, now: number): boolean {
  if (site.leaf === undefined) return false;
  const { start, end } = windowOf(site, site.leaf);
  return start <= now && now < end;
}

export function lastOf(site: Site): LastCertificate | undefined {
  const { leaf } = site;
  return leaf === undefined
    ? undefined
    : { ...leaf, standing: 'serving', issuer: 'same', window: windowOf(site, leaf) };
}
