// One CA's budget for a scrape of the metrics, on this process's clock. Called by budgets.ts.

import type { BudgetSample } from '../report/budget-metrics.ts';
import type { Bureau } from './budget-bureau.ts';

export function sampleOf({ directory, desk, now, accounts }: Bureau, here: number): BudgetSample {
  const there = now();
  const behindMs = here - there;
  return {
    directory,
    cells: desk.ledger.view(there).map((cell) => ({ ...cell, nextFree: cell.nextFree + behindMs })),
    kept: accounts().map((account) => desk.ledger.kept(account, there)),
    waiting: [...desk.waiting()].map((ask) => ({ ...ask, since: ask.since + behindMs })),
  };
}
