// Faults at random, the same for the same seed: the verdict on the nth request of an edge depends on nothing else. Called by faults.test.ts.

import { createHash } from 'node:crypto';
import { badNonce, broken, rateLimited, unavailable } from '../rig/proxy/acme-fault.ts';
import { spoils } from '../rig/proxy/acme-spoils.ts';
import { type AtEdge, cut, forward, type Script, type Verdict } from '../rig/proxy/verdict.ts';

const limit = 'new-orders-per-account';

/** Short waits only: what an hour does to an order is no matter of chance. */
const faults: readonly (() => Verdict)[] = [
  ...spoils.map(
    ([, verdict]) =>
      () =>
        verdict,
  ),
  () => rateLimited(limit, 1, Date.now()),
  () => rateLimited(limit, 2, Date.now(), 'date'),
  () => unavailable(1),
  () => unavailable(2, Date.now(), 'date'),
  () => unavailable(1, Date.now(), 'unsaid'),
  broken,
  () => cut,
  () => ({ kind: 'delay', ms: 300 }),
  badNonce,
];

export interface Mixture {
  readonly script: Script<AtEdge>;
  /** Requests that met a fault. */
  readonly injected: () => number;
  /** Those of them by which an order was made, and its maker did not learn of it. */
  readonly lostOrders: () => number;
}

/** Every eighth request meets a fault, on the average; of those that look through the account's orders, of which a look needs many, every thirtieth. */
export function mixture(seed: number): Mixture {
  const lost = new Set<Verdict>(spoils.map(([, verdict]) => verdict));
  let injected = 0;
  let lostOrders = 0;
  return {
    injected: () => injected,
    lostOrders: () => lostOrders,
    script: ({ edge, nth }) => {
      const dice = createHash('sha256').update(`${seed} ${edge} ${nth}`).digest();
      const verdict = faults[dice.readUInt16BE(2) % faults.length]?.();
      const one = edge === 'read account' || edge === 'read orders' ? 30 : 8;
      if (dice.readUInt16BE(0) >= 0x10000 / one || verdict === undefined) return forward;
      injected += 1;
      if (edge === 'newOrder' && lost.has(verdict)) lostOrders += 1;
      return verdict;
    },
  };
}
