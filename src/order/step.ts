// The order's state machine: `effectOf` says what a state asks for, `step` what a fact makes of it. Pure; called by apply/perform-order.ts.
//
//   intended ──find/place──▶ placed ──readAuthorizations──▶ opened ──record──▶ recorded ──present──▶ presented
//   known ──readOrder──▶ placed | ready | finalizing | downloadable | failed          (after a restart)
//   presented ──check──▶ reachable ──answer──▶ validating ──readAuthorizations──▶ ready ──finalize──▶ finalizing
//   presented ──check: unreachable──▶ recorded, with a wait
//   finalizing ──readOrder──▶ downloadable ──download──▶ issued
//   any ──the CA says invalid──▶ failed      any ──problem──▶ the same state with a wait, or failed (problem.ts)

import type { CaAuthorization, CaOrder } from './ca.ts';
import { afterProblem, carry } from './problem.ts';
import type { OrderEffect, OrderFact, OrderState, Proof } from './state.ts';

/** What the state asks to be done now; `wait` until a moment, or `rest` when the order's life is over. */
export function effectOf(state: OrderState, now: number): OrderEffect {
  if ('wait' in state && state.wait !== undefined && state.wait.until > now) {
    return { kind: 'wait', until: state.wait.until };
  }
  switch (state.kind) {
    case 'intended':
      return { kind: state.asked === 'no' ? 'place' : 'find' };
    case 'known':
      return { kind: 'readOrder', url: state.url };
    case 'placed':
      return { kind: 'readAuthorizations', urls: state.order.authorizations };
    case 'opened':
      return { kind: 'record', order: state.order, authorizations: state.authorizations };
    case 'recorded':
      return { kind: 'present', hosts: state.proofs.map((proof) => proof.host) };
    case 'presented':
      return { kind: 'check', proofs: state.proofs };
    case 'reachable':
      return { kind: 'answer', proofs: state.proofs };
    case 'validating':
      return { kind: 'readAuthorizations', urls: state.proofs.map((proof) => proof.authorizationUrl) };
    case 'ready':
      return { kind: 'finalize', order: state.order };
    case 'finalizing':
      return { kind: 'readOrder', url: state.order.url };
    case 'downloadable':
      return { kind: 'download', url: state.certificateUrl };
    case 'issued':
    case 'failed':
      return { kind: 'rest' };
    default:
      return state satisfies never;
  }
}

/** The state after a fact; a fact that the state did not ask for leaves it as it is. */
export function step(state: OrderState, fact: OrderFact, now: number): OrderState {
  switch (fact.kind) {
    case 'problem':
      return afterProblem(state, fact.problem, now);
    case 'order':
      return afterOrder(state, fact.order, now);
    case 'notFound':
      return state.kind === 'intended' ? { kind: 'intended', asked: 'no' } : state;
    case 'authorizations':
      return afterAuthorizations(state, fact.authorizations, now);
    case 'done':
      return afterDone(state);
    case 'unreachable':
      return afterUnreachable(state, fact.message, now);
    case 'certificate':
      return state.kind === 'downloadable' ? { kind: 'issued', order: state.order, chainPem: fact.chainPem } : state;
    default:
      return fact satisfies never;
  }
}

function afterOrder(state: OrderState, order: CaOrder, now: number): OrderState {
  switch (order.status) {
    case 'pending':
      // A finalize or a poll that finds the order pending again means that an authorization has lapsed: read them afresh.
      return { kind: 'placed', order, ...carry(state) };
    case 'ready':
      // An order that answered `ready` to a finalize did not take it; an interval keeps that from spinning.
      return state.kind === 'finalizing'
        ? { kind: 'ready', order, wait: pause(order.retryAt, state.polls, now), ...carry(state) }
        : recordFirst(state, order, { kind: 'ready', order, ...carry(state) });
    case 'processing': {
      const polls = state.kind === 'finalizing' ? state.polls + 1 : 0;
      return { kind: 'finalizing', order, polls, wait: pause(order.retryAt, polls, now) };
    }
    case 'valid':
      return order.certificate === undefined
        ? { kind: 'failed', phase: 'errored', reason: 'The CA calls the order valid but names no certificate.' }
        : { kind: 'downloadable', order, certificateUrl: order.certificate };
    case 'invalid':
      // Why it failed stands in the authorizations; the order's own error is often empty (RFC 8555 §7.1.3).
      return order.error === undefined && (state.kind === 'known' || state.kind === 'intended')
        ? { kind: 'placed', order, ...carry(state) }
        : { kind: 'failed', phase: 'invalid', reason: order.error?.detail ?? 'The CA calls the order invalid.' };
    default:
      return order.status satisfies never;
  }
}

