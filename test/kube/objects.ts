// Objects and lists as the API server writes them, for scripts; and the kind that most tests of kube/ use.

import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resources.ts';
import type { Script, Turn } from './scripted-api.ts';

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const configMaps: Resource<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** Without apiVersion and kind, as items of a list come. */
export function item(name: string, version: number | string, more: Readonly<Record<string, unknown>> = {}) {
  const metadata = {
    name,
    namespace: 'here',
    uid: `uid-${name}`,
    resourceVersion: String(version),
    managedFields: [{ manager: 'test', fieldsV1: { 'f:data': {} } }],
    ...(more.metadata as object | undefined),
  };
  return { ...more, metadata };
}

export function configMap(name: string, version: number | string, more: Readonly<Record<string, unknown>> = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', ...item(name, version, more) };
}

/** The same as one of ours, for the store. */
export function stored(
  name: string,
  version: number | string,
  metadata: Partial<ConfigMap['metadata']> = {},
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'here', uid: `uid-${name}`, resourceVersion: String(version), ...metadata },
  };
}

export function bookmark(version: number | string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: String(version) } };
}

export function status(code: number, reason: string, message = reason, more: Readonly<Record<string, unknown>> = {}) {
  return { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, reason, message, ...more };
}

/** A script that answers a list. */
export function listOf(version: number | string, ...items: readonly unknown[]): Script {
  return (turn) => turn.json(200, page(version, items));
}

export function page(version: number | string, items: readonly unknown[], rest?: string) {
  const metadata = rest === undefined ? {} : { continue: rest };
  return {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: String(version), ...metadata },
    items,
  };
}

/** A script that fails with a Status. */
export function refuse(code: number, reason: string, message?: string): Script {
  return (turn) => turn.json(code, status(code, reason, message));
}

/** A watch that stands and says nothing. */
export const silence: Script = (turn: Turn) => turn.open();
