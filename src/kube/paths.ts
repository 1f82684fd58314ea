// Where an object or a collection of a kind stands in the API. Called by everything in kube/ that makes requests.

import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resources.ts';

/** `namespace` is absent for cluster-scoped kinds. */
export interface Ref {
  readonly namespace?: string;
  readonly name: string;
}

/** All objects of a kind, in one namespace or in all of them. */
export function collectionPath(of: Resource<KubeObject>, namespace?: string): string {
  const base = of.group === '' ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;
  const scope = of.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${base}${scope}/${of.plural}`;
}

/** Throws when a namespaced kind is named without its namespace: with it missing, the path would be another resource's. */
export function objectPath(of: Resource<KubeObject>, ref: Ref, subresource?: 'status'): string {
  if (of.namespaced && !ref.namespace) throw new Error(`${of.kind} ${ref.name} named without its namespace`);
  // "." and ".." survive encoding, and a URL parser on the way would resolve them.
  if (ref.name === '' || ref.name === '.' || ref.name === '..') throw new Error(`no ${of.kind} is named "${ref.name}"`);
  const path = `${collectionPath(of, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
