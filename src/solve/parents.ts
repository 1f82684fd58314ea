// Which parentRefs of a route mean the same parent. Called by path.ts and route.ts. Pure.

import type { ParentRef } from '../api/gateway.ts';
import { gateways } from '../api/resources.ts';

/** With the defaults of Gateway API spelled out: unset and explicit mean the same parent, though the CRD's own rule takes them for two. */
export type Parent = ParentRef & { readonly group: string; readonly kind: string; readonly namespace: string };

export function explicitParent(ref: ParentRef, routeNamespace: string): Parent {
  const { group = gateways.group, kind = gateways.kind, namespace, ...rest } = ref;
  return { group, kind, namespace: namespace === undefined || namespace === '' ? routeNamespace : namespace, ...rest };
}

/** Whatever their sections. */
export function isSameParent(a: Parent, b: Parent): boolean {
  return a.group === b.group && a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

/** None twice; and of one parent either every ref names a section or port, or there is only one: the CRD refuses anything else. */
export function distinctParents(refs: readonly Parent[]): readonly Parent[] {
  return refs.filter((ref, index) => {
    const isRepeated = refs
      .slice(0, index)
      .some((other) => isSameParent(ref, other) && sectionOf(ref) === sectionOf(other));
    const isWide = ref.sectionName === undefined && ref.port === undefined;
    return (
      !isRepeated && !(isWide && refs.some((other) => isSameParent(ref, other) && sectionOf(other) !== sectionOf(ref)))
    );
  });
}

function sectionOf({ sectionName = '', port = 0 }: ParentRef): string {
  return `${sectionName}:${port}`;
}
