// What a CA's refusal says about its limits: which cell it names, and until when. Called by ledger.ts; pure, as all of budget/.

import type { CellUse } from './ask.ts';
import type { LimitName } from './limits.ts';

/** The part of a problem that concerns budgets. */
export interface ToldProblem {
  readonly status: number;
  /** The fragment of the link in the detail. */
  readonly limit?: string;
  /** Epoch ms. */
  readonly retryAt?: number;
  readonly pauseUrl?: string;
  /** Boulder quotes the domain or name that it counts; looked for where an order has several. */
  readonly detail?: string;
}

const fragments: ReadonlyMap<string, LimitName> = new Map([
  ['new-orders-per-account', 'newOrdersPerAccount'],
  ['new-certificates-per-registered-domain', 'certificatesPerDomain'],
  ['new-certificates-per-exact-set-of-identifiers', 'certificatesPerExactSet'],
  ['new-certificates-per-exact-set-of-hostnames', 'certificatesPerExactSet'],
  ['authorization-failures-per-identifier-per-account', 'failedAuthorizations'],
  ['authorization-failures-per-hostname-per-account', 'failedAuthorizations'],
  ['new-registrations-per-ip-address', 'newAccountsPerIp'],
  ['new-registrations-per-ipv6-range', 'newAccountsPerIp'],
]);

export function limitOfFragment(fragment: string | undefined): LimitName | undefined {
  return fragment === undefined ? undefined : fragments.get(fragment);
}

/**
 * The one cell that a refusal means, among those of the ask that got it. Undefined where it could be several: a tenant's order that also
 * names another's domain must not hold that domain.
 */
export function namedUse(uses: readonly CellUse[], limit: LimitName, detail: string | undefined): CellUse | undefined {
  const possible = uses.filter((use) => use.limit === limit && use.checked);
  if (possible.length < 2) return possible[0];
  const quoted = [...(detail ?? '').slice(0, 4096).matchAll(/"([^"\s]{1,255})"/g)].map(([, text = '']) =>
    text.toLowerCase(),
  );
  const meant = possible.filter(({ subject }) => quoted.includes(subject.slice(subject.indexOf(' ') + 1)));
  return meant.length === 1 ? meant[0] : undefined;
}
