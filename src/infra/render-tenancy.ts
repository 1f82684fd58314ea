// What puts the admission policies on tenants in force: bindings that leave out the namespaces of the platform, by the one label that nobody can
// choose. Called by provision/ while spec.tenancy.enabled; the policies themselves come with deploy/tenancy.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { admissionPolicyBindings } from '../api/resources.ts';
import { tenantPolicyNames } from '../tenancy/policies.ts';
import { rendered } from './render-object.ts';
import { certwayNamespace } from './space-names.ts';
import type { Wanted } from './wanted.ts';

/** Kubernetes' own, and those in which what serves the tenants runs. */
const always = ['default', 'kube-system', 'kube-public', 'kube-node-lease', certwayNamespace] as const;

/** None where tenancy is off. */
export function renderTenancy({ spec, metadata }: GatewayInfra): readonly Wanted[] {
  if (spec.tenancy?.enabled !== true) return [];
  const platform = [...new Set([...always, spec.systemNamespace, ...(spec.tenancy.platformNamespaces ?? [])])].sort();
  const selected = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: platform }] };
  return tenantPolicyNames.map((policyName) =>
    rendered(
      admissionPolicyBindings,
      metadata.uid ?? '',
      { name: policyName },
      { spec: { policyName, validationActions: ['Deny'], matchResources: { namespaceSelector: selected } } },
    ),
  );
}
