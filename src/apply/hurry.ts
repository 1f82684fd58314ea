// Orders for which something has changed on the path to their names: they look again at once, whatever interval they had come to. Filled by triggers.ts,
// emptied when a reconciler observes.

import type { Order } from '../api/order.ts';
import type { OrderAttempt } from './order-turn.ts';
import type { Ports } from './ports.ts';

/** What the CA has said is kept: no event here makes it change its mind. */
export function hasten(ports: Pick<Ports, 'hurried' | 'now'>, order: Order, attempt: OrderAttempt): void {
  // A look that began before the change may still find the old path: the mark waits until it is over.
  if (attempt.look !== undefined && attempt.look.result === undefined) return;
  if (!ports.hurried.delete(order.metadata.uid ?? '')) return;
  const state = attempt.order;
  if (state === undefined || !('wait' in state) || state.wait === undefined) return;
  const { reason } = state.wait;
  if (reason === 'RateLimited' || reason === 'Processing' || reason.startsWith('CA')) return;
  attempt.order = { ...state, wait: { ...state.wait, until: Math.min(state.wait.until, ports.now()) } };
}
