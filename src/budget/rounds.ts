// Fairness between tenants: deficit round-robin, where every order costs one turn and every tenant is owed as many. Called by line.ts, for what is urgent and
// for new names apart: a turn in one line is none in the other.

/** Who had how many turns lately; handed from decision to decision, and forgotten with the process. */
export interface Rounds {
  readonly urgent: Round;
  readonly new: Round;
}

export interface Round {
  /** By tenant, as they stood at `at`. */
  readonly turns: ReadonlyMap<string, number>;
  readonly at: number;
  /** Who was served last. */
  readonly last: string;
}

export const noRound: Round = { turns: new Map(), at: 0, last: '' };
export const noRounds: Rounds = { urgent: noRound, new: noRound };

/**
 * Half of what somebody had is forgotten after so long. Something must be remembered: who comes first, and alone, takes what the CA had saved
 * up for all. Not for ever: the CA has saved up again since.
 */
const halfLife = 10 * 60_000;
/** Whoever comes late, or could not use his turns, is owed this many at most: he does not come like an avalanche. */
const mostOwed = 16;

interface Tenanted {
  readonly tenant: string;
}

interface Placed<T> {
  readonly ask: T;
  readonly turn: number;
  readonly isPast: boolean;
}

/** The asks in the order of their turns; `asks` are in their tenants' own order. Among tenants whose turn it is the next one by name. */
export function inTurns<T extends Tenanted>(asks: readonly T[], round: Round, now: number): readonly T[] {
  const placed = withTurns(asks, round, now);
  placed.sort((a, b) => a.turn - b.turn || Number(a.isPast) - Number(b.isPast) || compare(a.ask.tenant, b.ask.tenant));
  return placed.map(({ ask }) => ask);
}

/** The same, but among tenants whose turn it is goes first who stands first in `asks`. */
export function inTurnsByNeed<T extends Tenanted>(asks: readonly T[], round: Round, now: number): readonly T[] {
  return withTurns(asks, round, now)
    .sort((a, b) => a.turn - b.turn)
    .map(({ ask }) => ask);
}

function withTurns<T extends Tenanted>(asks: readonly T[], round: Round, now: number): Placed<T>[] {
  const had = turnsAt(round, now);
  const least = Math.max(0, mostOf(had) - mostOwed);
  return asks.map((ask) => {
    const turn = Math.max(least, had.get(ask.tenant) ?? 0);
    had.set(ask.tenant, turn + 1);
    return { ask, turn, isPast: ask.tenant <= round.last };
  });
}

/** The turns after these were served. */
export function afterTurns(round: Round, served: readonly Tenanted[], now: number): Round {
  if (served.length === 0) return round;
  const turns = turnsAt(round, now);
  const least = Math.max(0, mostOf(turns) - mostOwed);
  for (const { tenant } of served) turns.set(tenant, Math.max(least, turns.get(tenant) ?? 0) + 1);
  for (const [tenant, each] of turns) if (each < 0.1) turns.delete(tenant);
  return { turns, at: now, last: served.at(-1)?.tenant ?? round.last };
}

function turnsAt({ turns, at }: Round, now: number): Map<string, number> {
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
