// What stands for an order's proofs and may go with it. Called when either reconciler observes.

import type { Order } from '../api/order.ts';
import type { Standing } from '../plan/standing.ts';
import { hostLabel } from '../solve/host.ts';
import { hostsOf, isUnfinished } from './order-object.ts';
import type { Stores } from './ports.ts';

type Sight = Pick<Stores, 'orders' | 'routes' | 'challenges'>;

export function standingOf(stores: Sight, order: Order): Standing {
  const challenges = stores.challenges.by('owner', order.metadata.uid ?? '').map(({ metadata }) => metadata.name);
  return { routes: routesOf(stores, order), challenges };
}

/** Challenge routes of the order's hosts that no other unfinished order of the namespace needs. */
function routesOf(stores: Sight, order: Order): readonly string[] {
  const { namespace, uid } = order.metadata;
  return hostsOf(order).flatMap((host) => {
    const isShared = stores.orders
      .by('host', host)
      .some((each) => each.metadata.namespace === namespace && each.metadata.uid !== uid && isUnfinished(each));
    return isShared
      ? []
      : stores.routes.by('host', `${namespace}/${hostLabel(host)}`).map((route) => route.metadata.name);
  });
}
