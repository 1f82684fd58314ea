// How long a provider may take to write TXT records: as long as its slowest kind, a webhook, is waited for. Called by prove.ts and order-cleanup.ts.

import { longestCallMs } from '../dns/webhook.ts';

/** For the removal of one record; ms. */
export const longestRemovalMs = longestCallMs;

const longestOfAllMs = 300_000;

/** For presenting an order's records, one after the other; ms. */
export function longestPresentMs(records: number): number {
  return Math.min(longestCallMs * Math.max(1, records), longestOfAllMs);
}
