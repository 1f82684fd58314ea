// Which record proves a name of an order, and what a failure on the way there means for it: when to look again, and in which words. Called by records.ts
// and check-records.ts.

import type { AcmeSolver } from '../api/certmanager.ts';
import type { Dns01Solver } from '../api/dns01-solver.ts';
import type { Reply } from '../api/reply.ts';
import { challengeValue } from '../dns/names.ts';
import type { DnsProblem } from '../dns/problem.ts';
import { recordFor } from '../dns/record.ts';
import { viewFor } from '../dns/view.ts';
import type { OrderFact, Proof } from '../order/state.ts';
import type { OrderTurn } from './order-turn.ts';
import { type KeptRecord, keptRecords, presentedRecord, recordKey } from './record-notes.ts';
import { wayTo } from './way.ts';

export type Unreachable = OrderFact & { readonly kind: 'unreachable' };

/** With its `*.`. */
export function nameOf({ host, wildcard }: Pick<Proof, 'host' | 'wildcard'>): string {
  return wildcard ? `*.${host}` : host;
}

/** The issuer's solver for the name as it is now, not as it was when the order was made: an edit of the issuer is a remedy. */
export function dnsSolver(
  { ports, request, issuer }: OrderTurn,
  name: string,
): (AcmeSolver & { readonly dns01: Dns01Solver }) | undefined {
  const way = wayTo(ports, request, issuer, name, ['dns-01']);
  if ('refusal' in way || way.type !== 'dns-01' || way.solver.dns01 === undefined) return undefined;
  return { ...way.solver, dns01: way.solver.dns01 };
}

/** One name to be proven with one key authorization. */
export interface Wish {
  readonly name: string;
  readonly keyAuthorization: string;
  readonly solver: Dns01Solver;
}

export function wishFor(turn: OrderTurn, proof: Proof, thumbprint: string): Wish | Unreachable {
  const name = nameOf(proof);
  const solver = dnsSolver(turn, name)?.dns01;
  if (solver !== undefined) return { name, keyAuthorization: `${proof.token}.${thumbprint}`, solver };
  const message = `No DNS-01 solver of the issuer is for ${name}.`;
  return { kind: 'unreachable', reason: 'NoChallengePath', message };
}

/** What the Order remembers for the wish, if anything. */
export function keptFor({ order }: Pick<OrderTurn, 'order'>, wish: Wish): KeptRecord | undefined {
  const value = challengeValue(wish.keyAuthorization);
  const spelled = JSON.stringify(wish.solver);
  const fitting = keptRecords(order).filter(
    ({ name, record, solver }) => name === wish.name && record.value === value && JSON.stringify(solver) === spelled,
  );
  // A CNAME that moved leaves two.
  return fitting.at(-1);
}

/** Asks DNS where the record belongs, unless this process has presented it already and nobody doubts that. */
export async function planRecord(
  turn: OrderTurn,
  wish: Wish,
  signal: AbortSignal,
): Promise<Reply<KeptRecord, DnsProblem>> {
  const { name, keyAuthorization, solver } = wish;
  const kept = keptFor(turn, wish);
  const presented = kept === undefined ? undefined : presentedRecord(turn.ports.records, recordKey(turn.order, kept));
  if (kept !== undefined && presented !== undefined && presented.doubted !== true) return { ok: true, value: kept };
  const view = viewFor(solver, turn.ports.dns.view);
  if (!view.ok) return view;
  const { cnameStrategy } = solver;
  const record = await recordFor({ dnsName: name, keyAuthorization, cnameStrategy }, view.value, signal);
  return record.ok ? { ok: true, value: { name, record: record.value, solver } } : record;
}

/** Nobody but a person mends these, and whoever mends the Secret or the issuer is noticed: there is no hurry to try again. */
const hopelessMs = { first: 10_000, most: 600_000 };
const failureMs = { first: 1_000, most: 600_000 };

/** The fact that a problem with DNS or its provider comes to. `reason` where no provider has been asked. */
export function stuck(turn: OrderTurn, problem: DnsProblem, reason: 'PresentError' | 'DNSLookupFailed'): Unreachable {
  const { message } = problem;
  switch (problem.kind) {
    case 'rateLimited':
      return { kind: 'unreachable', reason, message, until: problem.retryAt };
    case 'refused':
    case 'misconfigured':
      return { kind: 'unreachable', reason, message, until: laterBy(turn, hopelessMs) };
    case 'unavailable':
    case 'network':
      return { kind: 'unreachable', reason, message, until: laterBy(turn, failureMs) };
    default:
      return problem satisfies never;
  }
}

/** Epoch ms; doubles with each failure in a row of the order. */
export function laterBy(turn: OrderTurn, { first, most }: { readonly first: number; readonly most: number }): number {
  const { order } = turn.attempt;
  const tried = order !== undefined && 'wait' in order ? (order.wait?.attempts ?? 0) : 0;
  return turn.ports.now() + Math.min(most, first * 2 ** Math.min(tried, 20));
}
