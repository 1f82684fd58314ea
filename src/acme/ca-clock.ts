// What a CA's clock says, learned from the Date header of its replies (RFC 9110 §6.6.1): its limits are counted by it. Runs on the monotonic clock, so
// that setting this machine's clock changes nothing. Kept by transport.ts, one per endpoint.

import { type Headers, headerOf } from './http-reply.ts';
import { readDate } from './retry-after.ts';

export interface CaClock {
  /** Epoch ms; this machine's own time until a reply proves it wrong. */
  now(): number;
  /** A reply that came just now, `tookMs` after its request left. */
  learn(headers: Headers, tookMs: number): void;
}

/** `steady`: epoch ms that only ever grow. */
export function caClock(steady: () => number = () => performance.timeOrigin + performance.now()): CaClock {
  let aheadMs = 0;
  return {
    now: () => steady() + aheadMs,
    learn: (headers, tookMs) => {
      const date = readDate(headerOf(headers, 'date') ?? '');
      // What a cache has kept says when it was written, not what time it is.
      const isFresh = Number(headerOf(headers, 'age') ?? '0') === 0;
      if (date === undefined || !isFresh) return;
      const receivedAt = steady();
      // A Date has whole seconds, and was written at some moment of the exchange: what is known stays as long as it is possible.
      aheadMs = Math.min(date + 1000 - (receivedAt - tookMs), Math.max(date - receivedAt, aheadMs));
    },
  };
}
