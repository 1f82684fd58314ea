// Order units that were counted although nobody knows whether the CA was asked: the last process died, and its Orders do not say. Part of the ledger.

import type { Ask, Uses } from './ask.ts';
import type { Cells } from './cells.ts';
import { unspendOne } from './entry.ts';
import type { Reservation } from './reservations.ts';

export class Lost {
  readonly #cells: Cells;
  readonly #ids = new Set<string>();

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  /** The unit of that order is in the cells. */
  counted(id: string): void {
    this.#ids.add(id);
  }

  /** The CA is asked again, and may count both. */
  forget(id: string): void {
    this.#ids.delete(id);
  }

  /** The CA has the order; false where its unit is not counted yet. */
  found({ ask, uses }: Reservation): boolean {
    if (!this.#ids.delete(ask.id)) return false;
    for (const { key, spentAt } of uses) if (spentAt === 'order') this.#cells.find(key)?.reserved.delete(ask.id);
    return true;
  }

  /** The CA's own list has no such order: the unit is back. */
  unasked({ id, tenant }: Ask, { uses }: Uses): void {
    if (!this.#ids.delete(id)) return;
    for (const { key, spentAt } of uses) {
      const entry = spentAt === 'order' ? this.#cells.find(key) : undefined;
      if (entry !== undefined) unspendOne(entry, tenant);
    }
  }
}
