// Before an order is placed it asks here whether the CA's limits leave room for it, and whatever becomes of it is told here. One desk per CA directory
// (budget-desk.ts), opened by the first order that comes: with what an earlier process has written down, and the Orders as the log after it.

import type { Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import type { OrderFact, OrderState } from '../order/state.ts';
import { lineWords, retold, type Told } from '../plan/line-words.ts';
import type { BudgetSample } from '../report/budget-metrics.ts';
import type { Metrics } from '../report/metrics.ts';
import type { NewAccount, Registering } from './budget-accounts.ts';
import { accountOf, askFor, shares } from './budget-ask.ts';
import { type Bureau, bureaus } from './budget-bureau.ts';
import type { Place } from './budget-desk.ts';
import { sampleOf } from './budget-samples.ts';
import { spendAt } from './budget-spend.ts';
import { unpause, watchSpending } from './budget-watch.ts';
import { notedWait } from './order-note.ts';
import type { OrderTurn } from './order-turn.ts';
import type { Ports } from './ports.ts';
import { issuerThere, placeFor } from './rehearsal-turn.ts';

export interface Budgets extends AsyncDisposable {
  /** Whether the order may be placed now: `admitted` within milliseconds where the CA has room, else `limited`, and the turn is woken when it is its turn. */
  ask(turn: OrderTurn, replacing: 'asWished' | 'no'): Promise<OrderFact>;
  /** How an order that waits stands in line now; undefined where it does not stand there any more. */
  place(order: Order, issuer: Issuer): 'admitted' | Told | undefined;
  /** This process has just made the Order: no earlier one can have asked the CA for it. */
  made(order: Order): void;
  /** One step of an order's life. */
  happened(turn: OrderTurn, before: OrderState, fact: OrderFact, after: OrderState): void;
  /** The order is over without having come to anything, and costs no more than it has. */
  left(turn: OrderTurn): void;
  /** A person says that what the CA has stopped for the issuer's account may go on. */
  acted(issuer: Issuer): void;
  /** Registers an account when the CA's limit for that leaves room; one that exists is found all the same. */
  account(issuer: Issuer, how: NewAccount): Registering;
  /** It had to wait for its account, and need not any longer. */
  isCalled(issuer: Issuer): boolean;
  samples(): readonly BudgetSample[];
}

export interface BudgetOptions {
  /** `off`: every order is placed at once, and what the CA then refuses waits by itself. */
  readonly mode: 'on' | 'off';
  readonly ports: Pick<Ports, 'kube' | 'stores' | 'accounts' | 'recorder' | 'log' | 'settings' | 'now' | 'wakeIssuer'>;
  readonly metrics: Pick<Metrics, 'budgetDenied' | 'budgetRefused'>;
}

export function budgets(options: BudgetOptions): Budgets {
  const { ports, metrics, mode } = options;
  const tenantOf = shares(ports.stores);
  if (mode === 'off') return unlimited;
  /** UIDs of the unfinished Orders that this process has made. */
  const ours = new Set<string>();
  const open = bureaus({ ...options, tenantOf, isOurs: (uid) => ours.has(uid) });
  const unsubscribe = watchSpending(ports.stores, open, ours, (issuer) => {
    const place = placeFor(ports, issuer);
    return place.kind === 'at' ? issuerThere(ports, issuer, place.directory) : undefined;
  });
  const askOf = (turn: OrderTurn, replacing: 'asWished' | 'no', now: number) => {
    const { order, issuer, last } = turn;
    return askFor({ order, account: accountOf(issuer), tenant: tenantOf(order), last: last?.(), replacing }, now);
  };
  return {
    ask: async (turn, replacing) => {
      const bureau = await open.at(turn.issuer);
      await bureau.learnTime();
      const { order, wake } = turn;
      const place = await bureau.desk.ask(askOf(turn, replacing, bureau.now()), wake);
      const told = toldOf(bureau, order, place, ports.now());
      return told === 'admitted' ? { kind: 'admitted' } : { kind: 'limited', ...(told ?? leaving(ports.now())) };
    },
    place: (order, issuer) => {
      const bureau = open.known(issuer);
      const place = bureau?.desk.place(order.metadata.uid ?? '');
      return bureau === undefined ? undefined : toldOf(bureau, order, place, ports.now());
    },
    made: ({ metadata: { uid = '' } }) => void ours.add(uid),
    happened: (turn, before, fact, after) => {
      const replacing = 'plain' in before && before.plain === true ? 'no' : 'asWished';
      spendAt({ open, metrics, now: ports.now }, turn, { before, fact, after }, (now) => askOf(turn, replacing, now));
    },
    left: ({ order, issuer }) => open.known(issuer)?.desk.leave(order.metadata.uid ?? ''),
    acted: (issuer) => unpause(open, issuer, accountOf(issuer)),
    account: async (issuer, how) => (await open.at(issuer)).newAccounts.make(issuer, how, { ports, metrics }),
    isCalled: (issuer) => open.known(issuer)?.newAccounts.isCalled(issuer) === true,
    samples: () => open.all().map((bureau) => sampleOf(bureau, ports.now())),
    [Symbol.asyncDispose]: async () => {
      unsubscribe();
      await open[Symbol.asyncDispose]();
    },
  };
}

/** On this process's clock. What the Order tells already stays, unless it is far from right. */
function toldOf(bureau: Bureau, order: Order, place: Place | undefined, now: number): ReturnType<Budgets['place']> {
  if (place === undefined || place.kind === 'gone') return undefined;
  if (place.kind === 'admitted') return 'admitted';
  const { wait, since } = place;
  const behindMs = now - bureau.now();
  const here = { ...wait, ...(wait.until !== undefined && { until: wait.until + behindMs }) };
  return retold(notedWait(order), lineWords(here, since + behindMs, now), now);
}

function leaving(now: number): Told {
  return { reason: 'RateLimited', message: 'Certway is about to stop, or the order is gone.', until: now + 1_000 };
}

const unlimited: Budgets = {
  ask: () => Promise.resolve({ kind: 'admitted' }),
  place: () => 'admitted',
  made: () => undefined,
  happened: () => undefined,
  left: () => undefined,
  acted: () => undefined,
  account: (_, { make }) => make(),
  isCalled: () => false,
  samples: () => [],
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
