// Names an object as events do. Called wherever something is said about one.

import type { KubeObject, ObjectRef } from '../api/meta.ts';

export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }), ...(uid !== undefined && { uid }) };
}
