// One ReferenceGrant per namespace of challenge routes lets them reach our Service (a grant holds 16 namespaces at most). It is made before the first
// route, by perform-route.ts, and goes a while after the last, by grant-keeper.ts.

import type { ReferenceGrant } from '../api/gateway.ts';
import type { Reply } from '../api/reply.ts';
import { referenceGrants } from '../api/resources.ts';
import { keyOf } from '../kube/store.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { grantDrift } from '../solve/drift.ts';
import { grantFor } from '../solve/route.ts';
import { ensure, type StandingProblem } from './ensure.ts';
import { isUnfinished } from './order-object.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';

export interface GrantPorts extends Pick<Ports, 'kube' | 'log' | 'now'> {
  readonly stores: Pick<Ports['stores'], 'routes' | 'orders' | 'grants' | 'namespaces'>;
  readonly settings: Pick<Ports['settings'], 'solverService'>;
}

/** Undefined where routes of the namespace need none, as they stand beside our Service. */
export async function ensureGrant(
  ports: Pick<GrantPorts, 'kube' | 'stores' | 'settings'>,
  routeNamespace: string,
): Promise<Reply<ReferenceGrant | undefined, StandingProblem>> {
  const service = ports.settings.solverService;
  if (routeNamespace === service.namespace) return { ok: true, value: undefined };
  const wanted = grantFor(routeNamespace, service);
  return ensure(ports, { resource: referenceGrants, store: ports.stores.grants, wanted, drift: grantDrift });
}

/** How long a namespace is without challenge routes before its grant goes: orders come in bursts. */
export const quietMs = 30_000;

/**
 * The reconcile function for keys that are namespaces: a grant that routes need is put right, and one that nothing has needed for `quiet` ms, or
 * whose namespace is gone, is deleted. An unfinished Order announces a route, so no grant goes between the two.
 */
export function grantReconciler(ports: GrantPorts, quiet = quietMs): (namespace: string) => Promise<Outcome> {
  /** Since when each namespace is without need, as this process has seen it. */
  const idleSince = new Map<string, number>();
  return async (namespace) => {
    const need = needOf(ports, namespace);
    if (need !== 'none') idleSince.delete(namespace);
    if (need === 'routes') return restored(ports, namespace);
    const grant = ports.stores.grants.get(keyOf(grantFor(namespace, ports.settings.solverService)));
    if (need === 'announced' || grant === undefined) return { kind: 'settled' };
    const since = idleSince.get(namespace) ?? ports.now();
    idleSince.set(namespace, since);
    const due = since + quiet;
    if (!isGone(ports, namespace) && ports.now() < due) return { kind: 'revisit', at: due };
    idleSince.delete(namespace);
    return removed(ports, grant);
  };
}

type Need = 'routes' | 'announced' | 'none';

function needOf({ stores }: GrantPorts, namespace: string): Need {
  for (const { metadata } of stores.routes.list()) if (metadata.namespace === namespace) return 'routes';
  for (const order of stores.orders.list()) {
    if (order.metadata.namespace === namespace && isUnfinished(order)) return 'announced';
  }
  return 'none';
}

/** Nothing can need a grant for a namespace that is not there; one that is on its way out may have routes a while. */
function isGone({ stores }: GrantPorts, namespace: string): boolean {
  return stores.namespaces.synced && stores.namespaces.get(namespace) === undefined;
}

async function restored(ports: GrantPorts, namespace: string): Promise<Outcome> {
  if (isGone(ports, namespace)) return { kind: 'settled' };
  const ensured = await ensureGrant(ports, namespace);
  if (ensured.ok) return { kind: 'settled' };
  if (ensured.problem.kind === 'kube') return afterProblem(ensured.problem.problem, ports.now());
  // Told where it hurts, on the object whose route cannot reach us; here nothing can be done.
  ports.log.warn({ namespace, message: ensured.problem.message }, 'a grant’s name is taken');
  return { kind: 'settled' };
}

async function removed({ kube, stores, now }: GrantPorts, grant: ReferenceGrant): Promise<Outcome> {
  const { namespace = '', name, uid } = grant.metadata;
  const gone = await kube.delete(referenceGrants, { namespace, name }, uid === undefined ? {} : { uid });
  if (!gone.ok && gone.problem.kind !== 'notFound') return afterProblem(gone.problem, now());
  stores.grants.forget(grant);
  return { kind: 'settled' };
}
