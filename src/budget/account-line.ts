// Who may make an account next where the CA gives few: tenants in turn, for whoever asks first would take what all share. Kept by apply/budget-accounts.ts,
// one for each CA; times are epoch ms on its clock.

import { afterTurns, inTurnsByNeed, noRound, type Round } from './rounds.ts';

interface Waiting {
  readonly id: string;
  readonly tenant: string;
  /** Since it first asked. */
  readonly since: number;
  /** When it was told to come again. */
  readonly until: number;
}

/** Whoever has not come again so long after his time has gone another way, ms. */
const patience = 600_000;

export class AccountLine {
  readonly #waiting = new Map<string, Waiting>();
  #round: Round = noRound;

  /** How many come before it. */
  ahead(id: string, tenant: string, now: number): number {
    this.#sweep(now);
    const known = this.#waiting.get(id) ?? { id, tenant, since: now, until: now };
    return this.#ordered([...this.#waiting.values().filter((each) => each.id !== id), known], now).indexOf(id);
  }

  /** It comes again at `until`, or when it is called. */
  wait(id: string, tenant: string, until: number, now: number): void {
    this.#waiting.set(id, { id, tenant, since: this.#waiting.get(id)?.since ?? now, until });
  }

  /** It has an account, or needs none. */
  leave(id: string): void {
    this.#waiting.delete(id);
  }

  /** An account was made for the tenant. */
  served(tenant: string, now: number): void {
    this.#round = afterTurns(this.#round, [{ tenant }], now);
  }

  /** Those that may come while so many accounts can be made. */
  next(room: number, now: number): readonly string[] {
    this.#sweep(now);
    return this.#ordered([...this.#waiting.values()], now).slice(0, room);
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  #sweep(now: number): void {
    for (const [id, { until }] of this.#waiting) if (now > until + patience) this.#waiting.delete(id);
  }

  #ordered(waiting: readonly Waiting[], now: number): readonly string[] {
    const byAge = waiting.toSorted((a, b) => a.since - b.since);
    return inTurnsByNeed(byAge, this.#round, now).map(({ id }) => id);
  }
}
