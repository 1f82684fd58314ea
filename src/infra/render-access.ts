// What Envoy Gateway may do, as bindings to the static ClusterRoles of deploy/infra/envoy-gateway-roles.yaml: in its own namespace, in each
// hosting one (by the renderer of spaces), and in the cluster. Rules stand nowhere but in that file.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { clusterRoleBindings, wholeRoleBindings } from '../api/resources.ts';
import { gatewayName, gatewayRoles } from './eg-names.ts';
import { rendered } from './render-object.ts';
import type { Wanted } from './wanted.ts';

type Access = Pick<GatewayInfra, 'spec'>;

/** RoleBindings in one namespace that Envoy Gateway serves, the read first: certway-gateway-read, -infra and, with the webhook, -topology. */
export function gatewayAccess(infra: Access, uid: string, namespace: string): readonly Wanted[] {
  const roles = [gatewayRoles.read, gatewayRoles.infra, ...topologyRole(infra)];
  return roles.map((role) => roleBinding(infra, uid, namespace, role));
}

/** In the cluster and in the system namespace. Cluster-wide reads only where a selector says which namespaces are watched. */
export function systemAccess(infra: Access, uid: string): readonly Wanted[] {
  const system = infra.spec.systemNamespace;
  const wide =
    infra.spec.watch?.selector === undefined ? [] : [gatewayRoles.read, gatewayRoles.infra, ...topologyRole(infra)];
  return [
    ...[gatewayRoles.cluster, gatewayRoles.tokenReview, ...wide].map((role) => clusterRoleBinding(infra, uid, role)),
    ...gatewayAccess(infra, uid, system),
    roleBinding(infra, uid, system, gatewayRoles.leader),
  ];
}

function topologyRole({ spec }: Access): readonly string[] {
  return spec.topologyInjector === 'HostingNamespaces' ? [gatewayRoles.topology] : [];
}

function roleBinding(infra: Access, uid: string, namespace: string, role: string): Wanted {
  return rendered(wholeRoleBindings, uid, { name: role, namespace }, binding(infra, role));
}

function clusterRoleBinding(infra: Access, uid: string, role: string): Wanted {
  return rendered(clusterRoleBindings, uid, { name: role }, binding(infra, role));
}

function binding({ spec }: Access, role: string) {
  return {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: gatewayName, namespace: spec.systemNamespace }],
  };
}
