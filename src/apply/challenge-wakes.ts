// Which Orders a change may have opened the way for: a data plane has spoken about their route, or their Gateway has got another address. Called by
// triggers.ts; such an Order looks again at once, whatever interval it had come to.

import type { Gateway, HttpRoute } from '../api/gateway.ts';
import type { Condition } from '../api/meta.ts';
import { orders } from '../api/resources.ts';
import { type Change, keyOf } from '../kube/store.ts';
import { parentKey } from '../resolve/source.ts';
import type { Stores } from './ports.ts';

/** Keys of the Orders that own the route, where what is said of it has changed, or it has gone. */
export function ordersOfRoute(change: Change<HttpRoute>): readonly string[] {
  if (
    change.kind === 'applied' &&
    (change.origin === 'own' || isSame(opinions(change.object), opinions(change.previous)))
  ) {
    return [];
  }
  return ownersOf(change.kind === 'applied' ? change.object : change.previous);
}

/** Keys of the Orders whose routes attach to the Gateway or to a ListenerSet of it, where its addresses have changed. Its status changes all the time. */
export function ordersThrough(
  stores: Pick<Stores, 'routes' | 'listenerSets' | 'xListenerSets'>,
  change: Change<Gateway>,
): readonly string[] {
  if (change.kind === 'removed' || isSame(addresses(change.object), addresses(change.previous))) return [];
  const found = new Set<string>();
  for (const route of stores.routes.list()) {
    if (gatewaysOf(stores, route).includes(change.key)) for (const key of ownersOf(route)) found.add(key);
  }
  return [...found];
}

function gatewaysOf(stores: Pick<Stores, 'listenerSets' | 'xListenerSets'>, route: HttpRoute): readonly string[] {
  return (route.spec.parentRefs ?? []).flatMap(({ kind = 'Gateway', namespace = route.metadata.namespace, name }) => {
    const key = `${namespace}/${name}`;
    if (kind === 'Gateway') return [key];
    const set = (kind === 'XListenerSet' ? stores.xListenerSets : stores.listenerSets).get(key);
    return set === undefined ? [] : [parentKey(set)];
  });
}

function ownersOf({ metadata }: HttpRoute): readonly string[] {
  const { namespace = '', ownerReferences = [] } = metadata;
  return ownerReferences
    .filter(({ kind }) => kind === orders.kind)
    .map(({ name }) => keyOf({ metadata: { namespace, name } }));
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
