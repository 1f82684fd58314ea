// What `certway check` has fetched, as plain values: the contract between check-fetch.ts, which asks the API server with the user's own rights,
// and check-view.ts, which judges. What the user may not see is a value too.

import type { Lease } from '../api/core.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { Condition, KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resources.ts';
import type { Many, Sight } from './status-scene.ts';

export interface Definition extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Of either kind of admission policy. */
export interface Policy extends KubeObject {
  readonly status?: {
    readonly typeChecking?: {
      readonly expressionWarnings?: readonly { readonly fieldRef: string; readonly warning: string }[];
    };
  };
}

export interface PolicyBinding extends KubeObject {
  readonly spec: { readonly policyName: string; readonly validationActions?: readonly string[] };
}

export interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
}

const admission = 'admissionregistration.k8s.io';
const rbac = 'rbac.authorization.k8s.io';
const clusterWide = (group: string, plural: string, kind: string) => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});
const inNamespace = (...[group, plural, kind]: Parameters<typeof clusterWide>) => ({
  ...clusterWide(group, plural, kind),
  namespaced: true,
});

export const kinds = {
  definitions: clusterWide('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition'),
  validating: clusterWide(admission, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy'),
  validatingBindings: clusterWide(admission, 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding'),
  mutating: clusterWide(admission, 'mutatingadmissionpolicies', 'MutatingAdmissionPolicy'),
  mutatingBindings: clusterWide(admission, 'mutatingadmissionpolicybindings', 'MutatingAdmissionPolicyBinding'),
  clusterRoleBindings: clusterWide(rbac, 'clusterrolebindings', 'ClusterRoleBinding'),
  roleBindings: inNamespace(rbac, 'rolebindings', 'RoleBinding'),
  serviceAccounts: inNamespace('', 'serviceaccounts', 'ServiceAccount'),
} as const satisfies Record<string, Resource<never>>;

/** The kinds that Certway cannot be without, by group. */
export const ourKinds: readonly (readonly [string, readonly string[]])[] = [
  ['cert-manager.io', ['certificates', 'certificaterequests', 'issuers', 'clusterissuers']],
  ['acme.cert-manager.io', ['orders', 'challenges']],
];

export const gatewayVersion = 'gateway.networking.k8s.io/v1';

/** Where listeners and routes are found, in the versions that Certway reads. */
export const gatewayKinds: readonly (readonly [string, readonly string[]])[] = [
  [gatewayVersion, ['gateways', 'listenersets', 'httproutes']],
  ['gateway.networking.k8s.io/v1beta1', ['referencegrants']],
  ['gateway.networking.x-k8s.io/v1alpha1', ['xlistenersets']],
];

export const policyNames = ['certway-approval', 'certway-requester', 'certway-request-annotations'] as const;
export const stampName = 'certway-requester';

export interface PolicySight {
  readonly name: string;
  readonly policy: Sight<Policy>;
  readonly binding: Sight<PolicyBinding>;
}

export interface LeaseSight {
  readonly lease: Lease;
  /** Whether its holder was seen renewing it, or its time of renewal is young by the clock here. */
  readonly isAlive: boolean;
}

export interface CheckScene {
  readonly server: string;
  readonly namespace: string;
  /** Plural names by "group/version", from discovery, which everybody may read. */
  readonly served: ReadonlyMap<string, Sight<ReadonlySet<string>>>;
  /** By full name, such as certificates.cert-manager.io. */
  readonly definitions: ReadonlyMap<string, Sight<Definition>>;
  readonly policies: readonly PolicySight[];
  /** Absent where the API server does not know MutatingAdmissionPolicy. */
  readonly stamp: PolicySight | undefined;
  readonly lease: Sight<LeaseSight>;
  /** Those of cert-manager's name, in any namespace. */
  readonly otherLeases: Many<LeaseSight>;
  readonly account: Sight<KubeObject>;
  readonly clusterBinding: Sight<Binding>;
  readonly grants: Many<Binding>;
  readonly infra: Sight<GatewayInfra>;
  /** Namespaces that hold Certificates. */
  readonly used: Sight<ReadonlySet<string>>;
}
