// CustomResourceDefinitions, reduced to what ownership and take-over look at. Read by infra/crd-*.ts and provision/crds.ts.

import type { Condition, KubeObject } from './meta.ts';

export interface Crd extends KubeObject {
  readonly spec: CrdSpec;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    /** Versions in which objects may stand in etcd. */
    readonly storedVersions?: readonly string[];
  };
}

export interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly plural: string; readonly kind: string; readonly [more: string]: unknown };
  readonly versions: readonly CrdVersion[];
  readonly conversion?: { readonly strategy: string; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: { readonly openAPIV3Schema?: unknown };
  readonly [more: string]: unknown;
}

/** On the CRDs and the policy of the Gateway API: which release they are of, and of which channel. */
export const bundleVersionAnnotation = 'gateway.networking.k8s.io/bundle-version';
export const channelAnnotation = 'gateway.networking.k8s.io/channel';
/** The release of CRDs whose makers write none on them; put there when the directory of CRDs is filled. */
export const ownBundleAnnotation = 'certway.dev/bundle-version';
