// What a GatewayTenant's status says: which of its namespaces and domains another tenant has, in the tenant's own words alone. Called by
// apply/tenants.ts.

import type { GatewayTenant, GatewayTenantStatus, TenantConflict } from '../api/gateway-tenant.ts';
import type { Condition } from '../api/meta.ts';
import { domainOf, holder, isSame, ownDomains, type Tenants } from './ownership.ts';

/** Without times: whoever writes it knows when a condition changed. */
export function tenantStatus(tenant: GatewayTenant, tenants: Tenants): GatewayTenantStatus {
  const conflicts = conflictsOf(tenant, tenants);
  const generation = tenant.metadata.generation;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: [ready(tenant, conflicts)],
    ...(conflicts.length > 0 && { conflicts }),
  };
}

function conflictsOf(tenant: GatewayTenant, tenants: Tenants): readonly TenantConflict[] {
  const own = ownDomains(tenant, tenants);
  const lost = [...new Set(tenant.spec.domains.map(domainOf))].sort().filter((domain) => !own.includes(domain));
  const taken = [...new Set(tenant.spec.namespaces)]
    .sort()
    .filter((namespace) => !isSame(holder(tenants.byNamespace(namespace)), tenant));
  return [
    ...taken.map((name) => ({
      kind: 'Namespace' as const,
      name,
      message: 'Another, older GatewayTenant has this namespace; remove it from one of the two.',
    })),
    ...lost.map((name) => ({
      kind: 'Domain' as const,
      name,
      message: 'Another, older GatewayTenant has this domain; remove it from one of the two.',
    })),
  ];
}

function ready(tenant: GatewayTenant, conflicts: readonly TenantConflict[]): Condition {
  const [first] = conflicts;
  const generation = tenant.metadata.generation;
  const about = { type: 'Ready', ...(generation !== undefined && { observedGeneration: generation }) };
  if (first === undefined) {
    return { ...about, status: 'True', reason: 'Projected', message: 'Its namespaces may use its domains.' };
  }
  const more = conflicts.length === 1 ? '' : ` And ${conflicts.length - 1} more: see status.conflicts.`;
  return {
    ...about,
    status: 'False',
    reason: `${first.kind}Conflict`,
    message: `${first.kind} ${first.name}: ${first.message}${more}`,
  };
}
