// Orders of an account that their issuer has left: a CA shows an order to its own account alone, so another one is made at once, and nobody is to blame.
// Called by order-writes.ts when an Order is made, and by perform-order.ts before it asks for anything.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { orders } from '../api/resources.ts';
import type { OrderTurn } from './order-turn.ts';
import { type Done, stopped } from './perform.ts';

/** The Order as the account that the issuer has now would place it; what its request says of that is not believed. */
export function placedBy(order: Order, issuer: Issuer): Order {
  const { [annotations.account]: _, ...noted } = order.metadata.annotations ?? {};
  const { uri } = issuer.status?.acme ?? {};
  const metadata = {
    ...order.metadata,
    annotations: { ...noted, ...(uri !== undefined && { [annotations.account]: uri }) },
  };
  return { ...order, metadata };
}

/** One that was never placed is any account's; so is one whose maker did not note it. */
export function isOfFormerAccount({ order, issuer }: Pick<OrderTurn, 'order' | 'issuer'>): boolean {
  const account = order.metadata.annotations?.[annotations.account];
  return account !== undefined && order.status?.url !== undefined && account !== issuer.status?.acme?.uri;
}

/** Another is made when the watch says that it is gone: one that has presented records waits for its clean-up. */
export async function forgetOrder(turn: OrderTurn): Promise<Done> {
  const { ports, order, attempt } = turn;
  delete attempt.order;
  delete attempt.look;
  const { name, namespace = '', uid = '', deletionTimestamp } = order.metadata;
  if (deletionTimestamp === undefined) {
    const gone = await ports.kube.delete(orders, { name, namespace }, { uid });
    if (!gone.ok && gone.problem.kind !== 'notFound') return stopped(turn, 'delete Order', gone.problem);
  }
  return { kind: 'stop', outcome: { kind: 'settled' } };
}
