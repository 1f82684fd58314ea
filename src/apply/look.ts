// Looks at the path of a proof, or asks a CA, without holding a worker: what answers is waited for, what does not lets go after a moment and wakes its
// key when it is over. Called by prove.ts and perform-order.ts.

import { setTimeout as after } from 'node:timers/promises';
import type { OrderFact } from '../order/state.ts';
import { fact, type Look, type OrderTurn, type Performed, stop } from './order-turn.ts';

/** Living names answer within milliseconds; whatever takes longer gives its worker back. */
const patienceMs = 200;

/** A look waits for its turn among others; `at` names what is looked at: the result of an earlier look at something else is not taken for it. */
export function look(
  turn: OrderTurn,
  at: string,
  work: (signal: AbortSignal) => Promise<OrderFact>,
): Promise<Performed> {
  const { attempt, ports } = turn;
  const waited = 'wait' in (attempt.order ?? {}) ? attempt.order : undefined;
  const tried = waited !== undefined && 'wait' in waited ? (waited.wait?.attempts ?? 0) : 0;
  const namespace = turn.about.metadata.namespace ?? '';
  return apart(turn, at, () => ports.looks({ namespace, tried, work }));
}

/** The same for what has turns of its own: a CA that hangs takes nobody else's worker. A rejection is a bug, and waited out like an outage. */
export async function apart(turn: OrderTurn, at: string, start: () => Promise<OrderFact>): Promise<Performed> {
  const { attempt } = turn;
  const last = attempt.look;
  if (last?.at === at) return last.result === undefined ? stop(settled) : take(turn, last.result);
  const mine: Look = { at };
  attempt.look = mine;
  const over = start().then(
    (result) => {
      mine.result = result;
    },
    (error: unknown) => {
      turn.ports.log.error({ err: error }, 'a step of an order failed: a bug');
      const detail = 'Certway failed at this step; see the log of the controller.';
      mine.result = { kind: 'problem', problem: { kind: 'network', detail, sent: 'maybe' } };
    },
  );
  const patience = new AbortController();
  await Promise.race([over, after(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
  if (mine.result !== undefined) return take(turn, mine.result);
  void over.then(turn.wake);
  return stop(settled);
}

const settled = { kind: 'stop', outcome: { kind: 'settled' } } as const;

function take({ attempt }: OrderTurn, result: OrderFact): Performed {
  delete attempt.look;
  return fact(result);
}
