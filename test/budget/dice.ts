// Seeded numbers and the asks that these specifications make of them. A failure prints its seed; BUDGET_SEED repeats it.

import type { Ask } from '../../src/budget/ask.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
export const born = Date.UTC(2026, 10, 21);

/** The seed of this run: another one each time, unless it is asked for. */
export const seed = Number(process.env.BUDGET_SEED ?? Date.now() % 1_000_000);

export interface Dice {
  /** In [0, 1). */
  next(): number;
  /** From 0 to below n. */
  below(n: number): number;
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32. */
export function dice(start: number): Dice {
  let state = start | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (n) => Math.floor(next() * n),
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick: (from) => {
      const picked = from[Math.floor(next() * from.length)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
  };
}

export function ask(parts: Partial<Ask> & Pick<Ask, 'id'>): Ask {
  return {
    account: 'https://ca.test/acct/1',
    identifiers: [`${parts.id}.test`],
    class: 'new',
    urgency: 'new',
    deadline: Number.POSITIVE_INFINITY,
    tenant: 'team-a',
    since: born,
    ...parts,
  };
}
