// The one ClusterRoleBinding of an extension's sidecars: its subjects are the ServiceAccounts that stand in hosting namespaces now, so that no name
// keeps a right that somebody else could take up (X4). Called by provision/spaces-shared.ts.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { clusterRoleBindings } from '../api/resources.ts';
import { rendered } from './render-object.ts';
import { uidOf } from './space.ts';
import { extensionBinding } from './space-names.ts';
import type { Wanted } from './wanted.ts';

/** `accounts`: namespaces that host and in which the account stands. Undefined where there is none, or nothing cluster-wide is asked for. */
export function sharedBinding(infra: GatewayInfra, accounts: readonly string[]): Wanted | undefined {
  const { serviceAccount, clusterRole } = infra.spec.namespaceResources?.extension ?? {};
  if (serviceAccount === undefined || clusterRole === undefined || accounts.length === 0) return undefined;
  return rendered(
    clusterRoleBindings,
    uidOf(infra),
    { name: extensionBinding },
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
      subjects: accounts.toSorted().map((namespace) => ({ kind: 'ServiceAccount', name: serviceAccount, namespace })),
    },
  );
}

/** "namespace/name" of each account that a binding names. */
export function subjectsOf(binding: { readonly [field: string]: unknown } | undefined): ReadonlySet<string> {
  const subjects = Array.isArray(binding?.subjects) ? binding.subjects : [];
  return new Set(subjects.map((each) => `${each?.namespace}/${each?.name}`));
}
