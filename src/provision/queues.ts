// One work queue per kind of key of the infra half. Followers gather keys as the leader does, and begin to work on them when they become it.

import { type Outcome, WorkQueue } from '../queue/work-queue.ts';
import type { Logger } from '../report/logger.ts';
import type { Metrics } from '../report/metrics.ts';
import type { InfraWakes } from './ports.ts';

export type Reconcile = (key: string) => Promise<Outcome>;

const names = ['crds', 'legacy', 'infra', 'space', 'status'] as const;
export type QueueName = (typeof names)[number];

export interface InfraWorkOptions {
  readonly reconcilers: Readonly<Record<QueueName, Reconcile>>;
  /** Namespaces at once; of everything else there is one. */
  readonly workers: number;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'queueDepth' | 'reconcile'>;
}

export interface InfraWork extends AsyncDisposable {
  readonly wake: Omit<InfraWakes, 'spaces'>;
  /** Begins to work; until then keys only gather. */
  start(options: InfraWorkOptions): void;
}

/** The one key of every queue but that of namespaces. */
const whole = 'default';

export function makeInfraWork(): InfraWork {
  const gathered = new Map<QueueName, Set<string>>(names.map((name) => [name, new Set()]));
  const queues = new Map<QueueName, WorkQueue>();
  const add = (name: QueueName, key: string) => {
    const queue = queues.get(name);
    if (queue === undefined) gathered.get(name)?.add(key);
    else queue.add(key);
  };
  return {
    wake: {
      infra: () => add('infra', whole),
      crds: () => add('crds', whole),
      legacy: () => add('legacy', whole),
      status: () => add('status', whole),
      space: (namespace) => add('space', namespace),
    },
    start: (options) => {
      for (const name of names) {
        const queue = new WorkQueue({
          concurrency: name === 'space' ? options.workers : 1,
          run: timed(name, options),
          onError: (key, error) => options.log.error({ controller: name, key, err: error }, 'reconcile failed: a bug'),
        });
        queues.set(name, queue);
        options.metrics.queueDepth(name, () => queue.depth);
        for (const key of gathered.get(name) ?? []) queue.add(key, { priority: 'initial' });
        gathered.get(name)?.clear();
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...queues.values()].map((queue) => queue[Symbol.asyncDispose]()));
    },
  };
}

function timed(controller: QueueName, { reconcilers, log, metrics }: InfraWorkOptions): Reconcile {
  return async (key) => {
    const since = performance.now();
    const outcome = await reconcilers[controller](key);
    metrics.reconcile({ controller, outcome: outcome.kind, ms: performance.now() - since });
    if (outcome.kind === 'retry') log.debug({ controller, key, why: outcome.why }, 'again later');
    return outcome;
  };
}
