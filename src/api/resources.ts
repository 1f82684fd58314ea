// Where each kind lives in the API: one constant per kind, typed by what a read of it returns.

import type { Certificate, CertificateRequest, Issuer } from './certmanager.ts';
import type { Challenge } from './challenge.ts';
import type { ConfigMap, KubeEvent, Lease, Metadata, Secret } from './core.ts';
import type { Crd } from './crd.ts';
import type { Gateway, GatewayClass, HttpRoute, ListenerSet, Namespace, ReferenceGrant } from './gateway.ts';
import type { GatewayInfra } from './gateway-infra.ts';
import type { GatewayTenant } from './gateway-tenant.ts';
import type { KubeObject } from './meta.ts';
import type { Order } from './order.ts';

export interface Resource<T extends KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never present at run time; carries the type. */
  readonly type?: T;
}

function resource<T extends KubeObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  scope: 'namespaced' | 'cluster',
): Resource<T> {
  return { group, version, plural, kind, namespaced: scope === 'namespaced' };
}

const gatewayApi = 'gateway.networking.k8s.io';

export const gateways = resource<Gateway>(gatewayApi, 'v1', 'gateways', 'Gateway', 'namespaced');
export const gatewayClasses = resource<GatewayClass>(gatewayApi, 'v1', 'gatewayclasses', 'GatewayClass', 'cluster');
export const listenerSets = resource<ListenerSet>(gatewayApi, 'v1', 'listenersets', 'ListenerSet', 'namespaced');
export const xListenerSets = resource<ListenerSet>(
  'gateway.networking.x-k8s.io',
  'v1alpha1',
  'xlistenersets',
  'XListenerSet',
  'namespaced',
);
export const httpRoutes = resource<HttpRoute>(gatewayApi, 'v1', 'httproutes', 'HTTPRoute', 'namespaced');
// v1beta1 is the version that every release since 0.6 serves, and the one that data planes read.
export const referenceGrants = resource<ReferenceGrant>(
  gatewayApi,
  'v1beta1',
  'referencegrants',
  'ReferenceGrant',
  'namespaced',
);

export const certificates = resource<Certificate>('cert-manager.io', 'v1', 'certificates', 'Certificate', 'namespaced');
export const certificateRequests = resource<CertificateRequest>(
  'cert-manager.io',
  'v1',
  'certificaterequests',
  'CertificateRequest',
  'namespaced',
);
export const issuers = resource<Issuer>('cert-manager.io', 'v1', 'issuers', 'Issuer', 'namespaced');
export const clusterIssuers = resource<Issuer>('cert-manager.io', 'v1', 'clusterissuers', 'ClusterIssuer', 'cluster');
export const orders = resource<Order>('acme.cert-manager.io', 'v1', 'orders', 'Order', 'namespaced');

export const challenges = resource<Challenge>('acme.cert-manager.io', 'v1', 'challenges', 'Challenge', 'namespaced');

export const secrets = resource<Secret>('', 'v1', 'secrets', 'Secret', 'namespaced');
export const secretMetadata = resource<Metadata>('', 'v1', 'secrets', 'Secret', 'namespaced');
export const configMaps = resource<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap', 'namespaced');
export const events = resource<KubeEvent>('', 'v1', 'events', 'Event', 'namespaced');
export const namespaces = resource<Namespace>('', 'v1', 'namespaces', 'Namespace', 'cluster');
export const leases = resource<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease', 'namespaced');
export const roleBindings = resource<Metadata>(
  'rbac.authorization.k8s.io',
  'v1',
  'rolebindings',
  'RoleBinding',
  'namespaced',
);
export const customResourceDefinitions = resource<Metadata>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  'cluster',
);

/** Of certway.dev, ours alone. */
export const gatewayInfras = resource<GatewayInfra>(
  'certway.dev',
  'v1alpha1',
  'gatewayinfras',
  'GatewayInfra',
  'cluster',
);

export const gatewayTenants = resource<GatewayTenant>(
  'certway.dev',
  'v1alpha1',
  'gatewaytenants',
  'GatewayTenant',
  'cluster',
);

// What infra renders or watches; it reads of them only what it wrote, so their metadata and an open rest is enough.
export interface Rendered extends KubeObject {
  readonly [field: string]: unknown;
}
export const renderedConfigMaps = resource<Rendered>('', 'v1', 'configmaps', 'ConfigMap', 'namespaced');
export const serviceAccounts = resource<Rendered>('', 'v1', 'serviceaccounts', 'ServiceAccount', 'namespaced');
export const services = resource<Rendered>('', 'v1', 'services', 'Service', 'namespaced');
export const endpointSlices = resource<Rendered>(
  'discovery.k8s.io',
  'v1',
  'endpointslices',
  'EndpointSlice',
  'namespaced',
);
export const deployments = resource<Rendered>('apps', 'v1', 'deployments', 'Deployment', 'namespaced');
// Read of an earlier install of Envoy Gateway, and of what it made.
export const daemonSets = resource<Rendered>('apps', 'v1', 'daemonsets', 'DaemonSet', 'namespaced');
export const replicaSets = resource<Rendered>('apps', 'v1', 'replicasets', 'ReplicaSet', 'namespaced');
export const pods = resource<Rendered>('', 'v1', 'pods', 'Pod', 'namespaced');
export const jobs = resource<Rendered>('batch', 'v1', 'jobs', 'Job', 'namespaced');
export const autoscalers = resource<Rendered>(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
  'namespaced',
);
export const podDisruptionBudgets = resource<Rendered>(
  'policy',
  'v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
  'namespaced',
);
export const networkPolicies = resource<Rendered>(
  'networking.k8s.io',
  'v1',
  'networkpolicies',
  'NetworkPolicy',
  'namespaced',
);
export const roles = resource<Rendered>('rbac.authorization.k8s.io', 'v1', 'roles', 'Role', 'namespaced');
export const clusterRoles = resource<Rendered>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterroles',
  'ClusterRole',
  'cluster',
);
export const clusterRoleBindings = resource<Rendered>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  'cluster',
);
export const wholeRoleBindings = resource<Rendered>(
  'rbac.authorization.k8s.io',
  'v1',
  'rolebindings',
  'RoleBinding',
  'namespaced',
);
export const mutatingWebhookConfigurations = resource<Rendered>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  'cluster',
);
export const admissionPolicies = resource<Rendered>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  'cluster',
);
export const admissionPolicyBindings = resource<Rendered>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
  'cluster',
);
export const wholeCrds = resource<Crd>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  'cluster',
);
/** Of Envoy Gateway. */
export const envoyProxies = resource<Rendered>(
  'gateway.envoyproxy.io',
  'v1alpha1',
  'envoyproxies',
  'EnvoyProxy',
  'namespaced',
);

/** "group/version", or "v1" for the core group: what stands in an object's apiVersion. */
export function apiVersion(of: Resource<KubeObject>): string {
  return of.group === '' ? of.version : `${of.group}/${of.version}`;
}
