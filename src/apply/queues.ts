// One work queue per kind of key. Followers collect keys like the leader does and begin to work on them when they become it.

import type { KubeObject } from '../api/meta.ts';
import type { Change } from '../kube/store.ts';
import { type Outcome, WorkQueue } from '../queue/work-queue.ts';
import type { Logger } from '../report/logger.ts';
import type { Metrics } from '../report/metrics.ts';
import type { StampQueues } from './stamp-wakes.ts';
import type { TenantQueues } from './tenant-wakes.ts';

type Reconcile = (key: string) => Promise<Outcome>;

export interface WorkOptions {
  readonly gateway: Reconcile;
  readonly certificate: Reconcile;
  readonly issuer: Reconcile;
  readonly request: Reconcile;
  readonly cleanup: Reconcile;
  readonly stamp: Reconcile;
  readonly tenant: Reconcile;
  readonly renewalInfo: Reconcile;
  readonly workers: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Work extends StampQueues, TenantQueues {
  /** Certificates whose CA is to be asked when it would like to renew them. */
  renewalInfo(key: string): void;
  /** Begins to work; until then keys only gather. */
  start(options: WorkOptions): void;
  [Symbol.asyncDispose](): Promise<void>;
}

const names = ['gateway', 'certificate', 'issuer', 'request', 'cleanup', 'stamp', 'tenant', 'renewalInfo'] as const;
type Name = (typeof names)[number];

/** Queues that gather keys from the first watch event on and hand them out once `start` is called. */
export function makeWork(): Work {
  const gathered: Record<Name, Set<string>> = {
    gateway: new Set(),
    certificate: new Set(),
    issuer: new Set(),
    request: new Set(),
    cleanup: new Set(),
    stamp: new Set(),
    tenant: new Set(),
    renewalInfo: new Set(),
  };
  const queues = new Map<Name, WorkQueue>();
  const add = (name: Name) => (key: string, change?: Change<KubeObject>) => {
    const priority = change?.origin === 'list' ? 'initial' : 'live';
    const queue = queues.get(name);
    if (queue === undefined) gathered[name].add(key);
    else queue.add(key, { priority });
  };
  return {
    gateway: add('gateway'),
    certificate: add('certificate'),
    issuer: add('issuer'),
    request: add('request'),
    cleanup: add('cleanup'),
    stamp: add('stamp'),
    tenant: add('tenant'),
    renewalInfo: add('renewalInfo'),
    start: (options) => {
      // Issuers first: most Certificates would only find that theirs is not ready yet.
      for (const name of [
        'tenant',
        'issuer',
        'stamp',
        'gateway',
        'certificate',
        'request',
        'cleanup',
        'renewalInfo',
      ] as const) {
        const queue = new WorkQueue({
          // Questions about renewals may wait: what is being issued goes to the same CA.
          concurrency: name === 'renewalInfo' ? Math.min(4, options.workers) : options.workers,
          run: timed(name, options),
          onError: (key, error) => options.log.error({ controller: name, key, err: error }, 'reconcile failed: a bug'),
        });
        queues.set(name, queue);
        options.metrics.queueDepth(name, () => queue.depth);
        for (const key of gathered[name]) queue.add(key, { priority: 'initial' });
        gathered[name].clear();
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...queues.values()].map((queue) => queue[Symbol.asyncDispose]()));
    },
  };
}

function timed(controller: Name, options: WorkOptions): Reconcile {
  return async (key) => {
    const since = performance.now();
    const outcome = await options[controller](key);
    options.metrics.reconcile({ controller, outcome: outcome.kind, ms: performance.now() - since });
    if (outcome.kind === 'retry') options.log.debug({ controller, key, why: outcome.why }, 'again later');
    return outcome;
  };
}
