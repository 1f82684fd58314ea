// Whether what a CA calls our order is one: each of its authorizations would be asked for, so a CA that lists thousands for one name is not followed.
// Pure; called by perform-order.ts with every fact.

import type { Order } from '../api/order.ts';
import type { OrderFact } from '../order/state.ts';
import { identifiersOf } from './order-object.ts';

/** The fact, or the problem that it is: an order has an authorization for each name at most (RFC 8555 §7.1.3). */
export function credible(order: Order, fact: OrderFact): OrderFact {
  if (fact.kind !== 'order') return fact;
  const { length } = fact.order.authorizations;
  const names = identifiersOf(order).length;
  if (length <= names) return fact;
  const detail = `The CA’s order has ${length} authorizations for ${names} ${names === 1 ? 'name' : 'names'}.`;
  return { kind: 'problem', problem: { kind: 'malformed', detail } };
}
