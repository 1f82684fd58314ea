// Who goes next: every waiting order against every cell it needs, in the order that keeps certificates alive. Called by apply/ whenever
// something changed and when `wakeAt` has come; it changes nothing, and what it admits the caller reserves.

import type { Ask, CellUse, Urgency } from './ask.ts';
import { rateOfEntry, taken, unbounded } from './entry.ts';
import type { Barrier } from './holds.ts';
import type { Ledger } from './ledger.ts';
import { earliest, noPromises, type Promises, promise, take } from './promises.ts';
import { afterTurns, compare, inTurns, inTurnsByNeed, type Rounds } from './rounds.ts';
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

/** One decision: the cells that were looked at, and the exact sets of those that stand in the line. */
interface Scene {
  readonly ledger: Ledger;
  readonly now: number;
  readonly cells: Map<CellKey, Promises>;
  /** Those of which somebody takes a unit now. */
  readonly taking: Set<Promises>;
  readonly needs: Set<string>;
}

/** Nobody gains by deciding more often than this. */
const shortestSleep = 20;

/**
 * Urgent ones first, then open windows, then new names, then the rest; urgent ones and new names in the turns of their tenants; among equals the
 * earliest deadline, then who waits longest. One that cannot go yet is passed by those that do not delay it. Of those that could go, `room` are admitted, and of the others
 * nothing is said.
 */
export function decide(
  ledger: Ledger,
  waiting: readonly Ask[],
  rounds: Rounds,
  now: number,
  room = Number.POSITIVE_INFINITY,
): Decision {
  const line = waiting.filter(({ id }) => !ledger.isReserved(id)).toSorted(byNeed);
  const of = (wanted: Urgency) => line.filter(({ urgency }) => urgency === wanted);
  const ordered = [
    ...inTurnsByNeed(of('urgent'), rounds.urgent, now),
    ...of('window'),
    ...inTurns(of('new'), rounds.new, now),
    ...of('routine'),
  ];
  const scene: Scene = { ledger, now, cells: new Map(), taking: new Set(), needs: new Set() };
  const admitted: Ask[] = [];
  const waits = new Map<string, LineWait>();
  for (const ask of ordered) {
    const wait = tryOne(ask, scene);
    if (wait !== undefined) waits.set(ask.id, wait);
    else if (admitted.length < room) admitted.push(ask);
  }
  const times = [...waits.values()].flatMap(({ until }) => until ?? []);
  const served = (wanted: 'urgent' | 'new') => {
    return afterTurns(
      rounds[wanted],
      admitted.filter(({ urgency }) => urgency === wanted),
      now,
    );
  };
  return {
    admitted,
    waits,
    ...(times.length > 0 && {
      wakeAt: Math.max(
        now + shortestSleep,
        times.reduce((a, b) => Math.min(a, b)),
      ),
    }),
    rounds: { urgent: served('urgent'), new: served('new') },
  };
}

const rank: Readonly<Record<Urgency, number>> = { urgent: 0, window: 1, new: 2, routine: 3 };

function byNeed(a: Ask, b: Ask): number {
  return (
    rank[a.urgency] - rank[b.urgency] || compare(a.deadline, b.deadline) || a.since - b.since || compare(a.id, b.id)
  );
}

/** Undefined: it may go, and its units are taken. */
function tryOne(ask: Ask, scene: Scene): LineWait | undefined {
  const { ledger, needs, now } = scene;
  const { uses, set, need } = ledger.needsOf(ask);
  const barrier = ledger.barrier(ask, now);
  if (barrier !== undefined && barrier.until === undefined) return barrier;
  // The earlier of two equal needs is in the line already: when the later may go, nobody knows.
  if (needs.has(need)) return { limit: 'equalNeed', subject: set.subject };
  needs.add(need);
  let until = barrier?.until ?? now;
  let limiting: CellUse | undefined;
  const found: Promises[] = [];
  for (const use of uses) {
    const cell = cellOf(use, scene);
    found.push(cell);
    if (!use.checked && !isContested(use, cell, scene)) continue;
    const free = earliest(cell, now);
    if (free <= until) continue;
    until = free;
    limiting = use;
  }
  for (const [at, use] of uses.entries()) {
    const cell = found[at];
    if (cell === undefined) continue;
    if (until <= now) takeNow(cell, scene);
    else if (use.checked) promise(cell, until);
  }
  if (until <= now) return undefined;
  return limiting === undefined ? barrier : { limit: limiting.limit, subject: limiting.subject, until };
}

/** What the CA counts without a check must not take the unit of one that it is about to check: it goes when that one has been asked for. */
function isContested({ key }: CellUse, cell: Promises, { ledger, taking }: Scene): boolean {
  return taking.has(cell) || ledger.isAboutToBeChecked(key);
}

function takeNow(cell: Promises, { taking }: Scene): void {
  taking.add(cell);
  take(cell);
}

function cellOf({ key, rate }: CellUse, { ledger, cells, now }: Scene): Promises {
  const known = cells.get(key);
  if (known !== undefined) return known;
  const entry = ledger.entry(key);
  const made =
    entry === undefined ? noPromises(rate ?? unbounded, now) : noPromises(rateOfEntry(entry), taken(entry, now));
  cells.set(key, made);
  return made;
}
