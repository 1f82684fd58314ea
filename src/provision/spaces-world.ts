// What the caches say of namespaces: what each hosts, which of them Envoy Gateway may read now, and where something of ours is left. Read by
// spaces.ts, and by the reconcile of the whole for Envoy Gateway's configuration and for its finalizer.

import { type GatewayInfra, stepLabel } from '../api/gateway-infra.ts';
import * as resources from '../api/resources.ts';
import { gatewayRoles } from '../infra/eg-names.ts';
import { type HostingWorld, hostIn, isHosting } from '../infra/hosting.ts';
import { isAlwaysReserved, isReserved } from '../infra/space-names.ts';
import type { Wanted } from '../infra/wanted.ts';
import type { InfraStores } from './ports.ts';
import { isOurs, isPlausible, renderedStore } from './stores.ts';

export function hostingWorld(stores: InfraStores, infra: GatewayInfra): HostingWorld {
  const { gateways, gatewayClasses, listenerSets, xListenerSets, namespaces } = stores;
  return {
    infra,
    gatewaysIn: (namespace) => gateways.by('namespace', namespace),
    listenerSetsIn: (namespace) => [
      ...listenerSets.by('namespace', namespace),
      ...xListenerSets.by('namespace', namespace),
    ],
    gateway: (key) => gateways.get(key),
    controllerOf: (className) => gatewayClasses.get(className)?.spec.controllerName,
    namespace: (name) => namespaces.get(name),
    candidates: function* () {
      for (const store of [gateways, listenerSets, xListenerSets]) {
        for (const { metadata } of store.list()) yield metadata.namespace ?? '';
      }
    },
  };
}

/** Kinds of what stands in hosting namespaces; pull Secrets are another account's business. */
const kinds = [resources.renderedConfigMaps, resources.serviceAccounts, resources.wholeRoleBindings];

/** What of ours stands in the namespace, rendered for this GatewayInfra by spaces.ts. */
export function liveIn(namespace: string, stores: InfraStores, infra: GatewayInfra): readonly Wanted[] {
  return kinds.flatMap((of) =>
    renderedStore(stores, of)
      .by('namespace', namespace)
      .filter(
        (object) =>
          isOurs(object, infra.metadata.uid ?? '') &&
          object.metadata.labels?.[stepLabel] === 'namespace' &&
          isPlausible({ ...object, kind: of.kind }, infra.spec.systemNamespace),
      )
      .map((object) => ({ of, object })),
  );
}

/** Where Envoy Gateway has its rights and is to have them, ascending: what its configuration may list. */
export function servedNamespaces(stores: InfraStores, infra: GatewayInfra): readonly string[] {
  const world = hostingWorld(stores, infra);
  const bindings = renderedStore(stores, resources.wholeRoleBindings);
  const isServed = (name: string) => {
    if (isReserved(name, infra.spec)) return false;
    const stands = [gatewayRoles.read, gatewayRoles.infra].every(
      (role) => bindings.get(`${name}/${role}`) !== undefined,
    );
    if (!stands) return false;
    const host = hostIn(name, world);
    return host.standing === 'present' && (isHosting(host) || host.named === 'watched');
  };
  const bound = new Set([...bindings.list()].map(({ metadata }) => metadata.namespace ?? ''));
  return [...bound].filter(isServed).sort();
}

/** Namespaces in which something of ours is left, ascending. */
export function spacesLeft(stores: InfraStores, infra: GatewayInfra): readonly string[] {
  const places = new Set(
    kinds.flatMap((of) => [...renderedStore(stores, of).list()].map(({ metadata }) => metadata.namespace ?? '')),
  );
  const isLeft = (name: string) =>
    liveIn(name, stores, infra).some(({ object }) => object.metadata.deletionTimestamp === undefined);
  return [...places].filter((name) => !isAlwaysReserved(name, infra.spec) && isLeft(name)).sort();
}
