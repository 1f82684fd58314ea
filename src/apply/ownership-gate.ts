// Opens and shuts the way to everything that issues, while the process runs. Made by main.ts; opened and shut as ownership.ts says.
// A shut gate drops keys, as waking them all is part of opening it. Each opening begins with reconcilers made anew: what they remembered of
// issuances under way is older than what another issuer may have done since.

import type { KubeObject } from '../api/meta.ts';
import { keyOf } from '../kube/store.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { issuerKey } from './issuer-of.ts';
import type { Stores } from './ports.ts';
import { type StampQueues, wakeStamps } from './stamp-wakes.ts';

type Reconcile = (key: string) => Promise<Outcome>;

export interface IssuanceGate {
  /** `make` is called once per opening, when the first key comes. */
  through(make: () => Reconcile): Reconcile;
  open(): void;
  shut(): void;
  /** Resolves when no reconcile that passed the gate runs any more. */
  idle(): Promise<void>;
}

export function issuanceGate(): IssuanceGate {
  let isOpen = false;
  let openings = 0;
  let running = 0;
  let waiting: (() => void)[] = [];
  const leave = () => {
    running -= 1;
    if (running > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  return {
    through: (make) => {
      let made: { readonly opening: number; readonly reconcile: Reconcile } | undefined;
      return async (key) => {
        if (!isOpen) return { kind: 'settled' };
        if (made?.opening !== openings) made = { opening: openings, reconcile: make() };
        running += 1;
        try {
          return await made.reconcile(key);
        } finally {
          leave();
        }
      };
    },
    open: () => {
      openings += 1;
      isOpen = true;
    },
    shut: () => {
      isOpen = false;
    },
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}

/** Puts everything that issuance is about into its queue, as a first list would. */
export function wakeIssuance(stores: Stores, queues: StampQueues): void {
  const listed = (key: string, object: KubeObject) => ({ kind: 'applied', key, object, origin: 'list' }) as const;
  for (const issuers of [stores.issuers, stores.clusterIssuers]) {
    for (const issuer of issuers.list()) queues.issuer(issuerKey(issuer), listed(issuerKey(issuer), issuer));
  }
  for (const certificate of stores.certificates.list()) {
    queues.certificate(keyOf(certificate), listed(keyOf(certificate), certificate));
  }
  for (const request of stores.requests.list()) queues.request(keyOf(request), listed(keyOf(request), request));
  wakeStamps(stores, queues);
}
