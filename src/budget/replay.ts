// The Orders as the log after a checkpoint: what a restart, or a new leader, counts again. Called by apply/ once per account before the first
// decision. Where it cannot know it counts, and as late as possible: a little patience is cheaper than a refusal.

import type { Ask } from './ask.ts';
import { type Checkpoint, recently } from './checkpoint.ts';
import type { Ledger } from './ledger.ts';

/** One Order as a restart finds it; times are epoch ms. Certificates without an Order stand for one that was issued. */
export type OrderRecord = {
  readonly ask: Ask;
  /** When the CA took newOrder, where that is known. */
  readonly placedAt?: number;
} & (
  | { readonly state: 'untold' }
  /** It has a URL and no end. */
  | { readonly state: 'open' }
  /** `at`: not before it happened. */
  | { readonly state: 'issued'; readonly at: number }
  /** `identifiers`: the names whose validation failed; all of them where nobody knows. */
  | { readonly state: 'failed'; readonly at: number; readonly identifiers?: readonly string[] }
);

type Ended = Extract<OrderRecord, { readonly at: number }>;

/** So many newOrders may have been on their way when the last process died; their Orders have no URL, and the CA may have counted them. */
export const onTheirWay = 8;

/**
 * Counts what happened after the checkpoint was taken, reserves for what is unfinished, and spends order units for what may have been on its
 * way: those stand in no Order, so a checkpoint is due at once. Without a checkpoint everything counts that can still matter.
 */
export function replay(
  ledger: Ledger,
  checkpoint: Checkpoint | undefined,
  records: readonly OrderRecord[],
  now: number,
): void {
  const placed = new Set(checkpoint?.placed);
  const finished = new Set(checkpoint?.finished);
  // What ended longer before the checkpoint is in it; a checkpoint from the future is from a clock that was wrong.
  const since = checkpoint === undefined ? Number.NEGATIVE_INFINITY : Math.min(checkpoint.at, now) - recently;
  const ended = records
    .flatMap((record) => (isEnded(record) ? { ...record, at: Math.min(record.at, now) } : []))
    .filter(({ ask, at }) => at >= since && !finished.has(ask.id));
  for (const record of ended.toSorted((a, b) => a.at - b.at)) {
    begin(ledger, record, placed, { at: record.at, now });
    if (record.state === 'issued') ledger.issued(record.ask.id, record.at);
    else ledger.failed(record.ask.id, record.identifiers ?? record.ask.identifiers, record.at);
  }
  for (const record of records.filter(({ state }) => state === 'open')) begin(ledger, record, placed, { at: now, now });
  for (const { ask } of records
    .filter(({ state, ask }) => state === 'untold' && ask.class === 'new')
    .slice(0, onTheirWay)) {
    ledger.lost(ask, now);
  }
}

function isEnded(record: OrderRecord): record is Ended {
  return record.state === 'issued' || record.state === 'failed';
}

function begin(
  ledger: Ledger,
  { ask, placedAt }: OrderRecord,
  placed: ReadonlySet<string>,
  when: { readonly at: number; readonly now: number },
): void {
  if (placed.has(ask.id)) ledger.resume(ask, when.now);
  else {
    ledger.reserve(ask, when.now);
    ledger.placed(ask.id, Math.min(placedAt ?? when.at, when.at));
  }
}
