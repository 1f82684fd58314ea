// Tells the ledger what a step of an order has cost, and what the CA said. Called by budgets.ts.

import type { Ask } from '../budget/ask.ts';
import type { ToldProblem } from '../budget/told.ts';
import type { CaProblem } from '../order/ca.ts';
import { type Spending, spendingOf } from '../order/spending.ts';
import type { OrderFact, OrderState } from '../order/state.ts';
import type { Metrics } from '../report/metrics.ts';
import type { Bureau, Bureaus } from './budget-bureau.ts';
import type { OrderTurn } from './order-turn.ts';

export interface Spenders {
  readonly open: Bureaus;
  readonly metrics: Pick<Metrics, 'budgetRefused'>;
  readonly now: () => number;
}

export interface Step {
  readonly before: OrderState;
  readonly fact: OrderFact;
  readonly after: OrderState;
}

/** `askOf` is asked only where something was spent. */
export function spendAt(
  by: Spenders,
  { issuer }: OrderTurn,
  { before, fact, after }: Step,
  askOf: (now: number) => Ask,
): void {
  const spent = spendingOf(before, fact, after);
  if (spent.length === 0) return;
  const count = (bureau: Bureau) => {
    const ask = askOf(bureau.now());
    for (const each of spent) spend(by, bureau, ask, each);
  };
  const bureau = by.open.known(issuer);
  if (bureau !== undefined) count(bureau);
  // An order of the last process goes on before anybody has asked: what is counted here is then not counted again.
  else void by.open.at(issuer).then(count);
}

function spend(by: Spenders, bureau: Bureau, ask: Ask, spent: Spending): void {
  const { desk, books } = bureau;
  const { ledger } = desk;
  const now = bureau.now();
  switch (spent.kind) {
    case 'unasked':
      ledger.unasked(ask);
      break;
    case 'found':
      ledger.reserve(ask, now);
      ledger.found(ask.id, now);
      desk.spent(ask.id);
      break;
    case 'placed':
      // One that was found at the CA has not been admitted by this process.
      ledger.reserve(ask, now);
      ledger.placed(ask.id, now);
      desk.spent(ask.id);
      break;
    case 'issued':
      ledger.issued(ask.id, now);
      break;
    case 'failed':
      ledger.failed(ask.id, spent.identifiers, now);
      break;
    case 'unspent':
      desk.leave(ask.id);
      return;
    case 'unsure':
      desk.spent(ask.id);
      return;
    case 'refused':
      ledger.told(ask, toldOf(spent.problem, now - by.now()), now);
      if (spent.problem.kind === 'rateLimited') by.metrics.budgetRefused(spent.problem.limit ?? 'unknown');
      break;
    default:
      spent satisfies never;
  }
  books.changed(ask.account);
  desk.changed();
}

/** `aheadMs`: by how much the CA's clock is ahead of ours. */
export function toldOf(
  problem: CaProblem & { readonly kind: 'rateLimited' | 'unavailable' },
  aheadMs: number,
): ToldProblem {
  const { detail, retryAt } = problem;
  const common = { detail, ...(retryAt !== undefined && { retryAt: retryAt + aheadMs }) };
  if (problem.kind === 'unavailable') return { status: problem.status, ...common };
  const { limit, pauseUrl } = problem;
  return {
    status: 429,
    ...common,
    ...(limit !== undefined && { limit }),
    ...(pauseUrl !== undefined && { pauseUrl }),
  };
}
