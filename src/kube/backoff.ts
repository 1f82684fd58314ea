// How long to wait after the n-th failure in a row. Used by the reflector, the lease and the work queue.

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Doubles from `baseMs` to `maxMs`, then ±20 % jitter: enough to part a herd, too little to undo the growth. `failures` counts from 1. */
export function backoffMs(failures: number, backoff: Backoff, random: () => number): number {
  const plain = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(failures - 1, 40));
  return Math.round(plain * (0.8 + 0.4 * random()));
}
