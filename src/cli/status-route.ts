// The challenge routes of an unfinished order, with what the data plane's controllers say of them. Pure; called by status-chain.ts.

import type { HttpRoute, ParentRef } from '../api/gateway.ts';
import { labels } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { hostsOf } from '../apply/order-object.ts';
import { quoted } from '../resolve/words.ts';
import { routeVerdict } from '../solve/route-verdict.ts';
import { asOne, type Problem } from './status-blame.ts';
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
  // Whether they take too long is told where the self-check fails; here they have simply not answered.
  const verdict = routeVerdict(route, route.spec.parentRefs ?? [], 0);
  switch (verdict.kind) {
    case 'accepted': {
      const controllers = (route.status?.parents ?? []).map((each) => each.controllerName);
      return { ...node, mark: 'good', says: `${where}; accepted by ${controllers.join(', ')}` };
    }
    case 'pending':
      return { ...node, mark: 'busy', says: `${where}; no data plane has answered for it yet` };
    case 'refused': {
      const why = asOne(verdict.message);
      const problem: Problem = {
        key: `route/${name}`,
        who: 'platform owner',
        sentence: `HTTPRoute ${name} for ${where}: ${why}`,
      };
      return { ...node, mark: 'bad', says: `${where}; ${why}`, problem };
    }
    default:
      return verdict satisfies never;
  }
}

function placeOf({ kind = 'Gateway', namespace, name, sectionName }: ParentRef, home: string | undefined): string {
  const listener = sectionName === undefined ? '' : `, listener ${quoted(sectionName)}`;
  return `${kind} ${namespace ?? home}/${name}${listener}`;
}
