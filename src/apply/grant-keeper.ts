// Brings the grants of challenge routes to the reconciler that puts them right and removes them: after a route came or went, and for each grant that
// stands when we begin to lead, orphans of an earlier process among them. Started by main.ts in the replica that leads.

import type { KubeObject } from '../api/meta.ts';
import type { Change, Store } from '../kube/store.ts';
import { WorkQueue } from '../queue/work-queue.ts';
import { type GrantPorts, grantReconciler, quietMs } from './grants.ts';
import { isUnfinished } from './order-object.ts';

const workers = 2;

/** Dispose it before the connection to the API server closes. */
export function keepGrants(ports: GrantPorts, quiet = quietMs): AsyncDisposable {
  const { stores, log } = ports;
  const queue = new WorkQueue({
    concurrency: workers,
    run: grantReconciler(ports, quiet),
    onError: (key, error) => log.error({ controller: 'grant', key, err: error }, 'reconcile failed: a bug'),
  });
  const ends = [
    each(stores.routes, (route, change) => {
      // Its status changes with every data plane that speaks; whether it stands does not.
      const isNews = change.kind === 'removed' || change.previous === undefined;
      if (isNews) queue.add(route.metadata.namespace ?? '');
    }),
    each(stores.orders, (order, change) => {
      const isOver = change.kind === 'removed' || !isUnfinished(change.object);
      const wasOpen = change.previous === undefined || isUnfinished(change.previous);
      if (isOver && wasOpen) queue.add(order.metadata.namespace ?? '');
    }),
    each(stores.grants, (grant) => {
      const [from] = grant.spec.from;
      if (from !== undefined) queue.add(from.namespace, { priority: 'initial' });
    }),
    each(stores.namespaces, (namespace, change) => {
      if (change.kind === 'removed') queue.add(namespace.metadata.name);
    }),
  ];
  for (const grant of stores.grants.list()) {
    const [from] = grant.spec.from;
    if (from !== undefined) queue.add(from.namespace, { priority: 'initial' });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end();
      await queue[Symbol.asyncDispose]();
    },
  };
}

function each<T extends KubeObject>(store: Store<T>, hear: (object: T, change: Change<T>) => void): () => void {
  return store.subscribe((change) => hear(change.kind === 'applied' ? change.object : change.previous, change));
}
