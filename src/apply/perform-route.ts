// Puts up and takes down the challenge routes of an order's hosts, and the grant that lets them reach our Service. Called by prove.ts.

import { httpRoutes, referenceGrants } from '../api/resources.ts';
import { challengeRoute, grantFor } from '../solve/route.ts';
import { fact, type OrderTurn, type Performed, stop } from './order-turn.ts';
import { type Done, onward, stopped, type Task } from './perform.ts';
import { wayTo } from './way.ts';

/**
 * One route per (parent, hostname); one that another order of the namespace has put up already serves this one too. Undefined when all of
 * them stand.
 */
export async function putUpRoutes(turn: OrderTurn, hosts: readonly string[]): Promise<Performed | undefined> {
  const { ports, order, issuer, request } = turn;
  if (hosts.length === 0) return undefined;
  const namespace = order.metadata.namespace ?? '';
  const service = ports.settings.solverService;
  const granted = await grant(turn, namespace);
  if (granted !== undefined) return stop(granted);
  for (const host of hosts) {
    const way = wayTo(ports, request, issuer, host, ['http-01']);
    if ('refusal' in way) return fact({ kind: 'unreachable', reason: 'NoChallengePath', message: way.refusal });
    if (way.type !== 'http-01') continue;
    const { apiVersion, kind, metadata } = order;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
    const { parentRefs, labels } = way.path;
    const route = challengeRoute({ host, parentRefs, namespace, service, owner, labels });
    if (ports.stores.routes.get(`${namespace}/${route.metadata.name}`) !== undefined) continue;
    const created = await ports.kube.create(httpRoutes, route);
    if (created.ok) ports.stores.routes.note(created.value);
    else if (created.problem.kind !== 'alreadyExists') {
      return stop(stopped(turn, 'create HTTPRoute', created.problem));
    }
  }
  return undefined;
}

async function grant(turn: OrderTurn, routeNamespace: string): Promise<Done | undefined> {
  const { ports } = turn;
  const service = ports.settings.solverService;
  if (routeNamespace === service.namespace) return undefined;
  const wanted = grantFor(routeNamespace, service);
  if (ports.stores.grants.get(`${service.namespace}/${wanted.metadata.name}`) !== undefined) return undefined;
  const created = await ports.kube.create(referenceGrants, wanted);
  if (created.ok) ports.stores.grants.note(created.value);
  else if (created.problem.kind !== 'alreadyExists') return stopped(turn, 'create ReferenceGrant', created.problem);
  return undefined;
}

/** The route goes before anything that it points to. */
export async function takeDownRoutes(task: Task, names: readonly string[]): Promise<Done> {
  const { ports, about } = task;
  const namespace = about.metadata.namespace ?? '';
  for (const name of names) {
    const gone = await ports.kube.delete(httpRoutes, { namespace, name });
    if (!gone.ok && gone.problem.kind !== 'notFound') return stopped(task, 'delete HTTPRoute', gone.problem);
    const known = ports.stores.routes.get(`${namespace}/${name}`);
    if (known !== undefined) ports.stores.routes.forget(known);
  }
  return onward;
}
