// Opens and closes the path of a proof: the Order that announces it, the challenge route, and the grant that lets it reach our Service.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { httpRoutes, orders, referenceGrants } from '../api/resources.ts';
import type { OrderFact } from '../order/state.ts';
import { challengeRoute, grantFor } from '../solve/route.ts';
import { challengeParent } from './challenge-parent.ts';
import { orderObject, waitNote } from './order-object.ts';
import { type Done, onward, stopped, type Turn, write } from './perform.ts';

type Presented = { readonly kind: 'fact'; readonly fact: OrderFact } | { readonly kind: 'stop'; readonly done: Done };

export async function createOrder(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt, seen } = turn;
  if (seen.request === undefined) return onward;
  const order = orderObject(seen.request.object, certificate.spec);
  const created = await ports.kube.create(orders, order);
  if (!created.ok) return stopped(turn, 'create Order', created.problem);
  attempt.freshOrder = created.value.metadata.uid ?? '';
  delete attempt.order;
  ports.stores.orders.note(created.value);
  return onward;
}

/** One route per (parent, hostname); one that another order of the namespace has put up already serves this one too. */
export async function present(turn: Turn, issuer: Issuer, order: Order, hosts: readonly string[]): Promise<Presented> {
  const { ports, certificate } = turn;
  const namespace = certificate.metadata.namespace ?? '';
  const service = ports.settings.solverService;
  const granted = await grant(turn, namespace);
  if (granted !== undefined) return { kind: 'stop', done: granted };
  for (const host of hosts) {
    const parent = challengeParent(ports, certificate, issuer, host);
    if ('refusal' in parent) return { kind: 'fact', fact: { kind: 'unreachable', message: parent.refusal } };
    const { parentRef, labels } = parent;
    const { apiVersion, kind, metadata } = order;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
    const route = challengeRoute({ host, parentRef, namespace, service, owner, labels });
    if (ports.stores.routes.get(`${namespace}/${route.metadata.name}`) !== undefined) continue;
    const created = await ports.kube.create(httpRoutes, route);
    if (created.ok) ports.stores.routes.note(created.value);
    else if (created.problem.kind !== 'alreadyExists') {
      return { kind: 'stop', done: stopped(turn, 'create HTTPRoute', created.problem) };
    }
  }
  return { kind: 'fact', fact: { kind: 'done' } };
}

async function grant(turn: Turn, routeNamespace: string): Promise<Done | undefined> {
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

/** The route goes before anything that it points to, unless another unfinished order of the namespace still proves that host. */
export async function withdraw(turn: Turn, routes: readonly string[]): Promise<Done> {
  const { ports, certificate } = turn;
  const namespace = certificate.metadata.namespace ?? '';
  for (const name of routes) {
    const gone = await ports.kube.delete(httpRoutes, { namespace, name });
    if (!gone.ok && gone.problem.kind !== 'notFound') return stopped(turn, 'delete HTTPRoute', gone.problem);
    const known = ports.stores.routes.get(`${namespace}/${name}`);
    if (known !== undefined) ports.stores.routes.forget(known);
  }
  return onward;
}

export async function recordOrder(
  turn: Turn,
  phase: 'valid' | 'invalid' | 'expired' | 'errored',
  reason: string,
): Promise<Done> {
  const { ports, seen } = turn;
  const order = seen.order;
  if (order === undefined) return onward;
  const failure = phase === 'valid' ? {} : { reason, failureTime: new Date(ports.now()).toISOString() };
  const status = { ...order.status, state: phase, ...failure };
  return write(turn, 'write Order status', ports.kube.replaceStatus(orders, { ...order, status }), (value) =>
    ports.stores.orders.note(value),
  );
}

/** Keeps a long wait across a restart, so that the CA is not asked sooner than it said. */
export async function noteWait(turn: Turn): Promise<Done> {
  const { ports, seen, attempt } = turn;
  const { order } = seen;
  const wait = attempt.order !== undefined && 'wait' in attempt.order ? attempt.order.wait : undefined;
  if (order === undefined || wait === undefined) return onward;
  const noted = { ...order.metadata.annotations, [annotations.state]: waitNote(wait) };
  const metadata = { ...order.metadata, annotations: noted };
  return write(turn, 'note the wait on the Order', ports.kube.replace(orders, { ...order, metadata }), (value) =>
    ports.stores.orders.note(value),
  );
}
