// What a refusal or a failure of the CA makes of an order: wait and try again, look first, or give up with a reason. Called by step.ts.

import type { CaProblem } from './ca.ts';
import type { OrderState } from './state.ts';
import { backOff, type Counted, circling, mostCircles, slowDown, waitFor } from './wait.ts';

/** The state after a problem with the effect that `state` asked for. */
export function afterProblem(state: OrderState, problem: CaProblem, now: number): OrderState {
  if (state.kind === 'issued' || state.kind === 'failed') return state;
  const last = countedIn(state);
  switch (problem.kind) {
    case 'rateLimited':
      return unplaced({ ...state, wait: slowDown(last, problem, now) });
    case 'unavailable':
      return uncertain({
        ...state,
        wait: waitFor(last, 'CAUnavailable', problem.detail, problem.retryAt ?? backOff(last, now)),
      });
    case 'network': {
      const waiting = {
        ...state,
        wait: waitFor(last, 'CAUnreachable', problem.detail, backOff(last, now)),
      };
      return problem.sent === 'maybe' ? uncertain(waiting) : unplaced(waiting);
    }
    case 'malformed':
      return uncertain({
        ...state,
        wait: waitFor(last, 'CAMalformedReply', problem.detail, backOff(last, now)),
      });
    case 'refused':
      return afterRefusal(state, problem, now);
    default:
      return problem satisfies never;
  }
}

/**
 * After a wait the path is walked again: it may be another one by then. Of several challenges some may have been answered before one was refused, and
 * the key that records were written for may be another one: the order is looked at first.
 */
export function unplaced(state: Active): OrderState {
  if (state.kind === 'reachable') return uncertain(state);
  if (state.kind !== 'cleared') return state;
  const { plain, wait } = state;
  return { kind: 'intended', asked: 'no', ...(plain && { plain }), ...(wait !== undefined && { wait }) };
}

/** One endpoint may fail while the look in between succeeds: that makes no attempt the first one. */
function countedIn(state: Active): Counted {
  const attempts = Math.max(state.wait?.attempts ?? 0, state.troubles ?? 0);
  return attempts === 0 ? undefined : { attempts };
}

type Active = Exclude<OrderState, { kind: 'issued' | 'failed' }>;

/** The CA may have acted although no good answer came: look before asking for the same thing again. */
function uncertain(state: Active): OrderState {
  const wait = { ...(state.wait && { wait: state.wait }) };
  switch (state.kind) {
    case 'intended':
    case 'cleared':
      return { kind: 'intended', asked: 'maybe', ...(state.plain === true && { plain: true }), ...wait };
    case 'ready':
    case 'reachable':
      return { kind: 'known', url: state.order.url, ...wait, ...carry(state), troubles: state.wait?.attempts ?? 0 };
    default:
      return state;
  }
}

/** The end of an order that the CA never takes a step with. */
export const standstill: OrderState = {
  kind: 'failed',
  phase: 'errored',
  reason: 'The CA does not go on with the order although every name is proven.',
};

function afterRefusal(state: Active, problem: CaProblem & { kind: 'refused' }, now: number): OrderState {
  const gone = problem.status === 404;
  const circles = (carry(state).circles ?? 0) + 1;
  if (state.kind === 'ready' && problem.type === 'orderNotReady' && circles > mostCircles) return standstill;
  if (state.kind === 'ready' && problem.type === 'orderNotReady') {
    // Every name is proven, and the CA has not noticed yet (RFC 8555 §7.4): it is looked at again, later each time.
    return {
      kind: 'known',
      url: state.order.url,
      ...carry(state),
      circles,
      wait: circling(circles, problem.retryAt, now),
    };
  }
  if (state.kind === 'ready' || state.kind === 'reachable') {
    // A finalize that was answered before the reply was lost, or a challenge that is settled already, is refused as
    // orderNotReady, malformed or unauthorized; the order itself tells which (RFC 8555 §7.4, §7.5.1).
    const refusals = (state.refusals ?? 0) + 1;
    if (refusals <= 3 && problem.type !== 'badCSR' && problem.type !== 'rejectedIdentifier') {
      const wait = waitFor(state.wait, 'CARefused', problem.detail, problem.retryAt ?? backOff(state.wait, now));
      return { kind: 'known', url: state.order.url, wait, refusals };
    }
  }
  if (gone && state.kind !== 'intended' && state.kind !== 'cleared') {
    return { kind: 'failed', phase: 'expired', reason: `The CA no longer knows the order: ${problem.detail}` };
  }
  return { kind: 'failed', phase: 'errored', reason: `The CA refused (${problem.type}): ${problem.detail}` };
}

/** The part of a state that outlives its step. */
export function carry(state: OrderState): {
  readonly refusals?: number;
  readonly circles?: number;
  readonly troubles?: number;
  readonly walked?: true;
} {
  return {
    ...('troubles' in state && state.troubles !== undefined && { troubles: state.troubles }),
    ...('circles' in state && state.circles !== undefined && { circles: state.circles }),
    ...('refusals' in state && state.refusals !== undefined && { refusals: state.refusals }),
    ...('walked' in state && state.walked === true && { walked: true as const }),
  };
}
