// Brings the wait of an order up to what the line says, and to what people have said since: called when either reconciler observes, so that whoever is
// woken goes on, and an estimate that has moved is told.

import type { Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import { marked } from '../order/rehearsal.ts';
import { isUnpaused } from './order-note.ts';
import type { OrderAttempt } from './order-turn.ts';
import type { Ports } from './ports.ts';
import { issuerThere, orderThere } from './rehearsal-turn.ts';

/** Other waits are not the line's: the CA, or a path, has its own time. */
export function recall(
  ports: Pick<Ports, 'accounts' | 'budgets' | 'now' | 'settings'>,
  order: Order,
  issuer: Issuer | undefined,
  attempt: OrderAttempt,
): void {
  const state = attempt.order;
  if (issuer === undefined || state === undefined || !('wait' in state) || state.wait === undefined) return;
  const { wait } = state;
  const now = ports.now();
  const isThere = state.kind === 'rehearsing';
  const counted = isThere ? issuerThere(ports, issuer, state.directory) : issuer;
  if (wait.inLine === true) {
    const place = ports.budgets.place(isThere ? orderThere(order) : order, counted);
    // Who stands there no more asks again.
    const waits = place !== undefined && place !== 'admitted' ? { ...wait, ...place } : { ...wait, until: now };
    attempt.order = { ...state, wait: isThere ? marked(waits, state) : waits };
  } else if (wait.until > now && isUnpaused(order, issuer, wait)) {
    ports.budgets.acted(counted);
    attempt.order = { ...state, wait: { ...wait, until: now } };
  }
}
