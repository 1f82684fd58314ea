// One cell within one decision: what is taken, and what is promised to those that wait for something. Called by line.ts, which admits nobody
// who would break a promise.

import type { Limit } from './cell.ts';

export interface Promises {
  readonly rate: Limit;
  /** When those that wait may go, ascending; before `from` nobody else fits between them. */
  times: number[];
  from: number;
  /** The TAT when `times[from]` is due. */
  taken: number;
  /** The latest TAT at that point with which all later promises can be kept. */
  bound: number;
  /** The TAT after all of them. */
  end: number;
}

/** Most cells of a line have none: never written to. */
const none: number[] = [];

export function noPromises(rate: Limit, taken: number): Promises {
  return { rate, times: none, from: 0, taken, bound: Number.POSITIVE_INFINITY, end: taken };
}

/** The earliest moment at which one more unit fits and delays nobody. */
export function earliest(promises: Promises, now: number): number {
  const { rate, times } = promises;
  const room = (rate.burst - 1) * rate.emissionMs;
  for (;;) {
    const free = Math.max(now, promises.taken - room);
    const next = times[promises.from];
    if (next === undefined) return free;
    if (free <= next && Math.max(promises.taken, free) + rate.emissionMs <= promises.bound) return free;
    promises.taken = Math.max(promises.taken, next) + rate.emissionMs;
    promises.from += 1;
    promises.bound = boundFrom(promises, promises.from);
  }
}

/** One unit now. */
export function take(promises: Promises): void {
  promises.taken += promises.rate.emissionMs;
  promises.end += promises.rate.emissionMs;
}

/** One unit at `at`, or as soon after as the cell allows. */
export function promise(promises: Promises, at: number): void {
  if (promises.times === none) promises.times = [];
  const { rate, times } = promises;
  const last = times[times.length - 1];
  const room = (rate.burst - 1) * rate.emissionMs;
  if (last === undefined || at >= last) {
    const due = Math.max(at, promises.end - room);
    promises.bound = Math.min(promises.bound, due + room - (times.length - promises.from) * rate.emissionMs);
    times.push(due);
    promises.end = Math.max(promises.end, due) + rate.emissionMs;
    return;
  }
  const place = Math.max(promises.from, firstAfter(times, at));
  times.splice(place, 0, at);
  promises.end += rate.emissionMs;
  promises.bound = boundFrom(promises, promises.from);
}

function boundFrom({ rate, times }: Promises, from: number): number {
  const room = (rate.burst - 1) * rate.emissionMs;
  let bound = Number.POSITIVE_INFINITY;
  for (let at = from; at < times.length; at += 1) {
    bound = Math.min(bound, (times[at] ?? 0) + room - (at - from) * rate.emissionMs);
  }
  return bound;
}

function firstAfter(times: readonly number[], at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
