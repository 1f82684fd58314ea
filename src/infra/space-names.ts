// What infra's objects in hosting namespaces are called, and where none may ever stand. Read by everything about spaces, and by the certificate
// half where a listener names a Secret that is infra's.

import type { GatewayInfra, GatewayInfraSpec } from '../api/gateway-infra.ts';

/** Where both halves of Certway run. */
export const certwayNamespace = 'certway-system';

/** The name of the ClusterRole and of each RoleBinding to it, as `certway grant` prints it. */
export const writerRole = 'certway-secret-writer';
/** Copies pull Secrets in infra's stead, which has no right on Secrets outside systemNamespace. */
export const pullSecretWriter = { account: 'certway-pull-secrets', role: 'certway-pull-secret-writer' } as const;
export const trustBundleName = 'certway-trust-bundle';
/** The RoleBinding in each hosting namespace, and the one ClusterRoleBinding, of an extension. */
export const extensionBinding = 'certway-gateway-extension';

type Places = Pick<GatewayInfraSpec, 'systemNamespace' | 'reservedNamespaces'>;

/** Nothing of ours is made, changed or deleted in such a namespace, whoever asks. */
export function isReserved(namespace: string, spec: Places): boolean {
  return isAlwaysReserved(namespace, spec) || (spec.reservedNamespaces ?? []).includes(namespace);
}

/** Whatever the spec says: nothing of ours was ever made there. */
export function isAlwaysReserved(namespace: string, { systemNamespace }: Pick<Places, 'systemNamespace'>): boolean {
  return namespace.startsWith('kube-') || [systemNamespace, certwayNamespace, 'default'].includes(namespace);
}

/** Names of Secrets in hosting namespaces that are infra's: no listener may have its certificate there (R22). */
export function claimedSecrets({ spec }: Pick<GatewayInfra, 'spec'>): ReadonlySet<string> {
  return new Set(spec.namespaceResources?.pullSecrets ?? []);
}

/** Names that Envoy Gateway would give to objects of a Gateway of that name, and that are infra's already (R23). */
export function claimedNames({ spec }: Pick<GatewayInfra, 'spec'>): ReadonlySet<string> {
  const { trustBundle, extension } = spec.namespaceResources ?? {};
  return new Set([
    ...(trustBundle === undefined ? [] : [trustBundleName]),
    ...(extension === undefined ? [] : [extension.serviceAccount]),
  ]);
}
