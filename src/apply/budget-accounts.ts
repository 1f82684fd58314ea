// Making an account within the CA's limit for that: one after the other, for all who ask at once would find the same room. Called by budgets.ts for
// issuer-account.ts.

import type { Registered } from '../acme/account.ts';
import type { AcmeProblem } from '../acme/problem.ts';
import type { Reply } from '../api/reply.ts';
import type { LimitName } from '../budget/limits.ts';
import { timestamp } from '../plan/conditions.ts';
import type { Metrics } from '../report/metrics.ts';
import type { Bureau } from './budget-bureau.ts';
import { toldOf } from './budget-spend.ts';
import type { Ports } from './ports.ts';

export type Registering = Promise<Reply<Registered, AcmeProblem>>;

export interface NewAccount {
  /** Registers the key, or finds its account. */
  make(): Registering;
  /** Finds its account, which costs nothing. */
  find(): Promise<Reply<Registered | undefined, AcmeProblem>>;
}

export interface AccountNeeds {
  readonly ports: Pick<Ports, 'now'>;
  readonly metrics: Pick<Metrics, 'budgetRefused' | 'budgetDenied'>;
}

const limit: LimitName = 'newAccountsPerIp';

export function makeAccount(bureau: Bureau, how: NewAccount, needs: AccountNeeds): Registering {
  const work = () => registered(bureau, how, needs);
  return bureau.limits().limits[limit] === undefined ? work() : bureau.inTurn(work);
}

async function registered(bureau: Bureau, how: NewAccount, needs: AccountNeeds): Registering {
  const { desk, books, now } = bureau;
  const waitMs = desk.ledger.nextAccount(now()) - now();
  if (waitMs > 0) {
    const found = await how.find();
    if (!found.ok) return found;
    if (found.value !== undefined) return { ok: true, value: found.value };
    needs.metrics.budgetDenied(limit);
    return full(needs.ports.now() + waitMs);
  }
  const made = await how.make();
  if (made.ok && made.value.isNew) {
    desk.ledger.accountMade(made.value.url, now());
    books.changed(made.value.url);
  }
  const refusal = made.ok ? undefined : made.problem;
  if (refusal?.kind === 'rateLimited' || refusal?.kind === 'unavailable') {
    desk.ledger.told(undefined, toldOf(refusal, now() - needs.ports.now()), now());
    if (refusal.kind === 'rateLimited') needs.metrics.budgetRefused(refusal.limit ?? 'unknown');
  }
  return made;
}

function full(retryAt: number): { readonly ok: false; readonly problem: AcmeProblem } {
  const detail = `The CA's limit ${limit} leaves no room for another account before about ${timestamp(retryAt)}.`;
  return { ok: false, problem: { kind: 'rateLimited', detail, retryAt } };
}
