// A Gateway or a ListenerSet of either kind, reduced to what deciding about its certificates needs. Built once per object by gateway.ts.

import type { Gateway, Listener, ListenerSet, ListenerStatus } from '../api/gateway.ts';
import type { Condition } from '../api/meta.ts';
import { apiVersion, gateways, listenerSets, xListenerSets } from '../api/resources.ts';
import type { Subject } from './world.ts';

export interface Parent {
  readonly namespace: string;
  readonly name: string;
}

export interface Source {
  readonly subject: Subject;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** RFC 3339, to the second, as the API server writes it: sorts as text. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly listeners: readonly Listener[];
  readonly conditions: readonly Condition[];
  readonly listenerStatuses: readonly ListenerStatus[];
  /** A ListenerSet's Gateway; absent on a Gateway. */
  readonly parent?: Parent;
}

const gatewayVersion = apiVersion(gateways);
const listenerSetVersion = apiVersion(listenerSets);
const xListenerSetVersion = apiVersion(xListenerSets);

export function sourceOfGateway(gateway: Gateway): Source {
  return sourceOf(gateway, gatewayVersion, gateways.kind);
}

export function sourceOfListenerSet(set: ListenerSet): Source {
  const isX = set.kind === xListenerSets.kind;
  const version = isX ? xListenerSetVersion : listenerSetVersion;
  return { ...sourceOf(set, version, isX ? xListenerSets.kind : listenerSets.kind), parent: parentOf(set) };
}

export function parentOf(set: ListenerSet): Parent {
  const { name, namespace } = set.spec.parentRef;
  return { namespace: namespace === undefined || namespace === '' ? (set.metadata.namespace ?? '') : namespace, name };
}

/** "namespace/name" of the Gateway that the set points at. */
export function parentKey(set: ListenerSet): string {
  const { namespace, name } = parentOf(set);
  return `${namespace}/${name}`;
}

/** Objects on their way out are not acted for; the finalizer alone already says so. */
export function isLeaving(object: Gateway | ListenerSet): boolean {
  const { deletionTimestamp, finalizers } = object.metadata;
  return deletionTimestamp !== undefined || (finalizers ?? []).includes('foregroundDeletion');
}

function sourceOf(object: Gateway | ListenerSet, version: string, kind: string): Source {
  const { metadata, spec, status } = object;
  const namespace = metadata.namespace ?? '';
  return {
    subject: { apiVersion: version, kind, namespace, name: metadata.name, uid: metadata.uid ?? '' },
    namespace,
    name: metadata.name,
    generation: metadata.generation ?? 0,
    created: metadata.creationTimestamp ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    // A Gateway without any is foreseen (gateway-api #4425).
    listeners: spec.listeners ?? [],
    conditions: status?.conditions ?? [],
    listenerStatuses: status?.listeners ?? [],
  };
}
