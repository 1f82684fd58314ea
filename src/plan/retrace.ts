// A proof whose path answered a moment ago, and leads elsewhere since: the way is walked again before the CA is told. Called by apply/perform-order.ts.

import type { OrderState, Proof } from '../order/state.ts';

/** The proofs whose paths the state believes to answer; none where the next step looks at them anyway. */
export function believedProofs(state: OrderState): readonly Proof[] {
  const isBelieved = state.kind === 'reachable' || (state.kind === 'recorded' && state.walked === true);
  return isBelieved ? state.proofs.filter(({ type }) => type === 'http-01') : [];
}

/** The same order before its paths were looked at; nothing is asked of the CA for it. */
export function retraced(state: OrderState): OrderState {
  switch (state.kind) {
    case 'reachable':
    case 'recorded': {
      const { walked: _, ...rest } = state;
      return { ...rest, kind: 'recorded' };
    }
    // Its place in line, or its rehearsal, was for a path that may be another one by then.
    case 'cleared':
    case 'rehearsing':
      return { kind: 'intended', asked: 'no', ...(state.plain === true && { plain: true }) };
    default:
      return state;
  }
}

/** Whether the order would be placed next, or is rehearsed. */
export function isBeforeItsPlace({ kind }: OrderState): boolean {
  return kind === 'cleared' || kind === 'rehearsing';
}
