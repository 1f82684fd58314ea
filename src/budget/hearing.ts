// What a CA's own word about its limits does to the cells and holds of its ledger. Part of the ledger, which is told every refusal.

import type { Ask } from './ask.ts';
import type { Cells } from './cells.ts';
import type { Company } from './company.ts';
import type { Holds } from './holds.ts';
import type { KnownUses } from './known-uses.ts';
import { ownAddress } from './subject.ts';
import { limitOfFragment, namedUse, type ToldProblem } from './told.ts';

/** Where the CA says «later» without a time. */
const defaultHold = 60_000;
const endpointHold = 10_000;

export interface Hearers {
  readonly cells: Cells;
  readonly company: Company;
  readonly holds: Holds;
  readonly known: KnownUses;
}

/** `ask` is whose request was refused, where it was an order's. */
export function hear(by: Hearers, ask: Ask | undefined, problem: ToldProblem, now: number): void {
  const { status, retryAt } = problem;
  if (status === 503) by.holds.holdDirectory(retryAt ?? now + endpointHold, now);
  if (status !== 429) return;
  const until = Math.max(retryAt ?? now + defaultHold, now + 1000);
  const limit = limitOfFragment(problem.limit);
  if (limit === 'newAccountsPerIp') by.cells.hold(limit, ownAddress, until, now);
  else if (ask !== undefined) refused(by, ask, problem, until, now);
}

function refused(
  { cells, company, holds, known }: Hearers,
  ask: Ask,
  problem: ToldProblem,
  until: number,
  now: number,
): void {
  const limit = limitOfFragment(problem.limit);
  // Whatever class we took it for, the CA may have seen it as new.
  const { uses, set } = known.read({ ...ask, class: 'new' });
  const names = set.subject;
  const { pauseUrl, retryAt, detail } = problem;
  if (pauseUrl !== undefined && retryAt === undefined) {
    holds.pause(ask.account, names, pauseUrl);
    return;
  }
  const use = limit === undefined ? undefined : namedUse(uses, limit, detail);
  const of = { limit: limit ?? 'accountHeld', subject: use?.subject ?? ask.account } as const;
  holds.refuse(ask.account, names, of, until, now);
  if (limit === undefined) holds.holdAccount(ask.account, until, now);
  if (limit === 'newOrdersPerAccount') company.refused(ask.account, now);
  if (use !== undefined) cells.hold(use.limit, use.subject, until, now).accounts.add(ask.account);
}
