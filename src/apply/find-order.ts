// Looks for an order that an earlier process, or a lost reply, may have left at the CA, before a second one is made. Called by perform-order.ts.

import { listOrders, readOrder } from '../acme/order.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { Order } from '../api/order.ts';
import type { CaIdentifier, CaProblem } from '../order/ca.ts';
import type { OrderFact } from '../order/state.ts';
import { claim } from './order-claims.ts';
import { identifiersOf } from './order-object.ts';
import type { Ports } from './ports.ts';

/**
 * The account's unfinished order for the same names that no other Order claims (RFC 8555 §7.1.2.1). CAs without the list answer newOrder
 * with the pending order, so there `notFound` is right.
 */
export async function findOrder(ports: Ports, session: AcmeSession, order: Order): Promise<OrderFact> {
  const wanted = comparable(identifiersOf(order));
  const claimed = new Set<string>();
  for (const each of ports.stores.orders.list()) if (each.status?.url !== undefined) claimed.add(each.status.url);
  let unread: CaProblem | undefined;
  let listed = false;
  for await (const page of listOrders(session)) {
    if (!page.ok) {
      // No list at this CA (404, 405, no URL): nothing to find.
      return page.problem.kind === 'refused' ? { kind: 'notFound' } : { kind: 'problem', problem: page.problem };
    }
    listed = true;
    const urls = page.value.filter((url) => !claimed.has(url));
    const read = await Promise.all(urls.map((url) => readOrder(session, url)));
    for (const reply of read) {
      if (!reply.ok) {
        if (reply.problem.kind !== 'refused') unread ??= reply.problem;
        continue;
      }
      const found = reply.value.resource;
      const isOpen = found.status !== 'invalid' && found.status !== 'valid';
      if (isOpen && comparable(found.identifiers) === wanted && claim(ports, order, found.url)) {
        return { kind: 'order', order: found };
      }
    }
  }
  // The one that could not be read may be the very one: a second would be made beside it.
  if (unread !== undefined) return { kind: 'problem', problem: unread };
  return { kind: 'notFound', ...(listed && { listed }) };
}

function comparable(identifiers: readonly CaIdentifier[]): string {
  return identifiers
    .map(({ type, value }) => `${type}:${value.toLowerCase()}`)
    .sort()
    .join(' ');
}
