// The order's state machine: `effectOf` says what a state asks for, `step` what a fact makes of it. Pure; called by apply/perform-order.ts.
//
//   intended, maybe asked ──find──▶ placed | intended, not asked
//   intended, not asked ──preflight──▶ cleared ──admit──▶ cleared, admitted ──place──▶ placed
//   placed ──readAuthorizations──▶ opened ──record──▶ recorded
//   recorded ──present──▶ presented ──check──▶ reachable ──answer──▶ validating ──readAuthorizations──▶ ready
//   ready ──finalize──▶ finalizing ──readOrder──▶ downloadable ──download──▶ issued
//   known ──readOrder──▶ placed | ready | finalizing | downloadable | failed          (after a restart)
//   recorded ──present──▶ reachable      where every proof is HTTP-01 and the preflight has just walked there
//   cleared ──limited──▶ cleared with a wait      cleared for more than a minute ──admitted──▶ intended, not asked
//   intended, presented ──unreachable──▶ intended, recorded with a wait      cleared ──notReplaceable──▶ cleared, plain, not admitted
//   intended, not asked ──cleared, to be rehearsed──▶ rehearsing ──every name is proven there──▶ cleared      (rehearsal.ts)
//   any ──the CA says invalid──▶ failed      any ──problem──▶ the same state with a wait, or failed (problem.ts)

import type { CaAuthorization, CaOrder } from './ca.ts';
import { admitted, cleared, limited, withoutAdmission } from './clearance.ts';
import { open } from './opening.ts';
import { afterProblem, carry, standstill } from './problem.ts';
import { afterClosing, endOf, insideOf, rehearsed, rehearsing } from './rehearsal.ts';
import type { OrderEffect, OrderFact, OrderState } from './state.ts';
import { circling, mostCircles, pause } from './wait.ts';

