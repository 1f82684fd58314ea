// Bounds how many paths are looked at once, first looks before repeated ones, so that dead names never stand in the way of living ones.
// Made once in main.ts.

import PQueue from 'p-queue';
import type { OrderFact } from '../order/state.ts';
import type { Logger } from '../report/logger.ts';

/** Runs one look; `tried` counts the looks at the same path that failed before. Never rejects. */
export type Looks = (tried: number, work: (signal: AbortSignal) => Promise<OrderFact>) => Promise<OrderFact>;

const atOnce = 64;

export function looks({ signal, log }: { readonly signal: AbortSignal; readonly log: Logger }): Looks {
  const queue = new PQueue({ concurrency: atOnce });
  return (tried, work) =>
    queue.add(
      () =>
        work(signal).catch((error: unknown): OrderFact => {
          if (!signal.aborted) log.error({ err: error }, 'a look at a path failed: a bug');
          return { kind: 'unreachable', message: 'The path could not be looked at; see the log of the controller.' };
        }),
      { priority: -tried },
    );
}
