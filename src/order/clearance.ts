// An order between its preflight and the CA: its paths answer, and it waits for its turn within the CA's limits. Called by step.ts.

import { unplaced } from './problem.ts';
import type { OrderFact, OrderState } from './state.ts';
import { inLine } from './wait.ts';

type Cleared = OrderState & { readonly kind: 'cleared' };

/** Every path answered. An expired wait is kept for its count: failures of the CA must thin out although the path is fine each time. */
export function cleared(
  state: OrderState & { kind: 'intended' },
  fact: OrderFact & { kind: 'cleared' },
  now: number,
): OrderState {
  return {
    kind: 'cleared',
    at: now,
    ...(fact.walked && { walked: true }),
    ...(state.plain === true && { plain: true }),
    ...(state.wait !== undefined && { wait: state.wait }),
  };
}

/** How long (ms) a path that answered is believed to answer still. */
const believed = 60_000;

/** The line may have been long: a path that has died meanwhile would cost what the order was admitted to. */
export function admitted(state: Cleared, now: number): OrderState {
  return Math.abs(now - state.at) > believed ? unplaced(state) : { ...state, admitted: true };
}

/** Not its turn: it waits as it is, and asks again. */
export function limited(state: Cleared, fact: OrderFact & { kind: 'limited' }): OrderState {
  return { ...withoutAdmission(state), wait: inLine(state.wait, fact) };
}

export function withoutAdmission({ admitted: _, ...state }: Cleared): Cleared {
  return state;
}