/** What the state asks to be done now; `wait` until a moment, or `rest` when the order's life is over. */
export function effectOf(state: OrderState, now: number): OrderEffect {
  if ('wait' in state && state.wait !== undefined && state.wait.until > now) {
    return { kind: 'wait', until: state.wait.until };
  }
  switch (state.kind) {
    case 'rehearsing': {
      const { directory } = state;
      return endOf(state) ?? { kind: 'rehearse', directory, effect: effectOf(insideOf(state), now) };
    }
    case 'intended':
      return { kind: state.asked === 'no' ? 'preflight' : 'find' };
    case 'cleared':
      return { kind: state.admitted === true ? 'place' : 'admit', replacing: state.plain === true ? 'no' : 'asWished' };
    case 'known':
      return { kind: 'readOrder', url: state.url };
    case 'placed':
      return { kind: 'readAuthorizations', urls: state.order.authorizations };
    case 'opened':
      return { kind: 'record', order: state.order, authorizations: state.authorizations };
    case 'recorded':
      return { kind: 'present', proofs: state.proofs };
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
  if (state.kind === 'rehearsing') {
    return endOf(state) === undefined
      ? rehearsed(state, step(insideOf(state), fact, now), now)
      : afterClosing(state, fact, now);
  }
  switch (fact.kind) {
    case 'problem':
      return afterProblem(state, fact.problem, now);
    case 'order':
      return afterOrder(state, fact.order, now);
    case 'notFound':
      return state.kind === 'intended' ? { ...state, kind: 'intended', asked: 'no' } : state;
    case 'notReplaceable':
      // Another order before the CA's limits than the one that was admitted.
      return state.kind === 'cleared' ? { ...withoutAdmission(state), plain: true } : state;
    case 'authorizations':
      return afterAuthorizations(state, fact, now);
    case 'done':
      return afterDone(state, now);
    case 'prepared':
      return state;
    case 'cleared':
      if (state.kind !== 'intended') return state;
      return fact.rehearse === undefined ? cleared(state, fact, now) : rehearsing(state, fact, fact.rehearse, now);
    case 'admitted':
      return state.kind === 'cleared' ? admitted(state, now) : state;
    case 'limited':
      return state.kind === 'cleared' ? limited(state, fact) : state;
    case 'unreachable':
      return afterUnreachable(state, fact, now);
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
      return isFinal(state) ? again(state, { kind: 'placed', order }, now) : { kind: 'placed', order, ...carry(state) };
    case 'ready':
      // An order that answered `ready` to a finalize did not take it.
      return isFinal(state)
        ? again(state, { kind: 'ready', order }, now)
        : recordFirst(state, order, { kind: 'ready', order, ...carry(state) });
    case 'processing': {
      const polls = state.kind === 'finalizing' ? state.polls + 1 : 0;
      return late(order, now) ?? { kind: 'finalizing', order, polls, wait: pause(order.retryAt, polls, now) };
    }
    case 'valid':
      return order.certificate === undefined
        ? { kind: 'failed', phase: 'errored', reason: 'The CA calls the order valid but names no certificate.' }
        : { kind: 'downloadable', order, certificateUrl: order.certificate };
    case 'invalid':
      // Why it failed stands in the authorizations; the order's own error is often empty (RFC 8555 §7.1.3).
      return order.error === undefined &&
        (state.kind === 'known' || state.kind === 'intended' || state.kind === 'cleared')
        ? { kind: 'placed', order, ...carry(state) }
        : { kind: 'failed', phase: 'invalid', reason: order.error?.detail ?? 'The CA calls the order invalid.' };
    default:
      return order.status satisfies never;
  }
}

function isFinal({ kind }: OrderState): boolean {
  return kind === 'ready' || kind === 'finalizing';
}

/** The CA takes its time, or runs in a circle: each turn waits longer, and there is an end of it. */
function again(
  state: OrderState,
  next: { readonly kind: 'placed' | 'ready'; readonly order: CaOrder },
  now: number,
): OrderState {
  const carried = carry(state);
  const circles = (carried.circles ?? 0) + 1;
  if (circles > mostCircles) return standstill;
  return { ...next, ...carried, circles, wait: circling(circles, next.order.retryAt, now) };
}

/** An order that is still under way when the CA meant to have forgotten it. */
function late({ expires }: CaOrder, now: number): OrderState | undefined {
  if (expires === undefined || now < expires) return undefined;
  return { kind: 'failed', phase: 'expired', reason: 'The order expired while the CA was working on it.' };
}

/** A new order whose names are all proven already still has its URL recorded before anything else is asked. */
function recordFirst(state: OrderState, order: CaOrder, next: OrderState): OrderState {
  const isNew = state.kind === 'intended' || state.kind === 'cleared';
  return isNew ? { kind: 'opened', order, authorizations: [], proofs: [], ...carry(state) } : next;
}

type Authorized = OrderFact & { readonly kind: 'authorizations' };

function afterAuthorizations(state: OrderState, { authorizations, means }: Authorized, now: number): OrderState {
  const refused = authorizations.find((each) => each.status !== 'pending' && each.status !== 'valid');
  if (refused !== undefined) {
    return { kind: 'failed', phase: refused.status === 'expired' ? 'expired' : 'invalid', reason: whyInvalid(refused) };
  }
  switch (state.kind) {
    case 'placed':
      return open(state, authorizations, means);
    case 'validating': {
      const open = authorizations.filter((each) => each.status === 'pending');
      if (open.length === 0) return { kind: 'ready', order: state.order, ...carry(state) };
      const expired = late(state.order, now);
      if (expired !== undefined) return expired;
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

function afterDone(state: OrderState, now: number): OrderState {
  switch (state.kind) {
    case 'opened':
      return state.proofs.length === 0
        ? { kind: 'ready', order: state.order, ...carry(state) }
        : { kind: 'recorded', order: state.order, proofs: state.proofs, ...carry(state) };
    case 'recorded':
      return state.walked === true && state.proofs.every(({ type }) => type === 'http-01')
        ? { kind: 'reachable', order: state.order, proofs: state.proofs, ...carry(state) }
        : { ...state, kind: 'presented' };
    case 'presented':
      return { kind: 'reachable', order: state.order, proofs: state.proofs, ...carry(state) };
    case 'reachable':
      return validating(state, now);
    default:
      return state;
  }
}

function validating(state: OrderState & { kind: 'reachable' }, now: number): OrderState {
  const { order, proofs } = state;
  const looking = proofs.flatMap((proof) => (proof.looking === undefined ? [] : [proof.looking.retryAt ?? 0]));
  // What was answered just now is asked about at once: many a CA has looked by then.
  const wait = looking.length === 0 ? {} : { wait: pause(Math.max(...looking), 0, now) };
  const { troubles: _, ...carried } = carry(state);
  return { kind: 'validating', order, proofs, polls: 0, ...carried, ...wait };
}

function afterUnreachable(state: OrderState, fact: OrderFact & { kind: 'unreachable' }, now: number): OrderState {
  if (state.kind !== 'presented' && state.kind !== 'recorded' && state.kind !== 'intended') return state;
  const attempts = (state.wait?.attempts ?? 0) + 1;
  const { message, reason = 'SelfCheckFailed' } = fact;
  // A route is programmed within milliseconds, a name may take hours: start fast, then thin out to once a minute.
  // Whatever else than a look has failed is mended by somebody, whose event comes sooner.
  const most = reason === 'SelfCheckFailed' ? 60_000 : 600_000;
  const until = fact.until ?? now + Math.min(most, 50 * 2 ** Math.min(attempts - 1, 20));
  const wait = { until, reason, message, attempts };
  if (state.kind === 'intended') return { ...state, wait };
  const { expires } = state.order;
  if (expires !== undefined && now >= expires) {
    return {
      kind: 'failed',
      phase: 'expired',
      reason: `The order expired before the CA could be asked to look: ${message}`,
    };
  }
  const { walked: _, ...unwalked } = state;
  // Back to presenting, which costs nothing while the route stands: somebody may have deleted it.
  return { ...unwalked, kind: 'recorded', wait };
}

function whyInvalid(authorization: CaAuthorization): string {
  const error = authorization.challenges.find((each) => each.error !== undefined)?.error;
  const name = authorization.identifier.value;
  return error === undefined
    ? `The CA's authorization for ${name} is ${authorization.status}.`
    : `The CA could not validate ${name}: ${error.detail}`;
}
