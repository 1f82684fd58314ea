// The challenge routes of an unfinished order, with what the data plane's controllers say of them. Pure; called by status-chain.ts.

import type { HttpRoute, ParentRef } from '../api/gateway.ts';
import { labels } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { hostsOf } from '../apply/order-object.ts';
import { conditionOf } from '../plan/conditions.ts';
import { quoted } from '../resolve/words.ts';
import { asOne } from './status-blame.ts';
import type { ViewNode } from './status-node.ts';

export function routeNodes(order: Order, routes: readonly HttpRoute[]): readonly ViewNode[] {
  const hosts = new Set(hostsOf(order));
  const isOurs = ({ metadata, spec }: HttpRoute) =>
    metadata.ownerReferences?.some(({ uid }) => uid === order.metadata.uid) === true ||
    (metadata.labels?.[labels.managedBy] === 'certway' && spec.hostnames?.some((host) => hosts.has(host)) === true);
  return routes.filter(isOurs).map(routeNode);
}

function routeNode(route: HttpRoute): ViewNode {
  const { name } = route.metadata;
  const [parent] = route.spec.parentRefs ?? [];
  const through = parent === undefined ? '' : ` through ${placeOf(parent, route.metadata.namespace)}`;
  const node = { what: 'HTTPRoute', name };
  const where = `${route.spec.hostnames?.join(', ') ?? 'an IP address'}${through}`;
  const parents = route.status?.parents ?? [];
  if (parents.length === 0) return { ...node, mark: 'busy', says: `${where}; no data plane has answered for it yet` };
  for (const { controllerName, conditions } of parents) {
    for (const type of ['Accepted', 'ResolvedRefs']) {
      const found = conditionOf(conditions, type);
      if (found?.status !== 'False') continue;
      const why = `${controllerName} says ${type}=False, ${found.reason ?? ''}: ${asOne(found.message ?? '')}`;
      const sentence = `HTTPRoute ${name} for ${where}: ${why}`;
      return {
        ...node,
        mark: 'bad',
        says: `${where}; ${why}`,
        problem: { key: `route/${name}`, who: 'platform owner', sentence },
      };
    }
  }
  return {
    ...node,
    mark: 'good',
    says: `${where}; accepted by ${parents.map((each) => each.controllerName).join(', ')}`,
  };
}

function placeOf({ kind = 'Gateway', namespace, name, sectionName }: ParentRef, home: string | undefined): string {
  const listener = sectionName === undefined ? '' : `, listener ${quoted(sectionName)}`;
  return `${kind} ${namespace ?? home}/${name}${listener}`;
}
