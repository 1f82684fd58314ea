// Looks at the path of a proof without holding a worker: a name that answers is waited for, one that does not lets go after a moment and wakes its
// key when the look is over. Called by prove.ts.

import { setTimeout as after } from 'node:timers/promises';
import type { OrderFact } from '../order/state.ts';
import { fact, type Look, type OrderTurn, type Performed, stop } from './order-turn.ts';

/** Living names answer within milliseconds; whatever takes longer gives its worker back. */
const patienceMs = 200;

/** `at` names what is looked at: the result of an earlier look at something else is not taken for it. */
export async function look(
  turn: OrderTurn,
  at: string,
  work: (signal: AbortSignal) => Promise<OrderFact>,
): Promise<Performed> {
  const { attempt, ports } = turn;
  const last = attempt.look;
  if (last?.at === at) return last.result === undefined ? stop(settled) : take(turn, last.result);
  const mine: Look = { at };
  attempt.look = mine;
  const waited = 'wait' in (attempt.order ?? {}) ? attempt.order : undefined;
  const tried = waited !== undefined && 'wait' in waited ? (waited.wait?.attempts ?? 0) : 0;
  const namespace = turn.about.metadata.namespace ?? '';
  const over = ports.looks({ namespace, tried, work }).then((result) => {
    mine.result = result;
  });
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
