// Makes an object that must stand under a name of ours, or puts it right: what is there is believed only where it is ours and says what we would
// write. Called for challenge routes and their grants.

import type { HttpRoute } from '../api/gateway.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { httpRoutes, type Resource } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { keyOf, type Store } from '../kube/store.ts';
import { type Drift, routeDrift } from '../solve/drift.ts';
import type { Ports } from './ports.ts';

export type StandingProblem =
  | { readonly kind: 'kube'; readonly what: string; readonly problem: KubeProblem }
  /** Somebody else's object has the name; a sentence for the condition. */
  | { readonly kind: 'foreign'; readonly message: string };

/** One read more only where the cache knows of nothing and the server does. */
export function ensureRoute(
  ports: Pick<Ports, 'kube'> & { readonly stores: Pick<Ports['stores'], 'routes'> },
  wanted: HttpRoute,
): Promise<Reply<HttpRoute, StandingProblem>> {
  return ensure(ports, { resource: httpRoutes, store: ports.stores.routes, wanted, drift: routeDrift });
}

interface Wish<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly store: Store<T>;
  readonly wanted: T;
  readonly drift: (existing: T, wanted: T) => Drift<T>;
}

/** Makes the object, replaces it where it has drifted, or says whose it is. */
export async function ensure<T extends KubeObject>(
  { kube }: Pick<Ports, 'kube'>,
  { resource, store, wanted, drift }: Wish<T>,
): Promise<Reply<T, StandingProblem>> {
  let existing = store.get(keyOf(wanted));
  if (existing === undefined) {
    const created = await kube.create(resource, wanted);
    if (created.ok) return noted(store, created.value);
    if (created.problem.kind !== 'alreadyExists') return failed(`create ${resource.kind}`, created.problem);
    // Not in a cache that holds what bears our label: it is too new for it, or not ours.
    const read = await kube.get(resource, wanted.metadata);
    if (!read.ok) return failed(`read ${resource.kind}`, read.problem);
    existing = read.value;
  }
  const found = drift(existing, wanted);
  switch (found.kind) {
    case 'same':
      return { ok: true, value: existing };
    case 'drifted': {
      const replaced = await kube.replace(resource, found.replacement);
      if (replaced.ok) return noted(store, replaced.value);
      // It went with its last owner a moment ago, and the cache has not heard of it yet.
      if (replaced.problem.kind !== 'notFound') return failed(`replace ${resource.kind}`, replaced.problem);
      const anew = await kube.create(resource, wanted);
      return anew.ok ? noted(store, anew.value) : failed(`create ${resource.kind}`, anew.problem);
    }
    case 'leaving':
      return failed(`create ${resource.kind}`, { kind: 'conflict', message: `${keyOf(wanted)} is being deleted` });
    case 'foreign':
      return { ok: false, problem: found };
    default:
      return found satisfies never;
  }
}

function noted<T extends KubeObject>(store: Store<T>, value: T): { readonly ok: true; readonly value: T } {
  store.note(value);
  return { ok: true, value };
}

function failed(what: string, problem: KubeProblem): { readonly ok: false; readonly problem: StandingProblem } {
  return { ok: false, problem: { kind: 'kube', what, problem } };
}
