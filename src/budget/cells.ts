// The cells of one CA by their keys: only those that something was taken from, or that the CA holds. Part of the ledger.

import { heldUntil, rebased } from './cell.ts';
import type { CheckpointCell } from './checkpoint.ts';
import { type CellView, type Entry, isIdle, isSpent, newEntry, rateOfEntry, restoreOne, viewOf } from './entry.ts';
import { type LimitName, type Limits, rateOf } from './limits.ts';
import { type CellKey, cellKey } from './subject.ts';

export class Cells {
  #limits: Limits;
  readonly #entries = new Map<CellKey, Entry>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Other rates from now on; what is spent stays spent. */
  setLimits(limits: Limits): void {
    this.#limits = limits;
    for (const entry of this.#entries.values()) entry.rate = rateOf(limits, entry.limit, entry.subject);
  }

  find(key: CellKey): Entry | undefined {
    return this.#entries.get(key);
  }

  at(limit: LimitName, subject: string): Entry {
    const key = cellKey(limit, subject);
    const entry = this.#entries.get(key) ?? newEntry(limit, subject, rateOf(this.#limits, limit, subject));
    this.#entries.set(key, entry);
    return entry;
  }

  /** The CA gives the next unit at `until`. */
  hold(limit: LimitName, subject: string, until: number, now: number): Entry {
    const entry = this.at(limit, subject);
    entry.cell = heldUntil(entry.cell, rateOfEntry(entry), until, now);
    return entry;
  }

  /** The clock was set from `before` to `now`: holds keep what was left of them; times are clamped where they are read. */
  rebase(before: number, now: number): void {
    for (const entry of this.#entries.values()) {
      const { hold, tat } = entry.cell;
      if (hold !== undefined) entry.cell = { tat, hold: rebased(hold, before, now) };
    }
  }

  sweep(now: number): void {
    for (const [key, entry] of this.#entries) if (isIdle(entry, now)) this.#entries.delete(key);
  }

  views(now: number): readonly CellView[] {
    return [...this.#entries.values()].map((entry) => viewOf(entry, now));
  }

  /** Those whose time lies ahead and that the account has a part in. */
  kept(account: string, now: number): readonly CheckpointCell[] {
    return [...this.#entries.values()]
      .filter((each) => each.accounts.has(account) && isSpent(each, now))
      .map(({ limit, subject, cell, spentBy }) => ({ limit, subject, ...cell, spentBy: Object.fromEntries(spentBy) }));
  }

  /** Of what both know, the stricter counts. */
  restore(account: string, cells: readonly CheckpointCell[]): void {
    for (const { limit, subject, tat, hold, spentBy } of cells) {
      const cell = hold === undefined ? { tat } : { tat, hold };
      restoreOne(this.at(limit, subject), account, { cell, spentBy });
    }
  }
}
