// Decides what `certway budget` answers: the controller's own ledger, made of its books and of what Orders say since, told account by account. Pure:
// fetched values in, a view out. Called by budget.ts.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { accountOf, directoryOf, shares } from '../apply/budget-ask.ts';
import { recordsOf } from '../apply/budget-records.ts';
import { issuerKey } from '../apply/issuer-of.ts';
import { holdEnd } from '../budget/cell.ts';
import { type Checkpoint, readCheckpoint } from '../budget/checkpoint.ts';
import type { CellView } from '../budget/entry.ts';
import { Ledger } from '../budget/ledger.ts';
import { noLimits } from '../budget/limits.ts';
import { replay } from '../budget/replay.ts';
import { cellKey } from '../budget/subject.ts';
import { nameOf } from './account-view.ts';
import type { BudgetScene } from './budget-fetch.ts';
import type { AccountBudget, BudgetView, CellRow, HoldRow, WaitRow } from './budget-node.ts';
import { asOne } from './status-blame.ts';
import { waitOf } from './status-certificate.ts';
import { itemsOf } from './status-scene.ts';

interface Account {
  readonly url: string;
  readonly directory: string;
  readonly issuers: readonly Issuer[];
}

export function budgetView(scene: BudgetScene, now: number): BudgetView {
  const books = readBooks(scene);
  const { clusterIssuers, issuers } = scene.stores;
  const all = accountsOf([...clusterIssuers.list(), ...issuers.list()]);
  const ledgers = ledgersOf(all, scene, books.good, now);
  const asked = scene.asked?.kind === 'seen' ? scene.asked.value.status?.acme?.uri : undefined;
  const shown = scene.asked === undefined ? all : all.filter(({ url }) => url === asked);
  return {
    accounts: shown.flatMap((account) => {
      const ledger = ledgers.get(account.directory);
      return ledger === undefined
        ? []
        : [budgetOf(account, ledger, scene, books.good.get(bookOf(account.directory, account.url)), now)];
    }),
    unseen: [...scene.unseen, ...books.bad],
  };
}

type Books = ReadonlyMap<string, Checkpoint>;

/** By directory: the books of all its accounts first, then what happened since. */
function ledgersOf(accounts: readonly Account[], scene: BudgetScene, books: Books, now: number) {
  const ledgers = new Map<string, Ledger>();
  for (const { url, directory } of accounts) {
    const ledger = ledgers.get(directory) ?? new Ledger(scene.limits.get(directory) ?? noLimits);
    ledgers.set(directory, ledger);
    const book = books.get(bookOf(directory, url));
    if (book !== undefined) ledger.restore(book);
  }
  for (const account of accounts) {
    const ledger = ledgers.get(account.directory);
    const { url, issuers } = account;
    const wanted = scene.requests === 'seen' ? 'all' : 'unfinished';
    const of = {
      stores: scene.stores,
      tenantOf: shares(scene.stores),
      account: url,
      issuers,
      wanted,
      certificates: 'none',
    } as const;
    // What waits has spent nothing: a restart cannot know that, the running controller does.
    const records = recordsOf(of, now).filter(({ state }) => state !== 'untold');
    const book = books.get(bookOf(account.directory, url));
    if (ledger !== undefined) replay(ledger, book, records, now);
  }
  return ledgers;
}

function readBooks({ books }: BudgetScene) {
  const good = new Map<string, Checkpoint>();
  const bad: string[] = [];
  for (const { metadata, data } of itemsOf(books)) {
    const read = readCheckpoint(data?.checkpoint ?? '');
    if (read.ok) good.set(bookOf(metadata.annotations?.[annotations.directory] ?? '', read.value.account), read.value);
    else bad.push(`ConfigMap ${metadata.name}: ${asOne(read.problem)}`);
  }
  return { good, bad };
}

/** Any CA may state the URL of another's account. */
function bookOf(directory: string, account: string): string {
  return JSON.stringify([directory, account]);
}

