// GatewayTenants for tests of values, and the answers about them that a cache with indexes gives.

import type { GatewayTenant, GatewayTenantSpec } from '../../src/api/gateway-tenant.ts';
import { domainOf, domainsAbove, type Tenants } from '../../src/tenancy/ownership.ts';

/** Of two the one with the smaller age number is older. */
export function tenant(name: string, spec: Partial<GatewayTenantSpec>, born = 1): GatewayTenant {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayTenant',
    metadata: { name, generation: 3, creationTimestamp: `2026-01-${String(born).padStart(2, '0')}T00:00:00Z` },
    spec: { namespaces: [], domains: [], ...spec },
  };
}

export function among(...all: readonly GatewayTenant[]): Tenants {
  return {
    byNamespace: (namespace) => all.filter(({ spec }) => spec.namespaces.includes(namespace)),
    byDomain: (domain) => all.filter(({ spec }) => spec.domains.map(domainOf).includes(domain)),
    beneath: (domain) => all.filter(({ spec }) => spec.domains.flatMap(domainsAbove).includes(domain)),
  };
}
