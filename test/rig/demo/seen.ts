// What the demo has seen of the cluster, by watches, and when: the table is made from it. Times are milliseconds on the
// monotonic clock, taken as events arrive, because creationTimestamp has whole seconds only.

import type { Certificate } from '../../../src/api/certmanager.ts';
import type { Secret } from '../../../src/api/core.ts';
import type { Gateway, ListenerSet } from '../../../src/api/gateway.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import type { Order } from '../../../src/api/order.ts';
import {
  certificates,
  gateways,
  listenerSets,
  orders,
  type Resource,
  secrets,
  xListenerSets,
} from '../../../src/api/resources.ts';
import type { Client } from './client.ts';

export interface Sighting<T> {
  readonly object: T;
  readonly firstSeen: number;
}

export type Sightings<T> = ReadonlyMap<string, Sighting<T>>;

export interface Seen {
  readonly gateways: Sightings<Gateway>;
  readonly listenerSets: Sightings<ListenerSet>;
  readonly certificates: Sightings<Certificate>;
  readonly orders: Sightings<Order>;
  /** Only those that hold a certificate: `firstSeen` is when it arrived. */
  readonly secrets: Sightings<Secret>;
}

export interface Watching extends AsyncDisposable {
  readonly seen: Seen;
  /** Rejects when a watch breaks. */
  readonly broken: Promise<never>;
}

/** Watches until disposed. The two kinds of listener sets share one map; "Kind/namespace/name" is the key everywhere. */
export function startWatching(client: Client): Watching {
  const stop = new AbortController();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined); // whoever races it hears of it
  const watches: Promise<void>[] = [];
  const follow = <T extends KubeObject>(
    resource: Resource<T>,
    counts: (object: T) => unknown = () => true,
    into = new Map<string, Sighting<T>>(),
  ): Map<string, Sighting<T>> => {
    const watch = client.watch(
      resource,
      ({ type, object }) => {
        const key = keyOf(object);
        if (type === 'DELETED') {
          into.delete(key);
        } else if (counts(object)) {
          into.set(key, { object, firstSeen: into.get(key)?.firstSeen ?? performance.now() });
        }
      },
      stop.signal,
    );
    watches.push(watch.catch((error: unknown) => (stop.signal.aborted ? undefined : broken.reject(error))));
    return into;
  };
  const seen = {
    gateways: follow(gateways),
    listenerSets: follow(xListenerSets, () => true, follow(listenerSets)),
    certificates: follow(certificates),
    orders: follow(orders),
    secrets: follow(secrets, (secret) => secret.data?.['tls.crt']),
  };
  const end = async () => {
    stop.abort();
    await Promise.all(watches);
  };
  return { seen, broken: broken.promise, [Symbol.asyncDispose]: end };
}

export function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}