/** Those that any issuer has, in the order of their issuers. */
function accountsOf(issuers: readonly Issuer[]): readonly Account[] {
  const accounts = new Map<string, Account>();
  for (const issuer of issuers) {
    const [url, directory] = [accountOf(issuer), directoryOf(issuer)];
    if (url === '') continue;
    const both = bookOf(directory, url);
    accounts.set(both, { url, directory, issuers: [...(accounts.get(both)?.issuers ?? []), issuer] });
  }
  return [...accounts.values()];
}

function budgetOf(
  { url, directory, issuers }: Account,
  ledger: Ledger,
  { stores }: BudgetScene,
  book: Checkpoint | undefined,
  now: number,
): AccountBudget {
  const mine = issuers.flatMap((issuer) => stores.orders.by('issuer', issuerKey(issuer)));
  const kept = ledger.snapshot(url, now);
  const spent = new Set(kept.cells.map(({ limit, subject }) => cellKey(limit, subject)));
  const open = new Set(mine.map(({ metadata }) => metadata.uid ?? ''));
  const cells = ledger.view(now).filter(({ limit, subject, reservedBy, emissionMs, nextFree }) => {
    const isOurs = spent.has(cellKey(limit, subject)) || reservedBy.some((id) => open.has(id));
    // Without a rate nothing is counted, unless the CA has said when there is more.
    return isOurs && (emissionMs > 0 || nextFree > now);
  });
  return {
    directory,
    account: url,
    issuers: issuers.map(nameOf),
    ...(book !== undefined && { notedAt: book.at }),
    holds: holdsOf(kept, now),
    cells: cells.map((cell) => rowOf(cell, url)).toSorted(byScarcity),
    waiting: mine.flatMap((order) => waitRow(order)).toSorted((a, b) => a.since - b.since),
  };
}

function holdsOf({ accountHold, directoryHold, pauses }: Checkpoint, now: number): readonly HoldRow[] {
  const account = holdEnd(accountHold, now);
  const endpoint = holdEnd(directoryHold, now);
  return [
    ...pauses.map(({ set, url }) => ({ kind: 'pause', set, url }) as const),
    ...(account > now ? [{ kind: 'account', until: account } as const] : []),
    ...(endpoint > now ? [{ kind: 'endpoint', until: endpoint } as const] : []),
  ];
}

function rowOf({ limit, subject, used, left, burst, nextFree, spentBy }: CellView, account: string): CellRow {
  const spenders = Object.entries(spentBy).map(([tenant, count]) => ({ tenant, count }));
  return {
    limit,
    subject: subject.startsWith(`${account} `) ? subject.slice(account.length + 1) : subject,
    used,
    left,
    burst,
    nextFree,
    spentBy: spenders.toSorted((a, b) => b.count - a.count),
  };
}

function byScarcity(one: CellRow, other: CellRow): number {
  return one.left / one.burst - other.left / other.burst || other.nextFree - one.nextFree;
}

const limits: ReadonlySet<string> = new Set(['RateLimited', 'CAPaused']);
/** A person ends it, or another order: when it is looked at again says nothing. */
const endless: ReadonlySet<string> = new Set(['CAPaused', 'EqualOrder']);

/** Orders that stand in Certway's line, or that the CA has put off. */
function waitRow(order: Order): readonly WaitRow[] {
  const wait = waitOf(order);
  if (wait === undefined || !(wait.inLine === true || limits.has(wait.reason))) return [];
  const { namespace = '', name, creationTimestamp = '' } = order.metadata;
  const row = { tenant: namespace, order: name, since: Date.parse(creationTimestamp), why: wait.message };
  const ends = endless.has(wait.reason) ? {} : { until: wait.until };
  return [{ class: classOf(order), ...row, ...ends }];
}

/** As far as the Order tells. */
function classOf({ spec, metadata }: Order): string {
  if (spec.replaces !== undefined) return 'ari';
  return Number(metadata.annotations?.[annotations.certificateRevision] ?? '1') > 1 ? 'renewal' : 'new';
}
