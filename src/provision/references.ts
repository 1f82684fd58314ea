// Watches the ConfigMaps of people that the GatewayInfra names, each by its own name: nothing else of their content is ever read. Made by
// main-infra.ts; asked by the reconcilers that need one.

import type { ConfigMap } from '../api/core.ts';
import type { NamespacedName } from '../api/gateway-infra.ts';
import { configMaps } from '../api/resources.ts';
import { type Reflection, reflect } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import { Store } from '../kube/store.ts';
import type { References } from './ports.ts';

export interface ReferenceOptions {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly onChange: () => void;
  readonly onBug: (error: unknown) => void;
}

interface Watched {
  readonly store: Store<ConfigMap>;
  readonly reflection: Reflection;
  readonly ending: AbortController;
}

export function references({ session, signal, onChange, onBug }: ReferenceOptions): References {
  const watched = new Map<string, Watched>();
  const begin = ({ namespace, name }: NamespacedName): Watched => {
    const store = new Store<ConfigMap>({ onBug });
    const ending = new AbortController();
    store.subscribe(onChange);
    const reflection = reflect<ConfigMap>({
      session,
      resource: configMaps,
      store,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      signal: AbortSignal.any([signal, ending.signal]),
      onBug,
    });
    // An empty list is no change of the store, and yet an answer.
    void store.whenSynced(ending.signal).then(onChange, () => undefined);
    return { store, reflection, ending };
  };
  return {
    configMap: (ref) => {
      const key = `${ref.namespace}/${ref.name}`;
      const found = watched.get(key) ?? begin(ref);
      watched.set(key, found);
      return found.store.synced ? (found.store.get(key) ?? 'absent') : 'reading';
    },
    keep: (refs) => {
      const kept = new Set(refs.map(({ namespace, name }) => `${namespace}/${name}`));
      for (const [key, { ending }] of watched) {
        if (kept.has(key)) continue;
        ending.abort();
        watched.delete(key);
      }
    },
  };
}
