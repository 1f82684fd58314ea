// What of a ledger outlives the process: the text in a ConfigMap per account. Called by apply/ at start and at most once a minute, and by the
// command line. Nothing in the text is trusted: people edit ConfigMaps.

import type { Reply } from '../api/reply.ts';
import type { Hold } from './cell.ts';
import { isCounts, isIds, isPauses, isRecord, isText, isTime } from './checkpoint-shape.ts';
import type { KeptHolds } from './holds.ts';
import { type LimitName, limitNames } from './limits.ts';

export interface CheckpointCell {
  readonly limit: LimitName;
  readonly subject: string;
  readonly tat: number;
  readonly hold?: Hold;
  readonly spentBy: Readonly<Record<string, number>>;
}

/** How long the ends of Orders are kept apart: a checkpoint names those, and older ones are in its cells. ms. */
export const recently = 15 * 60_000;

/** Times are epoch ms. */
export interface Checkpoint extends KeptHolds {
  /** Its URL. */
  readonly account: string;
  readonly at: number;
  /** Those whose time lies ahead. */
  readonly cells: readonly CheckpointCell[];
  /** UIDs of unfinished Orders whose order unit is in the cells. */
  readonly placed: readonly string[];
  /** UIDs of Orders that ended lately and are in the cells. */
  readonly finished: readonly string[];
}

/** A ConfigMap holds a mebibyte. */
const longestText = 1_048_576;
/** Bytes: what is written can always be read. */
export const mostBytes = 1_000_000;
/** Beyond this the oldest are left out; what is left out may be counted twice, never not at all. */
const mostIds = 4000;
/** Where they would not fit otherwise; whoever is forgotten is told of his pause anew. */
const mostPauses = 50;

/** The text of a ConfigMap: one line a cell, grouped by limit, the same for the same state. What does not fit is left out, the least loss first. */
export function writeCheckpoint(checkpoint: Checkpoint): string {
  let text = textOf(checkpoint);
  if (fits(text)) return text;
  // Who has spent it is for people alone.
  const bare = {
    ...checkpoint,
    cells: checkpoint.cells.map((cell) => ({ ...cell, spentBy: {} })),
    pauses: checkpoint.pauses.slice(-mostPauses),
  };
  // What is free again soonest is missed the least.
  const lasting = bare.cells.toSorted((a, b) => b.tat - a.tat);
  for (let kept = lasting.length; ; kept = Math.floor(kept / 2)) {
    text = textOf({ ...bare, cells: lasting.slice(0, kept) });
    if (fits(text) || kept === 0) return text;
  }
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= mostBytes;
}

function textOf(checkpoint: Checkpoint): string {
  const { cells, placed, finished, ...rest } = checkpoint;
  const groups = limitNames.map((name) => {
    const lines = cells.filter(({ limit }) => limit === name).map(writeCell);
    return `${JSON.stringify(name)}:{${lines
      .sort()
      .map((line) => `\n${line}`)
      .join(',')}}`;
  });
  const ids = { placed: placed.slice(-mostIds), finished: finished.slice(-mostIds) };
  return `${JSON.stringify({ version: 1, ...rest, ...ids }).slice(0, -1)},"cells":{${groups.join(',')}}}\n`;
}

/** Undefined holds are left out: most cells are a subject, a time and a tenant. */
function writeCell({ subject, tat, spentBy, hold }: CheckpointCell): string {
  const parts =
    hold === undefined ? [Math.ceil(tat), spentBy] : [Math.ceil(tat), spentBy, [hold.at, Math.ceil(hold.until)]];
  return `${JSON.stringify(subject)}:${JSON.stringify(parts)}`;
}

/** Whether `after` says anything that `before` does not: time that passes needs no write. */
export function isWorthWriting(before: Checkpoint | undefined, after: Checkpoint): boolean {
  if (before === undefined) return after.cells.length + after.placed.length + after.pauses.length > 0 || hasHold(after);
  const known = new Map(before.cells.map((cell) => [`${cell.limit} ${cell.subject}`, cell.tat]));
  const ids = new Set([...before.placed, ...before.finished]);
  return (
    after.cells.some(({ limit, subject, tat }) => (known.get(`${limit} ${subject}`) ?? 0) < tat) ||
    [...after.placed, ...after.finished].some((id) => !ids.has(id)) ||
    holdsText(before) !== holdsText(after)
  );
}

function hasHold({ accountHold, directoryHold }: KeptHolds): boolean {
  return accountHold !== undefined || directoryHold !== undefined;
}

function holdsText({ pauses, accountHold, directoryHold }: KeptHolds): string {
  return JSON.stringify([pauses, accountHold?.until, directoryHold?.until]);
}

/** A sentence says what is wrong with the text; the ledger is then rebuilt from Orders. */
export function readCheckpoint(text: string): Reply<Checkpoint, string> {
  if (text.length > longestText) return refuse(`it is longer than ${longestText} characters`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refuse('it is no JSON');
  }
  if (!isRecord(document)) return refuse('it is no object');
  const { version, account, at, cells, placed, finished, pauses, accountHold, directoryHold } = document;
  if (version !== 1) return refuse('its version is not 1');
  if (!isText(account)) return refuse('account is no URL');
  if (!isTime(at)) return refuse('at is no time');
  if (!isIds(placed) || !isIds(finished)) return refuse('placed or finished is no list of UIDs');
  if (!isPauses(pauses)) return refuse('pauses is no list of sets and URLs');
  const own = readHold(accountHold, at);
  const directory = readHold(directoryHold, at);
  if (own === 'wrong' || directory === 'wrong') return refuse('accountHold or directoryHold is no pair of times');
  const read = isRecord(cells) ? readCells(cells, at) : 'cells is no object';
  if (typeof read === 'string') return refuse(read);
  const holds = {
    ...(own !== undefined && { accountHold: own }),
    ...(directory !== undefined && { directoryHold: directory }),
  };
  return { ok: true, value: { account, at, cells: read, placed, finished, pauses, ...holds } };
}

function readCells(written: Readonly<Record<string, unknown>>, at: number): readonly CheckpointCell[] | string {
  const cells: CheckpointCell[] = [];
  for (const [name, group] of Object.entries(written)) {
    const limit = limitNames.find((each) => each === name);
    if (limit === undefined || !isRecord(group)) return `cells.${name.slice(0, 80)} is no limit`;
    for (const [subject, parts] of Object.entries(group)) {
      const cell = Array.isArray(parts) && isText(subject) ? readCell(limit, subject, parts, at) : undefined;
      if (cell === undefined)
        return `cells.${limit} ${JSON.stringify(subject.slice(0, 80))} is no time with its tenants`;
      cells.push(cell);
    }
  }
  return cells;
}

function readCell(
  limit: LimitName,
  subject: string,
  parts: readonly unknown[],
  at: number,
): CheckpointCell | undefined {
  const [tat, spentBy, pair] = parts;
  const hold = readHold(Array.isArray(pair) ? { at: pair[0], until: pair[1] } : pair, at);
  if (!isTime(tat) || !isCounts(spentBy) || hold === 'wrong') return undefined;
  return { limit, subject, tat, spentBy, ...(hold !== undefined && { hold }) };
}

/** No hold was said after the checkpoint was taken. */
function readHold(value: unknown, at: number): Hold | undefined | 'wrong' {
  if (value === undefined) return undefined;
  if (!isRecord(value) || !isTime(value.at) || !isTime(value.until)) return 'wrong';
  return { at: Math.min(value.at, at), until: value.until };
}

function refuse(why: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: `The checkpoint cannot be used: ${why}.` };
}
