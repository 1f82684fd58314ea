// The arithmetic of one GCRA cell, as Boulder keeps it: one theoretical arrival time (TAT), from which everything else follows. Called by
// entry.ts and ledger.ts. All times are epoch ms on the CA's clock.

/** One unit comes back per `emissionMs`, and at most `burst` may be taken at once. */
export interface Limit {
  readonly burst: number;
  readonly emissionMs: number;
}

/** What the CA said beyond the model: nothing before `until`, said at `at`. */
export interface Hold {
  readonly at: number;
  readonly until: number;
}

/** `tat`: when the cell is wholly free again, if nothing more is spent. */
export interface Cell {
  readonly tat: number;
  readonly hold?: Hold;
}

export const freshCell: Cell = { tat: 0 };

/** The CA's word counts, but not beyond a week and a day: no limit is longer, and a garbled Retry-After must not hold anybody for years. */
const longestHold = 8 * 86_400_000;

/** When a hold ends; `now` where there is none. */
export function holdEnd(hold: Hold | undefined, now: number): number {
  if (hold === undefined) return now;
  const from = Math.min(hold.at, now);
  return Math.max(now, from + Math.min(hold.until - hold.at, longestHold));
}

/** The same hold after the clock was set from `before` to `now`: what was left of it is left. */
export function rebased(hold: Hold, before: number, now: number): Hold {
  return { at: now, until: now + holdEnd(hold, before) - before };
}

/** The TAT to count from. After a clock was set back it may lie absurdly far ahead: a cell is never fuller than full. */
export function arrival(cell: Cell, limit: Limit, now: number): number {
  return Math.min(Math.max(cell.tat, now), fullest(limit, holdEnd(cell.hold, now)));
}

/** When one more unit may be taken while `reserved` others may still be spent; `now` where that is at once. */
export function nextFree(cell: Cell, reserved: number, limit: Limit, now: number): number {
  const taken = arrival(cell, limit, now) + (reserved + 1) * limit.emissionMs;
  return Math.max(now, taken - limit.burst * limit.emissionMs);
}

/** How many units may be taken now. */
export function left(cell: Cell, reserved: number, limit: Limit, now: number): number {
  const { burst, emissionMs } = limit;
  if (emissionMs === 0) return nextFree(cell, reserved, limit, now) > now ? 0 : burst;
  const room = now + burst * emissionMs - arrival(cell, limit, now) - reserved * emissionMs;
  return Math.max(0, Math.min(burst, Math.floor(room / emissionMs + 1e-9)));
}

/** The cell after one unit. */
export function spend(cell: Cell, limit: Limit, now: number): Cell {
  return withTat(cell, Math.max(cell.tat, now) + limit.emissionMs, now);
}

/**
 * The cell with a time that can be true: full at most. The CA does not count what exceeds the burst; and what a clock that was set back, or other
 * rates, left behind is forgotten.
 */
export function settled(cell: Cell, limit: Limit, now: number): Cell {
  const tat = arrival(cell, limit, now);
  return tat < cell.tat ? withTat(cell, tat, now) : cell;
}

/** The cell whose next unit falls at `retryAt`, or later where the model knows better. */
export function heldUntil(cell: Cell, limit: Limit, retryAt: number, now: number): Cell {
  const hold = { at: now, until: Math.max(retryAt, holdEnd(cell.hold, now)) };
  const due = holdEnd(hold, now) + (limit.burst - 1) * limit.emissionMs;
  return { tat: Math.max(arrival(cell, limit, now), due), hold };
}

/** Half a unit above the burst: Boulder rounds to whole units, and lets one pass that comes up to half an emission early. */
function fullest({ burst, emissionMs }: Limit, from: number): number {
  return from + (burst + 0.5) * emissionMs;
}

function withTat({ hold }: Cell, tat: number, now: number): Cell {
  return hold !== undefined && holdEnd(hold, now) > now ? { tat, hold } : { tat };
}
