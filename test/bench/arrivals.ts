// When each certificate arrived, seen as a data plane would see it: a watch on Secrets. What arrived is checked afterwards, so
// that a benchmark cannot be won with certificates that serve nobody.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../../src/api/core.ts';
import { secrets } from '../../src/api/resources.ts';
import type { Client } from '../rig/demo/client.ts';
import type { Wanted } from './objects.ts';

export interface Arrivals extends AsyncDisposable {
  /** By "namespace/name", monotonic milliseconds of the first event in which the Secret held a certificate. */
  readonly at: ReadonlyMap<string, number>;
  /** Resolves when all that are wanted have arrived; rejects with the signal, or when the watch breaks. */
  all(signal: AbortSignal): Promise<void>;
  /** One line for each Secret that does not serve its hostname. */
  mistakes(): readonly string[];
}

export function watchArrivals(client: Client, wanted: readonly Wanted[]): Arrivals {
  const missing = new Map(wanted.map((one) => [`${one.namespace}/${one.secretName}`, one]));
  const at = new Map<string, number>();
  const held = new Map<Wanted, Secret>();
  const complete = Promise.withResolvers<void>();
  complete.promise.catch(() => undefined); // rejected also when nobody waits any more
  const stop = new AbortController();
  const watch = client.watch(
    secrets,
    ({ object }) => {
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      const one = missing.get(key);
      if (one === undefined || !object.data?.['tls.crt']) {
        return;
      }
      at.set(key, performance.now());
      held.set(one, object);
      missing.delete(key);
      if (missing.size === 0) {
        complete.resolve();
      }
    },
    stop.signal,
  );
  const watched = watch.catch(complete.reject);
  return {
    at,
    all: (signal) => {
      const late = () => complete.reject(new Error(`${missing.size} of ${wanted.length} certificates have not come`));
      signal.addEventListener('abort', late, { once: true });
      return complete.promise;
    },
    mistakes: () => [...held].flatMap(([one, secret]) => mistakesIn(one, secret)),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watched;
    },
  };
}

function mistakesIn({ namespace, secretName, hostname }: Wanted, { data = {} }: Secret): readonly string[] {
  const decode = (name: string) => Buffer.from(data[name] ?? '', 'base64');
  const leaf = new X509Certificate(decode('tls.crt'));
  const serves = leaf.checkHost(hostname, { subject: 'never' }) !== undefined;
  return serves && leaf.checkPrivateKey(createPrivateKey(decode('tls.key')))
    ? []
    : [`Secret ${namespace}/${secretName} does not serve ${hostname}`];
}
