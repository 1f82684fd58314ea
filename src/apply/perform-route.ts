// Puts up and takes down the challenge routes of an order's hosts, and the grant that lets them reach our Service. Called by prove.ts and withdraw.ts.

import type { HttpRoute } from '../api/gateway.ts';
import type { Reply } from '../api/reply.ts';
import { httpRoutes } from '../api/resources.ts';
import { challengeRoute } from '../solve/route.ts';
import { ensureRoute, type StandingProblem } from './ensure.ts';
import { ensureGrant } from './grants.ts';
import { fact, type OrderTurn, type Performed, stop } from './order-turn.ts';
import { type Done, onward, stopped, type Task } from './perform.ts';
import { type OpenPath, wayTo } from './way.ts';

/** A host with the path that leads to it. */
export interface HttpPath {
  readonly host: string;
  readonly path: OpenPath;
  readonly route: HttpRoute;
}

type Standing = { readonly kind: 'standing'; readonly paths: readonly HttpPath[] } | Performed;

/** One route per (parents, hostname), put right where somebody has changed it; other orders of the namespace share it. */
export async function putUpRoutes(turn: OrderTurn, hosts: readonly string[]): Promise<Standing> {
  const { ports, order, issuer, request } = turn;
  const paths: HttpPath[] = [];
  if (hosts.length === 0) return { kind: 'standing', paths };
  const namespace = order.metadata.namespace ?? '';
  const granted = await ensureGrant(ports, namespace);
  if (!granted.ok) return failed(turn, granted.problem);
  for (const host of hosts) {
    const way = wayTo(ports, request, issuer, host, ['http-01']);
    if ('refusal' in way) return fact({ kind: 'unreachable', reason: 'NoChallengePath', message: way.refusal });
    if (way.type !== 'http-01') continue;
    const ensured = await putUp(turn, host, way.path);
    if (!ensured.ok) return failed(turn, ensured.problem);
    paths.push({ host, path: way.path, route: ensured.value });
  }
  return { kind: 'standing', paths };
}

function putUp(turn: OrderTurn, host: string, path: OpenPath): Promise<Reply<HttpRoute, StandingProblem>> {
  const { ports, order } = turn;
  const { apiVersion, kind, metadata } = order;
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
  const { parentRefs, labels } = path;
  const service = ports.settings.solverService;
  return ensureRoute(
    ports,
    challengeRoute({ host, parentRefs, namespace: metadata.namespace ?? '', service, owner, labels }),
  );
}

function failed(turn: OrderTurn, problem: StandingProblem): Performed {
  return problem.kind === 'kube'
    ? stop(stopped(turn, problem.what, problem.problem))
    : fact({ kind: 'unreachable', reason: 'NameTaken', message: problem.message });
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
