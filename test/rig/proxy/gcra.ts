// The referee of rate limits: what Boulder would let pass, kept as Boulder keeps it (its package ratelimits; engineering.md §3). Shares nothing with
// src/budget, which it judges. No clock, no I/O: gcra-proxy.ts tells it what passes between clients and Pebble.

import { type Cell, cellsOf, type LimitFragment } from './gcra-cells.ts';

/** One unit per `everyMs`, at most `burst` at once. */
export interface Rate {
  readonly burst: number;
  readonly everyMs: number;
}

export type Rates = Readonly<Record<LimitFragment, Rate>>;
export type Counts = Readonly<Partial<Record<LimitFragment, number>>>;

/** Small enough to bind within a minute. */
export const smallRates: Rates = {
  'new-orders-per-account': { burst: 30, everyMs: 400 },
  'new-certificates-per-registered-domain': { burst: 3, everyMs: 6_000 },
  'new-certificates-per-exact-set-of-identifiers': { burst: 5, everyMs: 12_000 },
  'authorization-failures-per-identifier-per-account': { burst: 5, everyMs: 7_000 },
};

/** A newOrder. `ari`: it replaces a certificate inside that one's suggested window, which Boulder exempts from everything. */
export interface Demand {
  readonly account: string;
  readonly names: readonly string[];
  readonly standing: 'ari' | 'plain';
}

export type Ruling =
  | { readonly kind: 'refused'; readonly limit: LimitFragment; readonly waitMs: number }
  | { readonly kind: 'granted'; readonly spent: readonly Cell[] };

export interface Tally {
  /** Granted, and not taken back. */
  readonly orders: number;
  readonly issued: number;
  readonly failures: number;
  readonly refusals: Counts;
  /** Spends at issuance or failure that found no room, because orders had passed the check side by side: Boulder lets them go uncounted. */
  readonly overruns: Counts;
}

/** Lives as long as its proxy. Times are epoch ms. */
export class Referee {
  readonly #rates: Rates;
  readonly #arrivals = new Map<string, number>();
  readonly #issuedSets = new Set<string>();
  readonly #refusals: Partial<Record<LimitFragment, number>> = {};
  readonly #overruns: Partial<Record<LimitFragment, number>> = {};
  #orders = 0;
  #issued = 0;
  #failures = 0;

  constructor(rates: Rates = smallRates) {
    this.#rates = rates;
  }

  /** Checks all cells; if all have room, spends the account's alone. The longest wait is the one that is told. */
  ask(demand: Demand, now: number): Ruling {
    const { spent, checked } = this.#weigh(demand);
    const waits = checked.map((cell) => ({ limit: cell.limit, waitMs: this.#wait(cell, now) }));
    const worst = waits.toSorted((a, b) => b.waitMs - a.waitMs)[0];
    if (worst !== undefined && worst.waitMs > 0) {
      count(this.#refusals, worst.limit);
      return { kind: 'refused', ...worst };
    }
    for (const cell of spent) this.#spend(cell, now);
    this.#orders += 1;
    return { kind: 'granted', spent };
  }

  /** An order that was granted has not been made. */
  takeBack(spent: readonly Cell[], now: number): void {
    this.#orders -= 1;
    for (const cell of spent) {
      const arrival = this.#arrivalAt(cell, now) - this.#rates[cell.limit].everyMs;
      this.#arrivals.set(keyOf(cell), Math.max(arrival, now));
    }
  }

  /** Spends the exact set's cell, and the domains' unless the set has had a certificate before. */
  issued(of: Pick<Demand, 'account' | 'names'>, now: number): void {
    this.#issued += 1;
    const { exactSet, domains } = cellsOf(of);
    const spent = this.#issuedSets.has(exactSet.subject) ? [exactSet] : [...domains, exactSet];
    for (const cell of spent) this.#spendIfRoom(cell, now);
    this.#issuedSets.add(exactSet.subject);
  }

  /** An authorization of the account has turned invalid. */
  failed(account: string, name: string, now: number): void {
    this.#failures += 1;
    for (const cell of cellsOf({ account, names: [name] }).failures) this.#spendIfRoom(cell, now);
  }

  get tally(): Tally {
    return {
      orders: this.#orders,
      issued: this.#issued,
      failures: this.#failures,
      refusals: { ...this.#refusals },
      overruns: { ...this.#overruns },
    };
  }

  /** A renewal, by whatever account, is exempt from the account's and the domains' cells. */
  #weigh(demand: Demand): { readonly spent: readonly Cell[]; readonly checked: readonly Cell[] } {
    if (demand.standing === 'ari') return { spent: [], checked: [] };
    const { orders, domains, exactSet, failures } = cellsOf(demand);
    if (this.#issuedSets.has(exactSet.subject)) return { spent: [], checked: [...failures, exactSet] };
    return { spent: [orders], checked: [orders, ...failures, ...domains, exactSet] };
  }

  /** ms until the cell has room for one more; none when not above 0. */
  #wait(cell: Cell, now: number): number {
    const { burst, everyMs } = this.#rates[cell.limit];
    return this.#arrivalAt(cell, now) + everyMs - burst * everyMs - now;
  }

  #arrivalAt(cell: Cell, now: number): number {
    return Math.max(this.#arrivals.get(keyOf(cell)) ?? now, now);
  }

  #spend(cell: Cell, now: number): void {
    this.#arrivals.set(keyOf(cell), this.#arrivalAt(cell, now) + this.#rates[cell.limit].everyMs);
  }

  // What is spent after the fact is spent at best effort: what finds no room is not written down.
  #spendIfRoom(cell: Cell, now: number): void {
    if (this.#wait(cell, now) > 0) count(this.#overruns, cell.limit);
    else this.#spend(cell, now);
  }
}

/** All counts of one kind together. */
export function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}

function keyOf({ limit, subject }: Cell): string {
  return `${limit} ${subject}`;
}

function count(counts: Partial<Record<LimitFragment, number>>, limit: LimitFragment): void {
  counts[limit] = (counts[limit] ?? 0) + 1;
}
