// The frame of everything that infra renders: apiVersion, kind, name, and the two labels by which it is known as ours. Called by every
// render function, here and for the namespaces.

import { infraManagedBy, infraUidLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { apiVersion, type Resource } from '../api/resources.ts';
import type { Wanted } from './wanted.ts';

export interface RenderedName {
  readonly name: string;
  /** Absent for kinds without one. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What only infra may delete carries both: a copy that somebody made of one of our objects has at most another UID. */
export function ownLabels(uid: string): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/managed-by': infraManagedBy,
    'app.kubernetes.io/part-of': 'certway',
    [infraUidLabel]: uid,
  };
}

/** `body` is everything beside apiVersion, kind and metadata. */
export function rendered(
  of: Resource<KubeObject>,
  uid: string,
  { name, namespace, labels, annotations }: RenderedName,
  body: Readonly<Record<string, unknown>> = {},
): Wanted {
  return {
    of,
    object: {
      apiVersion: apiVersion(of),
      kind: of.kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: { ...labels, ...ownLabels(uid) },
        ...(annotations === undefined ? {} : { annotations }),
      },
      ...body,
    },
  };
}
