// Who goes next: every waiting order against every cell it needs, in the order that keeps certificates alive. Called by apply/ whenever
// something changed and when `wakeAt` has come; it changes nothing, and what it admits the caller reserves.

import type { Ask, CellUse, Urgency } from './ask.ts';
import { rateOfEntry, taken } from './entry.ts';
import type { Barrier } from './holds.ts';
import type { Ledger } from './ledger.ts';
import { earliest, noPromises, type Promises, promise, take } from './promises.ts';
import { afterTurns, inTurns, type Rounds } from './rounds.ts';
import type { CellKey } from './subject.ts';

/** What an ask waits for; `until` is an honest estimate in epoch ms, undefined where no time ends it. */
export type LineWait = Barrier;

export interface Decision {
  readonly admitted: readonly Ask[];
  /** By the id of the ask. */
  readonly waits: ReadonlyMap<string, LineWait>;
  /** When to decide again at the latest, if nothing happens before. */
  readonly wakeAt?: number;
  readonly rounds: Rounds;
}

/** Nobody gains by deciding more often than this. */
const shortestSleep = 20;

/**
 * Urgent ones first, then open windows, then new names in the turns of their tenants, then the rest; among equals the earliest deadline, then
 * who waits longest. One that cannot go yet is passed by those that do not delay it.
 */
export function decide(ledger: Ledger, waiting: readonly Ask[], rounds: Rounds, now: number): Decision {
  const line = waiting.filter(({ id }) => !ledger.isReserved(id)).toSorted(byNeed);
  const fresh = line.filter(({ urgency }) => urgency === 'new');
  const ordered = [
    ...line.filter(({ urgency }) => rank[urgency] < rank.new),
    ...inTurns(fresh, rounds, now),
    ...line.filter(({ urgency }) => urgency === 'routine'),
  ];
  const cells = new Map<CellKey, Promises>();
  const sets = new Set<string>();
  const admitted: Ask[] = [];
  const waits = new Map<string, LineWait>();
  for (const ask of ordered) {
    const wait = tryOne(ask, ledger, cells, sets, now);
    if (wait === undefined) admitted.push(ask);
    else waits.set(ask.id, wait);
  }
  const times = [...waits.values()].flatMap(({ until }) => until ?? []);
  const served = admitted.filter(({ urgency }) => urgency === 'new');
  return {
    admitted,
    waits,
    ...(times.length > 0 && {
      wakeAt: Math.max(
        now + shortestSleep,
        times.reduce((a, b) => Math.min(a, b)),
      ),
    }),
    rounds: afterTurns(rounds, served, now),
  };
}

const rank: Readonly<Record<Urgency, number>> = { urgent: 0, window: 1, new: 2, routine: 3 };

function byNeed(a: Ask, b: Ask): number {
  return (
    rank[a.urgency] - rank[b.urgency] || compare(a.deadline, b.deadline) || a.since - b.since || compare(a.id, b.id)
  );
}

function tryOne(
  ask: Ask,
  ledger: Ledger,
  cells: Map<CellKey, Promises>,
  sets: Set<string>,
  now: number,
): LineWait | undefined {
  const uses = ledger.usesOf(ask);
  const set = ledger.setOf(ask);
  const barrier = ledger.barrier(ask, now);
  if (barrier !== undefined && barrier.until === undefined) return barrier;
  // The earlier of two equal needs is in the line already: when the later may go, nobody knows.
  if (sets.has(set)) return { limit: 'equalNeed', subject: set };
  sets.add(set);
  let wait: LineWait = barrier ?? { limit: 'newOrdersPerAccount', subject: ask.account, until: now };
  let until = barrier?.until ?? now;
  for (const use of uses) {
    if (!use.checked) continue;
    const free = earliest(cellOf(use, ledger, cells, now), now);
    if (free <= until) continue;
    until = free;
    wait = { limit: use.limit, subject: use.subject, until };
  }
  for (const use of uses) {
    const cell = cellOf(use, ledger, cells, now);
    if (until <= now) take(cell);
    else if (use.checked) promise(cell, until);
  }
  return until <= now ? undefined : wait;
}

function cellOf(use: CellUse, ledger: Ledger, cells: Map<CellKey, Promises>, now: number): Promises {
  const known = cells.get(use.key);
  if (known !== undefined) return known;
  const entry = ledger.entry(use.key);
  const made =
    entry === undefined
      ? noPromises(use.rate ?? { burst: 1, emissionMs: 0 }, now)
      : noPromises(rateOfEntry(entry), taken(entry, now));
  cells.set(use.key, made);
  return made;
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : Number(a > b);
}
