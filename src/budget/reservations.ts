// The units that unfinished orders reserve, and which needs are under way. Part of the ledger. A reservation keeps units from others for a while only: an
// order that nobody settles, on purpose perhaps, costs the CA nothing before it is issued, and shall not cost others a week.

import type { Ask, CellUse, Uses } from './ask.ts';
import type { Cells } from './cells.ts';

export interface Reservation {
  readonly ask: Ask;
  readonly uses: readonly CellUse[];
  readonly need: string;
  /** Epoch ms. */
  readonly since: number;
  isPlaced: boolean;
  isLoose: boolean;
}

/** Most orders are settled in seconds, and a slow nameserver has its minutes. */
export const longestReservation = 10 * 60_000;

export class Reservations {
  readonly #cells: Cells;
  readonly #all = new Map<string, Reservation>();
  /** Ids, by account and exact set. */
  readonly #needs = new Map<string, Set<string>>();

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  get(id: string): Reservation | undefined {
    return this.#all.get(id);
  }

  list(): readonly Reservation[] {
    return [...this.#all.values()];
  }

  /** What is placed has its order unit in the cells already. */
  book(ask: Ask, { uses, need }: Uses, { since, isPlaced }: Pick<Reservation, 'since' | 'isPlaced'>): void {
    this.#all.set(ask.id, { ask, uses, need, since, isPlaced, isLoose: false });
    for (const { limit, subject, spentAt } of uses) {
      if (!(isPlaced && spentAt === 'order')) this.#cells.at(limit, subject).reserved.add(ask.id);
    }
    const equal = this.#needs.get(need) ?? new Set();
    this.#needs.set(need, equal.add(ask.id));
  }

  free(id: string): void {
    const reservation = this.#all.get(id);
    if (reservation === undefined) return;
    for (const { key } of reservation.uses) this.#cells.find(key)?.reserved.delete(id);
    const { need } = reservation;
    const equal = this.#needs.get(need);
    equal?.delete(id);
    if (equal?.size === 0) this.#needs.delete(need);
    this.#all.delete(id);
  }

  /** Another order of the same account for exactly these names: the CA would answer with that one. Other accounts have orders of their own. */
  hasEqual(id: string, need: string): boolean {
    const equal = this.#needs.get(need);
    return equal !== undefined && equal.size > (equal.has(id) ? 1 : 0);
  }

  /** What has been reserved for too long is anybody's; it counts all the same if it is issued in the end. */
  loosen(now: number): void {
    for (const reservation of this.#all.values()) {
      if (reservation.isLoose || Math.abs(now - reservation.since) < longestReservation) continue;
      reservation.isLoose = true;
      for (const { key, spentAt } of reservation.uses) {
        if (spentAt === 'issuance') this.#cells.find(key)?.reserved.delete(reservation.ask.id);
      }
    }
  }
}
