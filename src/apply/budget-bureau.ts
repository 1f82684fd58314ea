// Opens a desk for each CA when its first order comes, before anything is decided there: the limits as they are written, then for each account what the
// last process had noted, then the Orders since. Kept by budgets.ts.

import type { Issuer } from '../api/certmanager.ts';
import { Ledger } from '../budget/ledger.ts';
import type { Limits } from '../budget/limits.ts';
import { replay } from '../budget/replay.ts';
import { AccountDesk } from './budget-accounts.ts';
import { accountOf, directoryOf, provenAccount, type TenantOf } from './budget-ask.ts';
import { type Checkpoints, checkpoints } from './budget-checkpoints.ts';
import { Desk } from './budget-desk.ts';
import { limitTexts } from './budget-limits.ts';
import { recordsOf } from './budget-records.ts';
import type { BudgetOptions } from './budgets.ts';

export interface Bureau {
  readonly directory: string;
  readonly desk: Desk;
  /** What is kept of its accounts. */
  readonly books: Checkpoints;
  /** The CA's time, epoch ms. */
  now(): number;
  /** Hears the CA's clock once, where no reply has told it yet. */
  learnTime(): Promise<void>;
  /** Who wants an account there. */
  readonly newAccounts: AccountDesk;
  /** After all that came before. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  limits(): Limits;
  setLimits(limits: Limits): void;
  /** Those that have been heard of. */
  accounts(): readonly string[];
}

export interface Bureaus extends AsyncDisposable {
  /** Open, and with everything that is known of the issuer's account. */
  at(issuer: Issuer): Promise<Bureau>;
  /** Undefined where no order has asked yet. */
  known(issuer: Issuer): Bureau | undefined;
  all(): readonly Bureau[];
  /** What is written about the limits has changed. */
  limitsChanged(): void;
}

interface Opening {
  bureau?: Bureau;
  readonly opened: Promise<Bureau>;
  readonly accounts: Map<string, Promise<void>>;
  strays?: Promise<void>;
}

interface Needs extends BudgetOptions {
  readonly tenantOf: TenantOf;
  /** Whether this process has made the Order with that UID. */
  readonly isOurs: (uid: string) => boolean;
}

export function bureaus(needs: Needs): Bureaus {
  const { ports } = needs;
  const texts = limitTexts(ports);
  const openings = new Map<string, Opening>();
  const open = (issuer: Issuer): Opening => {
    const directory = directoryOf(issuer);
    const known = openings.get(directory);
    if (known !== undefined) return known;
    const accounts = new Map<string, Promise<void>>();
    const opened = texts.at(directory).then((limits) => openBureau(needs, issuer, limits, () => [...accounts.keys()]));
    const opening: Opening = { opened, accounts };
    openings.set(directory, opening);
    return opening;
  };
  const at = async (issuer: Issuer): Promise<Bureau> => {
    const opening = open(issuer);
    const { bureau: known, accounts } = opening;
    const loading = accounts.get(accountOf(issuer));
    if (known !== undefined && loading !== undefined) {
      await loading;
      return known;
    }
    const bureau = await opening.opened;
    await loadAccounts(needs, bureau, accounts);
    opening.strays ??= loadStrays(needs, bureau, accounts);
    await opening.strays;
    // No issuer's own, as in a rehearsal: no Order of an issuer is one of that account's.
    const own = provenAccount(issuer);
    if (own !== '' && !accounts.has(own)) accounts.set(own, restore(needs, bureau, own, []));
    await accounts.get(own);
    opening.bureau = bureau;
    return bureau;
  };
  const all = () => [...openings.values()].flatMap(({ bureau }) => bureau ?? []);
  return {
    at,
    all,
    known: (issuer) => openings.get(directoryOf(issuer))?.bureau,
    limitsChanged: () => {
      for (const { directory, setLimits } of all()) void texts.at(directory).then(setLimits);
    },
    [Symbol.asyncDispose]: async () => {
      for (const { desk, newAccounts } of all()) {
        desk[Symbol.dispose]();
        newAccounts[Symbol.dispose]();
      }
      await Promise.all(all().map(({ books }) => books[Symbol.asyncDispose]()));
    },
  };
}

