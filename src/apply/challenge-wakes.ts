// Which Orders a change may have opened the way for: a data plane has spoken about their route, or their Gateway has got another address. Called by
// triggers.ts; such an Order looks again at once, whatever interval it had come to.

import type { Gateway, HttpRoute } from '../api/gateway.ts';
import type { Condition } from '../api/meta.ts';
import type { Order } from '../api/order.ts';
import { orders } from '../api/resources.ts';
import type { Change } from '../kube/store.ts';
import { parentKey } from '../resolve/source.ts';
import type { Stores } from './ports.ts';

type Sight = Pick<Stores, 'orders' | 'routes' | 'listenerSets' | 'xListenerSets'>;

/** The Orders that own the route, where what is said of it has changed, or it has gone. */
export function ordersOfRoute(stores: Sight, change: Change<HttpRoute>): readonly Order[] {
  if (change.kind === 'removed') return change.origin === 'own' ? [] : ownersOf(stores, change.previous);
  const { object, previous } = change;
  return isSame(opinions(object), opinions(previous)) ? [] : ownersOf(stores, object);
}

/** The Orders whose routes attach to the Gateway or a ListenerSet of it, where its addresses have changed. Its status changes all the time. */
export function ordersThrough(stores: Sight, change: Change<Gateway>): readonly Order[] {
  if (change.kind === 'removed' || isSame(addresses(change.object), addresses(change.previous))) return [];
  const found = new Set<Order>();
  for (const route of stores.routes.list()) {
    if (gatewaysOf(stores, route).includes(change.key)) for (const order of ownersOf(stores, route)) found.add(order);
  }
  return [...found];
}

function gatewaysOf(stores: Sight, route: HttpRoute): readonly string[] {
  return (route.spec.parentRefs ?? []).flatMap(({ kind = 'Gateway', namespace = route.metadata.namespace, name }) => {
    const key = `${namespace}/${name}`;
    if (kind === 'Gateway') return [key];
    const set = (kind === 'XListenerSet' ? stores.xListenerSets : stores.listenerSets).get(key);
    return set === undefined ? [] : [parentKey(set)];
  });
}

function ownersOf(stores: Sight, { metadata }: HttpRoute): readonly Order[] {
  const owners = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === orders.kind);
  return owners.flatMap(({ name, uid }) => {
    const order = stores.orders.get(`${metadata.namespace}/${name}`);
    return order?.metadata.uid === uid && order !== undefined ? [order] : [];
  });
}

/** Without the times, which change with every rewriting of the same opinion. */
function opinions(route: HttpRoute | undefined): unknown {
  return (route?.status?.parents ?? []).map(({ parentRef, controllerName, conditions = [] }) => [
    parentRef,
    controllerName,
    conditions.map(({ type, status, reason, observedGeneration }: Condition) => [
      type,
      status,
      reason,
      observedGeneration,
    ]),
  ]);
}

function addresses(gateway: Gateway | undefined): unknown {
  return (gateway?.status?.addresses ?? []).map(({ type = 'IPAddress', value }) => [type, value]);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
