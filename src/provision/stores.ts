// The caches of everything that the infra half watches. Made by main-infra.ts; filled by watches.ts; read by every reconciler here.

import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { type GatewayInfra, infraManagedBy, infraName, infraUidLabel, stepLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import type { Rendered, Resource } from '../api/resources.ts';
import * as resources from '../api/resources.ts';
import { trustBundleName } from '../infra/space-names.ts';
import { Store } from '../kube/store.ts';
import { parentKey } from '../resolve/source.ts';
import { type InfraStores, kindKey } from './ports.ts';

/** Kinds of which only what carries our label is watched, in every namespace. */
export const renderedEverywhere: readonly Resource<Rendered>[] = [
  resources.renderedConfigMaps,
  resources.serviceAccounts,
  resources.wholeRoleBindings,
  resources.clusterRoleBindings,
  resources.mutatingWebhookConfigurations,
  resources.admissionPolicies,
  resources.admissionPolicyBindings,
];

/** The same in systemNamespace alone: nothing of these kinds is rendered elsewhere. */
export const renderedInSystem: readonly Resource<Rendered>[] = [
  resources.services,
  resources.endpointSlices,
  resources.deployments,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
];

const systemOnly = new Set(renderedInSystem.map(kindKey));
const byNamespace = { namespace: (of: KubeObject) => [of.metadata.namespace ?? ''] };

export function makeInfraStores(onBug: (error: unknown) => void): InfraStores {
  const setIndexes = { ...byNamespace, parent: (of: ListenerSet) => [parentKey(of)] };
  const rendered = [...renderedEverywhere, ...renderedInSystem].map(
    (of) => [kindKey(of), new Store<Rendered>({ onBug, indexes: byNamespace })] as const,
  );
  return {
    gatewayInfras: new Store({ onBug }),
    gateways: new Store<Gateway>({
      onBug,
      indexes: { ...byNamespace, class: (of) => [of.spec.gatewayClassName] },
    }),
    gatewayClasses: new Store({ onBug }),
    listenerSets: new Store<ListenerSet>({ onBug, indexes: setIndexes }),
    xListenerSets: new Store<ListenerSet>({ onBug, indexes: setIndexes }),
    namespaces: new Store({ onBug }),
    envoyProxies: new Store<Rendered>({ onBug, indexes: byNamespace }),
    crds: new Store({ onBug, content: 'metadata' }),
    systemSecrets: new Store({ onBug }),
    solverSlices: new Store({ onBug }),
    rendered: new Map(rendered),
  };
}

/** The cache that holds what we render of that kind there, if one does. */
export function storeOf(
  stores: InfraStores,
  of: Resource<KubeObject>,
  namespace?: string,
): Store<KubeObject> | undefined {
  const inSystem = namespace === infraOf(stores)?.spec.systemNamespace;
  // A store takes what its kind's reads return, and that is what is put in.
  const wide = (store: unknown) => store as Store<KubeObject>;
  switch (kindKey(of)) {
    case kindKey(resources.envoyProxies):
      return wide(stores.envoyProxies);
    case kindKey(resources.gatewayClasses):
      return wide(stores.gatewayClasses);
    case kindKey(resources.secrets):
      return inSystem ? wide(stores.systemSecrets) : undefined;
    default:
      if (!inSystem && systemOnly.has(kindKey(of))) return undefined;
      return stores.rendered.has(kindKey(of)) ? wide(stores.rendered.get(kindKey(of))) : undefined;
  }
}

/** Throws for a kind that is not on the lists above. */
export function renderedStore(stores: InfraStores, of: Resource<KubeObject>): Store<Rendered> {
  const store = stores.rendered.get(kindKey(of));
  if (store === undefined) throw new Error(`${of.kind} is on no list of rendered kinds`);
  return store;
}

/** The one that is honoured. */
export function infraOf(stores: InfraStores): GatewayInfra | undefined {
  return stores.gatewayInfras.get(infraName);
}

/**
 * Whether it was rendered for that GatewayInfra, which is the only right to delete it. What a controller made of it is that controller's: the
 * EndpointSlices of a Service carry the Service's labels.
 */
export function isOurs({ metadata }: KubeObject, uid: string): boolean {
  const isDerived = (metadata.ownerReferences ?? []).some(({ controller }) => controller === true);
  const { [labels.managedBy]: manager, [infraUidLabel]: of } = metadata.labels ?? {};
  return !isDerived && manager === infraManagedBy && of === uid;
}

/**
 * Whether infra can have made it at all. Tenants know our labels and may copy them to what they make; of that, only what bears a name and step of ours in
 * a namespace of theirs is looked at, so that nothing which we could not even delete holds anything up.
 */
export function isPlausible({ kind, metadata }: KubeObject, systemNamespace: string | undefined): boolean {
  const { namespace, name, labels: marks } = metadata;
  if (namespace === undefined || namespace === systemNamespace) return true;
  if (marks?.[stepLabel] !== 'namespace') return false;
  return kind !== 'ConfigMap' || name === trustBundleName;
}
