// One object that infra wants to stand as it is described: only the fields that are ours. Made by every render function here, applied
// and compared by provision/.

import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resources.ts';

export interface Wanted {
  readonly of: Resource<KubeObject>;
  readonly object: KubeObject & Readonly<Record<string, unknown>>;
}

/** "Deployment envoy-gateway-system/envoy-gateway": how conditions and errors name it. */
export function nameOf({ of, object }: { readonly of: Resource<KubeObject>; readonly object: KubeObject }): string {
  const { namespace, name } = object.metadata;
  return `${of.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
