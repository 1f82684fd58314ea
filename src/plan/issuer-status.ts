// An issuer's status as it is to be written, or that it says the same already; and when something that a CA refused is tried again. Called by
// issuer.ts and rollover.ts.

import type { Issuer } from '../api/certmanager.ts';
import type { Condition } from '../api/meta.ts';
import { conditionOf, timestamp, withCondition } from './conditions.ts';
import type { Failure, IssuerAction, IssuerSeen, Readiness } from './issuer-seen.ts';

type Account = NonNullable<NonNullable<Issuer['status']>['acme']>;

export interface Saying {
  readonly type?: 'Ready' | 'AccountKeyRolledOver';
  readonly account?: Account;
  /** Another condition that changes with it. */
  readonly also?: Omit<Condition, 'lastTransitionTime'>;
}

/** The write that makes the condition say so; `rest` where it does. */
export function say(seen: IssuerSeen, readiness: Readiness, now: number, saying: Saying = {}): IssuerAction {
  const { type = 'Ready', account, also } = saying;
  const { status, metadata } = seen.issuer;
  const { lasting: _, ...said } = readiness;
  const observed = metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };
  const wanted = [{ type, ...said, ...observed }, ...(also === undefined ? [] : [{ ...also, ...observed }])];
  const acme = account ?? status?.acme;
  const isSaid = wanted.every((each) => same(conditionOf(status?.conditions, each.type), each));
  if (isSaid && sameAccount(acme, status?.acme)) return { kind: 'rest' };
  const conditions = wanted.reduce((all, each) => withCondition(all, each, now), status?.conditions ?? []);
  return {
    kind: 'writeStatus',
    status: { ...status, conditions, ...(acme !== undefined && { acme }) },
    ready: readiness,
  };
}

/** Says what failed and when it is tried again, and rests until then. */
export function sayFailure(
  seen: IssuerSeen,
  failed: { readonly failure: Failure; readonly reason: string; readonly until: number },
  now: number,
  saying: Saying = {},
): IssuerAction {
  const lasting = failed.failure.problem.detail;
  const message = `${lasting.replace(/[.\s]*$/, '.')} Tried again at ${timestamp(failed.until)}.`;
  const said = say(seen, { status: 'False', reason: failed.reason, message, lasting }, now, saying);
  return said.kind === 'rest' ? { kind: 'rest', revisitAt: failed.until } : said;
}

/** As the CA says; else 5 s doubling to 10 minutes, and to an hour for what it refused with a reason. Epoch ms. */
export function retryAt({ problem, attempts, at }: Failure): number {
  const asked = 'retryAt' in problem ? problem.retryAt : undefined;
  const longest = problem.kind === 'refused' ? 3_600_000 : 600_000;
  return asked ?? at + Math.min(longest, 5_000 * 2 ** Math.min(attempts - 1, 12));
}

export function ready(reason: string, message: string): Readiness {
  return { status: 'True', reason, message };
}

export function notReady(reason: string, message: string): Readiness {
  return { status: 'False', reason, message };
}

function same(last: Condition | undefined, wanted: Omit<Condition, 'lastTransitionTime'>): boolean {
  return (
    last?.status === wanted.status &&
    last.reason === wanted.reason &&
    last.message === wanted.message &&
    last.observedGeneration === wanted.observedGeneration
  );
}

function sameAccount(a: Account | undefined, b: Account | undefined): boolean {
  return (
    a?.uri === b?.uri &&
    a?.lastRegisteredEmail === b?.lastRegisteredEmail &&
    a?.lastPrivateKeyHash === b?.lastPrivateKeyHash
  );
}
