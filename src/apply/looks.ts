// Takes turns at looking at paths: namespaces one after the other, first looks before repeated ones, so that dead names never stand in the way of
// living ones. Made once in main.ts.

import type { OrderFact } from '../order/state.ts';
import type { Logger } from '../report/logger.ts';
import { checkSlots } from '../solve/check-slots.ts';

export interface LookWish {
  readonly namespace: string;
  /** Looks at the same path in a row that failed before. */
  readonly tried: number;
  readonly work: (signal: AbortSignal) => Promise<OrderFact>;
}

/** Runs one look when it is its turn. Never rejects. */
export type Looks = (wish: LookWish) => Promise<OrderFact>;

export function looks({ signal, log }: { readonly signal: AbortSignal; readonly log: Logger }): Looks {
  const slots = checkSlots();
  const off: OrderFact = { kind: 'unreachable', message: 'The look at the path was called off.' };
  return async ({ namespace, tried, work }) => {
    using slot = await slots.enter(namespace, tried, signal);
    if (slot === undefined) return off;
    try {
      return await work(signal);
    } catch (error) {
      if (signal.aborted) return off;
      log.error({ err: error }, 'a look at a path failed: a bug');
      return { kind: 'unreachable', message: 'The path could not be looked at; see the log of the controller.' };
    }
  };
}
