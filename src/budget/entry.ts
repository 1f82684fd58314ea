// One cell as the ledger keeps it: its time, who has reserved units of it, who spent them. Called by ledger.ts and checkpoint.ts.

import { arrival, type Cell, freshCell, type Limit, left, nextFree, settled, spend } from './cell.ts';
import type { LimitName } from './limits.ts';

export interface Entry {
  readonly limit: LimitName;
  /** A registered domain, an exact set, the URL of an account, or that and a name. */
  readonly subject: string;
  rate: Limit | undefined;
  cell: Cell;
  /** Asks by their id. */
  readonly reserved: Set<string>;
  /** Units by tenant since the cell was last wholly free. */
  readonly spentBy: Map<string, number>;
  /** In whose checkpoints it is kept. */
  readonly accounts: Set<string>;
  /** Ms that were spent in this process: what no checkpoint knows. */
  added: number;
  /** When it was last wholly free before a unit was spent, since when, and how many ms of that later findings have used up. */
  rest: { readonly since: number; readonly at: number; readonly used: number } | undefined;
}

/** A cell for people. */
export interface CellView {
  readonly limit: LimitName;
  readonly subject: string;
  /** Units that are spent or reserved, of `burst`. */
  readonly used: number;
  readonly left: number;
  readonly burst: number;
  readonly emissionMs: number;
  /** Epoch ms; not later than now where one is left. */
  readonly nextFree: number;
  /** Asks by their id. */
  readonly reservedBy: readonly string[];
  /** Units by tenant since the cell was last wholly free. */
  readonly spentBy: Readonly<Record<string, number>>;
}

/** What has no rate is free, unless the CA holds it. */
export const unbounded: Limit = { burst: 1, emissionMs: 0 };

export function newEntry(limit: LimitName, subject: string, rate: Limit | undefined): Entry {
  return {
    limit,
    subject,
    rate,
    cell: freshCell,
    reserved: new Set(),
    spentBy: new Map(),
    accounts: new Set(),
    added: 0,
    rest: undefined,
  };
}

export function rateOfEntry({ rate }: Entry): Limit {
  return rate ?? unbounded;
}

/** The TAT with all that is reserved. `now` is the present, not some moment of the past. */
export function taken(entry: Entry, now: number): number {
  const rate = rateOfEntry(entry);
  entry.cell = settled(entry.cell, rate, now);
  return arrival(entry.cell, rate, now) + entry.reserved.size * rate.emissionMs;
}

/**
 * One unit for good, at `at`: now, or a moment of the past that a restart finds. In whatever order the past is told, the cell is never freer
 * than it was: only a time for which it is known to have lain idle makes up for a unit before. `tenant` is undefined where nobody knows.
 */
export function spendOne(entry: Entry, account: string, tenant: string | undefined, at: number): void {
  const { cell, rest } = entry;
  const rate = rateOfEntry(entry);
  entry.accounts.add(account);
  entry.added += rate.emissionMs;
  if (cell.tat <= at) {
    entry.spentBy.clear();
    entry.rest = { since: cell.tat, at, used: 0 };
  }
  entry.cell = spend(cell, rate, at);
  if (rest !== undefined && at < rest.at) {
    const idle = Math.max(0, rest.at - Math.max(rest.since, at) - rest.used);
    const made = Math.min(idle, rate.emissionMs);
    entry.rest = { ...rest, used: rest.used + made };
    entry.cell = { ...entry.cell, tat: entry.cell.tat - made };
    if (made === rate.emissionMs) return;
  }
  if (tenant !== undefined) entry.spentBy.set(tenant, (entry.spentBy.get(tenant) ?? 0) + 1);
}

/** One unit that turned out not to have been taken after all. */
export function unspendOne(entry: Entry, tenant: string): void {
  const { emissionMs } = rateOfEntry(entry);
  entry.added -= emissionMs;
  entry.cell = { ...entry.cell, tat: entry.cell.tat - emissionMs };
  const left = (entry.spentBy.get(tenant) ?? 0) - 1;
  if (left > 0) entry.spentBy.set(tenant, left);
  else entry.spentBy.delete(tenant);
}

/** What a checkpoint knows, with what was spent since it was taken. */
export function restoreOne(
  entry: Entry,
  account: string,
  kept: Pick<Entry, 'cell'> & { readonly spentBy: Readonly<Record<string, number>> },
): void {
  entry.accounts.add(account);
  const tat = kept.cell.tat + entry.added;
  if (tat <= entry.cell.tat) return;
  entry.cell = { ...kept.cell, tat };
  entry.rest = undefined;
  for (const [tenant, units] of Object.entries(kept.spentBy)) {
    entry.spentBy.set(tenant, Math.max(units, entry.spentBy.get(tenant) ?? 0));
  }
}

/** Nothing is spent, reserved or held: it may be forgotten. */
export function isIdle(entry: Entry, now: number): boolean {
  return entry.reserved.size === 0 && !isSpent(entry, now);
}

/** Its time lies ahead. */
export function isSpent(entry: Entry, now: number): boolean {
  return arrival(entry.cell, rateOfEntry(entry), now) > now;
}

export function viewOf(entry: Entry, now: number): CellView {
  const { limit, subject, cell, reserved, spentBy } = entry;
  const rate = rateOfEntry(entry);
  const remaining = left(cell, reserved.size, rate, now);
  return {
    limit,
    subject,
    used: rate.burst - remaining,
    left: remaining,
    burst: rate.burst,
    emissionMs: rate.emissionMs,
    nextFree: nextFree(cell, reserved.size, rate, now),
    reservedBy: [...reserved],
    spentBy: Object.fromEntries(isSpent(entry, now) ? spentBy : []),
  };
}
