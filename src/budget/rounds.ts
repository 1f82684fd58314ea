// Fairness between tenants: deficit round-robin, where every order costs one turn and every tenant is owed as many. Called by line.ts.

import type { Ask } from './ask.ts';

/** Who had how many turns lately; handed from decision to decision, and forgotten with the process. */
export interface Rounds {
  /** By tenant, as they stood at `at`. */
  readonly turns: ReadonlyMap<string, number>;
  readonly at: number;
  /** Who was served last. */
  readonly last: string;
}

export const noRounds: Rounds = { turns: new Map(), at: 0, last: '' };

/**
 * Half of what somebody had is forgotten after so long. Something must be remembered: who comes first, and alone, takes what the CA had saved
 * up for all. Not for ever: the CA has saved up again since.
 */
const halfLife = 10 * 60_000;
/** Whoever comes late, or could not use his turns, is owed this many at most: he does not come like an avalanche. */
const mostOwed = 16;

/** The asks in the order of their turns; `asks` are in their tenants' own order. */
export function inTurns(asks: readonly Ask[], rounds: Rounds, now: number): readonly Ask[] {
  const had = turnsAt(rounds, now);
  const least = Math.max(0, mostOf(had) - mostOwed);
  const placed = asks.map((ask) => {
    const turn = Math.max(least, had.get(ask.tenant) ?? 0);
    had.set(ask.tenant, turn + 1);
    return { ask, turn, isPast: ask.tenant <= rounds.last };
  });
  placed.sort((a, b) => a.turn - b.turn || Number(a.isPast) - Number(b.isPast) || compare(a.ask.tenant, b.ask.tenant));
  return placed.map(({ ask }) => ask);
}

/** The turns after these were served. */
export function afterTurns(rounds: Rounds, served: readonly Ask[], now: number): Rounds {
  if (served.length === 0) return rounds;
  const turns = turnsAt(rounds, now);
  const least = Math.max(0, mostOf(turns) - mostOwed);
  for (const { tenant } of served) turns.set(tenant, Math.max(least, turns.get(tenant) ?? 0) + 1);
  for (const [tenant, each] of turns) if (each < 0.1) turns.delete(tenant);
  return { turns, at: now, last: served.at(-1)?.tenant ?? rounds.last };
}

function turnsAt({ turns, at }: Rounds, now: number): Map<string, number> {
  const kept = 0.5 ** (Math.max(0, now - at) / halfLife);
  return new Map([...turns].map(([tenant, each]) => [tenant, each * kept]));
}

function mostOf(turns: ReadonlyMap<string, number>): number {
  return turns.values().reduce((most, each) => Math.max(most, each), 0);
}

/** Ascending. */
export function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : Number(a > b);
}
