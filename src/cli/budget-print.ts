// Turns budgets into lines of at most 120 columns: for each account its holds, its cells and who waits. Pure; called by budget.ts.

import { annotations } from '../api/names.ts';
import type { AccountBudget, BudgetView, CellRow, HoldRow, WaitRow } from './budget-node.ts';
import { moment } from './status-node.ts';
import { plain } from './status-print.ts';

export const columns = 120;
const mostRows = 40;
const gap = '  ';
const leastRoom = 20;

interface Column<T> {
  readonly title: string;
  /** Longer texts are cut, or wrapped where it is the last one. */
  readonly most: number;
  readonly align: 'left' | 'right';
  readonly text: (row: T) => string;
}

const limitWords: Readonly<Record<string, string>> = {
  newOrdersPerAccount: 'orders per account',
  certificatesPerDomain: 'certificates per domain',
  certificatesPerExactSet: 'same set of names',
  failedAuthorizations: 'failed proofs per name',
  newAccountsPerIp: 'accounts per address',
};

export function budgetLines(view: BudgetView, now: number): readonly string[] {
  const blocks = view.accounts.map((account) => accountLines(account, now));
  const unseen =
    view.unseen.length === 0 ? [] : [['Not seen:', ...view.unseen.flatMap((why) => hung('  ', plain(why)))]];
  return [...blocks, ...unseen].flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

function accountLines(budget: AccountBudget, now: number): readonly string[] {
  const { directory, account, issuers, notedAt, cells, waiting } = budget;
  const counted =
    notedAt === undefined ? 'nothing is noted yet; counted from what Orders say' : `noted ${moment(notedAt, now)}`;
  return [
    ...hung('', plain(issuers.length === 0 ? 'an account that no issuer uses' : issuers.join(', '))),
    ...hung('  directory  ', plain(directory)),
    ...hung('  account    ', plain(account)),
    ...hung('  counted    ', counted),
    ...budget.holds.flatMap((hold) => hung('  stopped    ', holdText(hold, now))),
    '',
    ...(cells.length === 0
      ? ['  Nothing of a known limit is spent.']
      : table(cells, cellColumns(account, now), 'cells')),
    ...(waiting.length === 0 ? [] : ['', ...table(waiting, waitColumns(now), 'orders')]),
  ];
}

function holdText(hold: HoldRow, now: number): string {
  switch (hold.kind) {
    case 'account':
      return `the CA takes no orders of this account until ${moment(hold.until, now)}`;
    case 'endpoint':
      return `the CA answers nothing until ${moment(hold.until, now)}`;
    case 'pause':
      return plain(
        `the CA has paused ${namesOf(hold.set)} until somebody ends that at ${hold.url} and gives the issuer's annotation ${annotations.unpause} a new value`,
      );
    default:
      return hold satisfies never;
  }
}

function cellColumns(account: string, now: number): readonly Column<CellRow>[] {
  return [
    { title: 'LIMIT', most: 24, align: 'left', text: ({ limit }) => limitWords[limit] ?? limit },
    {
      title: 'SUBJECT',
      most: 30,
      align: 'left',
      text: ({ subject }) => (subject === account ? 'this account' : namesOf(subject)),
    },
    { title: 'USED', most: 6, align: 'right', text: ({ used }) => String(used) },
    { title: 'LEFT', most: 6, align: 'right', text: ({ left }) => String(left) },
    {
      title: 'NEXT FREE',
      most: 38,
      align: 'left',
      text: ({ nextFree }) => (nextFree <= now ? 'now' : moment(nextFree, now)),
    },
    {
      title: 'SPENT BY',
      most: columns,
      align: 'left',
      text: ({ spentBy }) => spentBy.map(({ tenant, count }) => `${tenant} ${count}`).join(', '),
    },
  ];
}

function waitColumns(now: number): readonly Column<WaitRow>[] {
  const at = (time: number | undefined) => (time === undefined ? '' : moment(time, now));
  return [
    { title: 'WAITING', most: 7, align: 'left', text: (row) => row.class },
    { title: 'ORDER', most: 40, align: 'left', text: ({ tenant, order }) => `${tenant}/${order}` },
    { title: 'SINCE', most: 16, align: 'left', text: ({ since }) => shortly(since, now) },
    { title: 'UNTIL', most: 38, align: 'left', text: ({ until }) => at(until) },
    { title: 'WHY', most: columns, align: 'left', text: ({ why }) => why },
  ];
}

/** "first+2:hash" is how budgets call a set of names. */
function namesOf(set: string): string {
  const [, first, more] = /^(.+)\+(\d+):[\w-]+$/.exec(set) ?? [];
  return first === undefined ? set : `${first} and ${more} more`;
}

/** "5 minutes ago". */
function shortly(at: number, now: number): string {
  return /\((.*)\)$/.exec(moment(at, now))?.[1] ?? '';
}

/** A header and a line for each of the first rows; the last column is wrapped, or has a line of its own where there is no room for it. */
function table<T>(rows: readonly T[], wanted: readonly Column<T>[], what: string): readonly string[] {
  const shown = rows.slice(0, mostRows);
  const texts = shown.map((row) => wanted.map(({ text, most }) => cut(plain(text(row)), most)));
  const widths = wanted.map(({ title }, index) =>
    Math.max(title.length, ...texts.map((line) => line[index]?.length ?? 0)),
  );
  const headOf = (cells: readonly string[]) =>
    `${gap}${cells
      .slice(0, -1)
      .map((text, index) => `${padded(text, widths[index] ?? 0, wanted[index]?.align)}${gap}`)
      .join('')}`;
  const titles = wanted.map(({ title }) => title);
  const last = titles.at(-1) ?? '';
  const isNarrow = columns - headOf(titles).length < leastRoom;
  const line = (cells: readonly string[]) => {
    const text = cells.at(-1) ?? '';
    if (!isNarrow) return hung(headOf(cells), text);
    return [headOf(cells).trimEnd(), ...(text === '' ? [] : hung(`${gap}${gap}${last.toLowerCase()}: `, text))];
  };
  const more = rows.length - shown.length;
  return [
    ...(isNarrow ? [headOf(titles).trimEnd()] : hung(headOf(titles), last)),
    ...texts.flatMap(line),
    ...(more > 0 ? [`${gap}and ${more} more ${what}: -o json has them all`] : []),
  ];
}

function padded(text: string, width: number, align: 'left' | 'right' | undefined): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}

function cut(text: string, most: number): string {
  return text.length > most && most < columns ? `${text.slice(0, most - 1)}…` : text;
}

/** Words behind a head, in lines that end before the last column; a word that is longer than the room is broken. */
function hung(head: string, text: string): readonly string[] {
  const room = columns - head.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => broken(each, room))) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each, index) => `${index === 0 ? head : ' '.repeat(head.length)}${each}`.trimEnd());
}

function broken(word: string, room: number): readonly string[] {
  const parts = Math.ceil(word.length / room);
  return parts < 2 ? [word] : Array.from({ length: parts }, (_, index) => word.slice(index * room, (index + 1) * room));
}
