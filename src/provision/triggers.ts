// Maps every change that a watch reports to the keys that it concerns, so that an edit or a deletion of anything rendered is put right by event and
// a change in one namespace is looked at there alone. Wired up once in main-infra.ts.

import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { infraName, stepLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Change, Store } from '../kube/store.ts';
import { parentOf } from '../resolve/source.ts';
import type { InfraStores, InfraWakes } from './ports.ts';
import { infraOf } from './stores.ts';

/** The key, in the queue of namespaces, of what all of them share. */
export const sharedSpace = '';

export function wireInfraTriggers(stores: InfraStores, wake: InfraWakes): void {
  stores.gatewayInfras.subscribe((change) => {
    if (change.key !== infraName || !isAsked(change)) return;
    wake.infra();
    wake.crds();
    wake.legacy();
    wake.spaces();
    wake.status();
  });
  stores.gateways.subscribe((change) => {
    if (!isAsked(change)) return;
    for (const gateway of bothOf<Gateway>(change)) wake.space(gateway.metadata.namespace ?? '');
    // Its sets may have been admitted or turned away with it.
    for (const set of [stores.listenerSets, stores.xListenerSets].flatMap((each) => each.by('parent', change.key))) {
      wake.space(set.metadata.namespace ?? '');
    }
    wake.infra();
    wake.legacy();
  });
  for (const sets of [stores.listenerSets, stores.xListenerSets]) {
    sets.subscribe((change) => {
      if (!isAsked(change)) return;
      for (const set of bothOf<ListenerSet>(change)) {
        wake.space(set.metadata.namespace ?? '');
        wake.space(parentOf(set).namespace);
      }
      wake.infra();
    });
  }
  stores.namespaces.subscribe((change) => {
    if (!isOther(change)) return;
    wake.space(change.key);
    wake.infra();
  });
  stores.gatewayClasses.subscribe((change) => {
    if (!isAsked(change)) return;
    wake.infra();
    for (const gateway of stores.gateways.by('class', change.key)) wake.space(gateway.metadata.namespace ?? '');
  });
  stores.crds.subscribe(() => {
    wake.crds();
    wake.infra();
  });
  stores.solverSlices.subscribe(() => wake.space(sharedSpace));
  wireDrift(stores, wake);
}

/**
 * Every namespace that has to be looked at after an edit of the GatewayInfra, or when this process begins to lead: those that may host, those where
 * something of ours stands, and those that the status lists.
 */
export function wakeSpaces(stores: InfraStores, wake: Pick<InfraWakes, 'space'>): void {
  const infra = infraOf(stores);
  const { namespaceResources, watch } = infra?.spec ?? {};
  const objects = [stores.gateways, stores.listenerSets, stores.xListenerSets, ...stores.rendered.values()];
  const held = objects.flatMap((store) => [...store.list()].flatMap(({ metadata }) => metadata.namespace ?? []));
  const told = (infra?.status?.namespaces ?? []).map(({ name }) => name);
  const asked = [...(namespaceResources?.additionalNamespaces ?? []), ...(watch?.namespaces ?? [])];
  for (const namespace of new Set([sharedSpace, ...asked, ...held, ...told])) wake.space(namespace);
}

function wireDrift(stores: InfraStores, wake: InfraWakes): void {
  for (const store of [...stores.rendered.values(), stores.systemSecrets, stores.envoyProxies]) {
    (store as Store<KubeObject>).subscribe((change) => {
      // What we have just written ourselves is as it should be.
      if (change.origin === 'own') return;
      for (const object of bothOf(change)) wakeFor(stores, wake, object);
    });
  }
}

function wakeFor(stores: InfraStores, wake: InfraWakes, { metadata }: KubeObject): void {
  const { namespace, labels = {} } = metadata;
  const isSystem = namespace === undefined || namespace === infraOf(stores)?.spec.systemNamespace;
  switch (labels[stepLabel]) {
    case 'namespace':
      wake.space(namespace ?? sharedSpace);
      break;
    case 'shared':
    case 'solver':
      wake.space(sharedSpace);
      break;
    case 'crds':
      wake.crds();
      break;
    case 'legacy':
      wake.legacy();
      break;
    case undefined:
      // Somebody took the label off; or it is of people: an EnvoyProxy that a class is based on, a pull Secret that is copied.
      if (isSystem) wake.spaces();
      else wake.space(namespace);
      wake.infra();
      break;
    default:
      wake.infra();
  }
}

/** What people ask for has changed, or it has come, or it goes: not its status alone. */
function isAsked(change: Change<KubeObject>): boolean {
  if (change.kind === 'removed' || change.previous === undefined) return true;
  return isOther(change);
}

function isOther(change: Change<KubeObject>): boolean {
  if (change.kind === 'removed' || change.previous === undefined) return true;
  const facts = ({ metadata }: KubeObject) =>
    JSON.stringify([
      metadata.uid,
      metadata.generation,
      metadata.deletionTimestamp,
      metadata.labels,
      metadata.annotations,
      metadata.finalizers,
    ]);
  return facts(change.object) !== facts(change.previous);
}

function bothOf<T extends KubeObject>(change: Change<T>): readonly T[] {
  if (change.kind === 'removed') return [change.previous];
  return change.previous === undefined ? [change.object] : [change.object, change.previous];
}
