// Making an account within the CA's limit for that: one after the other, for all who ask at once would find the same room, and tenants in turn. Whoever
// had to wait is called when there is room. Called by budgets.ts for issuer-account.ts and rehearsal-turn.ts.

import type { Registered } from '../acme/account.ts';
import type { AcmeProblem } from '../acme/problem.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { AccountLine } from '../budget/account-line.ts';
import type { LimitName } from '../budget/limits.ts';
import { timestamp } from '../plan/conditions.ts';
import type { Metrics } from '../report/metrics.ts';
import type { Bureau } from './budget-bureau.ts';
import { toldOf } from './budget-spend.ts';
import { issuerKey } from './issuer-of.ts';
import type { Ports } from './ports.ts';

export type Registering = Promise<Reply<Registered, AcmeProblem>>;

export interface NewAccount {
  /** Registers the key, or finds its account. */
  make(): Registering;
  /** Finds its account, which costs nothing. */
  find(): Promise<Reply<Registered | undefined, AcmeProblem>>;
  /** Of who waits for it; else the issuer is woken. */
  wake?(): void;
}

export interface AccountNeeds {
  readonly ports: Pick<Ports, 'now' | 'wakeIssuer'>;
  readonly metrics: Pick<Metrics, 'budgetRefused' | 'budgetDenied'>;
}

const limit: LimitName = 'newAccountsPerIp';
/** No timer sleeps longer: clocks are set, and machines sleep. */
const longestSleepMs = 60_000;
/** Whoever was called comes by then. */
const comesMs = 60_000;
/** More are not called at once: where nothing binds any more they are all called in the end. */
const mostCalled = 100;

/** The line of those that want an account at one CA. */
export class AccountDesk implements Disposable {
  readonly #line = new AccountLine();
  /** By UID of the issuer. */
  readonly #wakes = new Map<string, () => void>();
  /** Since when. */
  readonly #called = new Map<string, number>();
  readonly #bureau: Pick<Bureau, 'desk' | 'books' | 'now' | 'inTurn' | 'limits'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(bureau: Pick<Bureau, 'desk' | 'books' | 'now' | 'inTurn' | 'limits'>) {
    this.#bureau = bureau;
  }

  /** Registers the issuer's key, or finds its account, or says when to come again. */
  make(issuer: Issuer, how: NewAccount, needs: AccountNeeds): Registering {
    const { limits, inTurn } = this.#bureau;
    this.#called.delete(uidOf(issuer));
    const work = () => this.#registered(issuer, how, needs);
    return limits().limits[limit] === undefined ? work() : inTurn(work);
  }

  /** It waited for its turn, which has come. */
  isCalled(issuer: Issuer): boolean {
    return this.#called.has(uidOf(issuer));
  }

  /** There may be room that was not there before. */
  changed(): void {
    clearTimeout(this.#timer);
    const { desk, now } = this.#bureau;
    this.#forget(now());
    if (this.#line.isEmpty) return;
    let room = 0;
    while (room < mostCalled && desk.ledger.nextAccount(now(), room) <= now()) room += 1;
    for (const id of this.#line.next(room, now())) {
      const wake = this.#wakes.get(id);
      if (wake === undefined || this.#called.has(id)) continue;
      this.#called.set(id, now());
      wake();
    }
    const sleepMs = Math.max(1_000, Math.min(longestSleepMs, desk.ledger.nextAccount(now()) - now()));
    this.#timer = setTimeout(() => this.changed(), sleepMs).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  async #registered(issuer: Issuer, how: NewAccount, needs: AccountNeeds): Registering {
    const { desk, books, now } = this.#bureau;
    const { ledger } = desk;
    const [id, tenant] = [uidOf(issuer), issuer.metadata.namespace ?? ''];
    const ahead = this.#line.ahead(id, tenant, now());
    const waitMs = ledger.nextAccount(now(), ahead) - now();
    if (waitMs > 0) {
      const found = await how.find();
      if (!found.ok) return found;
      if (found.value !== undefined) {
        this.#leave(id);
        return { ok: true, value: found.value };
      }
      needs.metrics.budgetDenied(limit);
      this.#line.wait(id, tenant, now() + waitMs, now());
      this.#wakes.set(id, how.wake ?? (() => needs.ports.wakeIssuer(issuerKey(issuer))));
      this.changed();
      return full(needs.ports.now() + waitMs);
    }
    const made = await how.make();
    this.#leave(id);
    if (made.ok && made.value.isNew) {
      ledger.accountMade(made.value.url, now());
      this.#line.served(tenant, now());
      books.changed(made.value.url);
    }
    const refusal = made.ok ? undefined : made.problem;
    if (refusal?.kind === 'rateLimited' || refusal?.kind === 'unavailable') {
      ledger.told(undefined, toldOf(refusal, now() - needs.ports.now()), now());
      if (refusal.kind === 'rateLimited') needs.metrics.budgetRefused(refusal.limit ?? 'unknown');
    }
    return made;
  }

  /** Who was called and does not come is gone, or wants no account any more: whoever stands behind comes next. */
  #forget(now: number): void {
    for (const [id, at] of this.#called) {
      if (now - at < comesMs) continue;
      this.#called.delete(id);
      this.#leave(id);
    }
  }

  #leave(id: string): void {
    this.#line.leave(id);
    this.#wakes.delete(id);
  }
}

function uidOf({ metadata }: Issuer): string {
  return metadata.uid ?? '';
}

function full(retryAt: number): { readonly ok: false; readonly problem: AcmeProblem } {
  const detail = `The CA's limit ${limit} leaves no room for another account before about ${timestamp(retryAt)}.`;
  return { ok: false, problem: { kind: 'rateLimited', detail, retryAt } };
}
