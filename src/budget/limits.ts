// Which limits a CA keeps: the one place that knows Let's Encrypt's numbers. Called by apply/, which adds what the user wrote
// (limits-config.ts), and by ask.ts, which looks rates up.

import type { Limit } from './cell.ts';

export const limitNames = [
  'newOrdersPerAccount',
  'certificatesPerDomain',
  'certificatesPerExactSet',
  'failedAuthorizations',
  'newAccountsPerIp',
] as const;

export type LimitName = (typeof limitNames)[number];

/** Another rate for one registered domain, exact set or account URL. */
export interface Override {
  readonly limit: LimitName;
  readonly subject: string;
  readonly rate: Limit;
}

/** A limit that is not listed does not bind: the CA is believed when it refuses. */
export interface Limits {
  readonly limits: Readonly<Partial<Record<LimitName, Limit>>>;
  readonly overrides: readonly Override[];
}

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

/** `count` units per `period` ms, all of them at once where none was taken. */
export function per(count: number, period: number): Limit {
  return { burst: count, emissionMs: period / count };
}

/** Its page of rate limits, 2026-08-05, and Boulder's source. */
const production: Limits['limits'] = {
  newOrdersPerAccount: per(300, 3 * hour),
  certificatesPerDomain: per(50, 7 * day),
  certificatesPerExactSet: per(5, 7 * day),
  failedAuthorizations: per(5, hour),
  newAccountsPerIp: per(10, 3 * hour),
};

const staging: Limits['limits'] = {
  newOrdersPerAccount: per(1500, 3 * hour),
  certificatesPerDomain: per(30_000, second),
  certificatesPerExactSet: per(30_000, 7 * day),
  failedAuthorizations: per(200, hour),
  newAccountsPerIp: per(50, 3 * hour),
};

const tables: ReadonlyMap<string, Limits['limits']> = new Map([
  ['acme-v02.api.letsencrypt.org', production],
  ['acme-staging-v02.api.letsencrypt.org', staging],
]);

export const noLimits: Limits = { limits: {}, overrides: [] };

/** The limits that the CA publishes; none for a CA that is not known here. */
export function knownLimits(directoryUrl: string): Limits {
  const host = URL.canParse(directoryUrl) ? new URL(directoryUrl).hostname : '';
  const limits = tables.get(host);
  return limits === undefined ? noLimits : { limits, overrides: [] };
}

/** The rate of one cell: its own, else that of the account before the space of its subject, else the CA's; undefined where nothing binds. */
export function rateOf(limits: Limits, limit: LimitName, subject: string): Limit | undefined {
  const space = subject.indexOf(' ');
  const account = space < 0 ? undefined : subject.slice(0, space);
  const own = overrideOf(limits, limit, subject);
  return own ?? (account === undefined ? undefined : overrideOf(limits, limit, account)) ?? limits.limits[limit];
}

/** The last of those that were written for it. */
export function overrideOf({ overrides }: Limits, limit: LimitName, subject: string): Limit | undefined {
  return overrides.findLast((each) => each.limit === limit && each.subject === subject)?.rate;
}