/** A new order whose names are all proven already still has its URL recorded before anything else is asked. */
function recordFirst(state: OrderState, order: CaOrder, next: OrderState): OrderState {
  return state.kind === 'intended' ? { kind: 'opened', order, authorizations: [], proofs: [] } : next;
}

function afterAuthorizations(state: OrderState, authorizations: readonly CaAuthorization[], now: number): OrderState {
  const refused = authorizations.find((each) => each.status !== 'pending' && each.status !== 'valid');
  if (refused !== undefined) {
    return { kind: 'failed', phase: refused.status === 'expired' ? 'expired' : 'invalid', reason: whyInvalid(refused) };
  }
  switch (state.kind) {
    case 'placed':
      return open(state, authorizations);
    case 'validating': {
      const open = authorizations.filter((each) => each.status === 'pending');
      if (open.length === 0) return { kind: 'ready', order: state.order, ...carry(state) };
      const retryAt = Math.max(...open.map((each) => each.retryAt ?? 0));
      const waiting = new Set(open.map((each) => each.url));
      return {
        ...state,
        proofs: state.proofs.filter((proof) => waiting.has(proof.authorizationUrl)),
        polls: state.polls + 1,
        wait: pause(retryAt, state.polls + 1, now),
      };
    }
    default:
      return state;
  }
}

function open(state: OrderState & { kind: 'placed' }, authorizations: readonly CaAuthorization[]): OrderState {
  const { order } = state;
  if (order.status === 'invalid') {
    return { kind: 'failed', phase: 'invalid', reason: 'The CA calls the order invalid.' };
  }
  const proofs: Proof[] = [];
  for (const authorization of authorizations) {
    if (authorization.status === 'valid') continue;
    const challenge = authorization.challenges.find((each) => each.type === 'http-01' && each.token !== undefined);
    if (challenge?.token === undefined) {
      const name = `${authorization.wildcard ? '*.' : ''}${authorization.identifier.value}`;
      return {
        kind: 'failed',
        phase: 'errored',
        reason: `The CA offers no HTTP-01 challenge for ${name}; use an issuer with a DNS-01 solver.`,
      };
    }
    const { url: challengeUrl, token } = challenge;
    proofs.push({ host: authorization.identifier.value, authorizationUrl: authorization.url, challengeUrl, token });
  }
  return { kind: 'opened', order, authorizations, proofs, ...carry(state) };
}

function afterDone(state: OrderState): OrderState {
  switch (state.kind) {
    case 'opened':
      return state.proofs.length === 0
        ? { kind: 'ready', order: state.order, ...carry(state) }
        : { kind: 'recorded', order: state.order, proofs: state.proofs, ...carry(state) };
    case 'recorded':
      return { ...state, kind: 'presented' };
    case 'presented':
      return { kind: 'reachable', order: state.order, proofs: state.proofs, ...carry(state) };
    case 'reachable':
      return { kind: 'validating', order: state.order, proofs: state.proofs, polls: 0, ...carry(state) };
    default:
      return state;
  }
}

function afterUnreachable(state: OrderState, message: string, now: number): OrderState {
  if (state.kind !== 'presented' && state.kind !== 'recorded') return state;
  const attempts = (state.wait?.attempts ?? 0) + 1;
  // A route is programmed within milliseconds, a name may take hours: start fast, then thin out to once a minute.
  const until = now + Math.min(60_000, 50 * 2 ** Math.min(attempts - 1, 11));
  // Back to presenting, which costs nothing while the route stands: somebody may have deleted it.
  return { ...state, kind: 'recorded', wait: { until, reason: 'SelfCheckFailed', message, attempts } };
}

function whyInvalid(authorization: CaAuthorization): string {
  const error = authorization.challenges.find((each) => each.error !== undefined)?.error;
  const name = authorization.identifier.value;
  return error === undefined
    ? `The CA's authorization for ${name} is ${authorization.status}.`
    : `The CA could not validate ${name}: ${error.detail}`;
}

/** The next look at something the CA is working on: its own Retry-After, else a growing interval. */
function pause(retryAt: number | undefined, polls: number, now: number) {
  const until = Math.max(retryAt ?? 0, now + Math.min(5_000, 100 * 2 ** Math.min(polls, 6)));
  return { until, reason: 'Processing', message: 'The CA is working on it.', attempts: 0 };
}