/** Accounts share cells: none may be admitted to them before all have been heard. */
async function loadAccounts(needs: Needs, bureau: Bureau, accounts: Opening['accounts']): Promise<void> {
  for (const [account, issuers] of Map.groupBy(issuersAt(needs.ports.stores, bureau.directory), accountOf)) {
    if (!accounts.has(account)) accounts.set(account, restore(needs, bureau, account, issuers));
  }
  await Promise.all(accounts.values());
}

/** Accounts that no issuer has any more have spent of what all share. What they spent comes back in time, and then nobody needs their books. */
async function loadStrays({ ports }: Needs, bureau: Bureau, accounts: Opening['accounts']): Promise<void> {
  const { books, desk, now, directory, limits } = bureau;
  const { clusterIssuers, issuers } = ports.stores;
  const held = new Set([clusterIssuers, issuers].flatMap((each) => [...each.list()].map(accountOf)));
  for (const account of (await books.all()).filter((each) => !accounts.has(each))) {
    const checkpoint = await books.read(account);
    if (checkpoint === undefined) continue;
    desk.ledger.restore(checkpoint);
    // By itself: what it shares with others may be spent by them.
    const alone = new Ledger(limits());
    alone.restore(checkpoint);
    const { cells, directoryHold } = alone.snapshot(account, now());
    if (held.has(account) || cells.length > 0 || directoryHold !== undefined) continue;
    ports.log.info({ account, directory }, 'what an account without an issuer has spent is back');
    await books.drop(account);
  }
}

function openBureau(
  { ports, metrics }: Needs,
  issuer: Issuer,
  first: Limits,
  accounts: () => readonly string[],
): Bureau {
  const directory = directoryOf(issuer);
  // Of whichever issuer came first: all of them speak with one CA.
  const endpoint = ports.accounts.endpoint(issuer);
  const { caNow: now } = endpoint;
  const desk = new Desk({
    limits: first,
    now,
    onWait: ({ limit }) => metrics.budgetDenied(limit),
    onBug: (error) => ports.log.error({ err: error, directory }, 'the line of a CA: a bug'),
  });
  const books = checkpoints({
    kube: ports.kube,
    namespace: ports.settings.clusterResourceNamespace,
    directory,
    log: ports.log,
    snapshot: (account) => desk.ledger.snapshot(account, now()),
  });
  let limits = first;
  let time: ReturnType<typeof endpoint.directory> | undefined;
  const common = { directory, desk, books, now, accounts, inTurn: turns(), limits: () => limits };
  const newAccounts = new AccountDesk(common);
  return {
    ...common,
    newAccounts,
    desk,
    books,
    now,
    accounts,
    learnTime: async () => {
      time ??= endpoint.directory();
      const heard = await time;
      if (!heard.ok) time = undefined;
    },
    inTurn: turns(),
    limits: () => limits,
    setLimits: (next) => {
      limits = next;
      desk.ledger.setLimits(next);
      desk.changed();
      newAccounts.changed();
    },
  };
}

function turns(): Bureau['inTurn'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

function isBoundless({ limits, overrides }: Limits): boolean {
  return Object.keys(limits).length + overrides.length === 0;
}

function issuersAt({ clusterIssuers, issuers }: Needs['ports']['stores'], directory: string): readonly Issuer[] {
  return [clusterIssuers, issuers].flatMap((each) =>
    [...each.list()].filter((issuer) => directoryOf(issuer) === directory && provenAccount(issuer) !== ''),
  );
}

async function restore(needs: Needs, bureau: Bureau, account: string, issuers: readonly Issuer[]): Promise<void> {
  const checkpoint = await bureau.books.read(account);
  const { ledger } = bureau.desk;
  if (checkpoint !== undefined) ledger.restore(checkpoint);
  const now = bureau.now();
  const { ports, tenantOf, isOurs } = needs;
  const wanted = isBoundless(bureau.limits()) && checkpoint === undefined ? 'unfinished' : 'all';
  const certificates = checkpoint === undefined ? 'standing' : 'none';
  const records = recordsOf({ stores: ports.stores, tenantOf, isOurs, account, issuers, wanted, certificates }, now);
  replay(ledger, checkpoint, records, now);
  // What is counted for requests that nobody saw answered stands in no Order.
  if (records.length > 0) bureau.books.changed(account);
}
