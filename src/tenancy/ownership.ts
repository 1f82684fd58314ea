// Who has what when GatewayTenants disagree: one tenant for a namespace, one for a domain, the older of two; and the domains of others that lie
// beneath one's own. Called by projection.ts and tenant-status.ts with those tenants that the question concerns, never with all.

import type { GatewayTenant } from '../api/gateway-tenant.ts';

/** The field manager of all that is written for tenants. */
export const tenancyManager = 'certway-tenancy';

/** What must be known of other tenants; each answer costs what it finds. */
export interface Tenants {
  /** Those that name the namespace. */
  byNamespace(namespace: string): readonly GatewayTenant[];
  /** Those that name exactly this domain. */
  byDomain(domain: string): readonly GatewayTenant[];
  /** Those that name a domain beneath it. */
  beneath(domain: string): readonly GatewayTenant[];
}

/** Lower case, without a last dot: as policies and controller compare it. */
export function domainOf(text: string): string {
  return text.toLowerCase().replace(/\.$/, '');
}

/** Every domain above it: what `beneath` is an index of. */
export function domainsAbove(text: string): readonly string[] {
  const labels = domainOf(text).split('.');
  return labels.slice(1).map((_, at) => labels.slice(at + 1).join('.'));
}

/** The one of them that has what all of them name: the older, and of two of one second the first by name. */
export function holder(tenants: readonly GatewayTenant[]): GatewayTenant | undefined {
  return tenants.filter(({ metadata }) => metadata.deletionTimestamp === undefined).toSorted(byAge)[0];
}

function byAge({ metadata: a }: GatewayTenant, { metadata: b }: GatewayTenant): number {
  const [older, younger] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  if (older !== younger) return older < younger ? -1 : 1;
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

/** The domains of the tenant that are its own, ascending. */
export function ownDomains(tenant: GatewayTenant, tenants: Tenants): readonly string[] {
  const domains = [...new Set(tenant.spec.domains.map(domainOf))].sort();
  return domains.filter((domain) => isSame(holder(tenants.byDomain(domain)), tenant));
}

/** What others have beneath them, ascending; empty where the tenant may use it all the same. */
export function foreignBeneath(tenant: GatewayTenant, domains: readonly string[], tenants: Tenants): readonly string[] {
  if (tenant.spec.allowSubtenants === true) return [];
  const found = domains.flatMap((domain) =>
    tenants
      .beneath(domain)
      .flatMap(({ spec }) => spec.domains.map(domainOf))
      .filter((each) => each.endsWith(`.${domain}`)),
  );
  return [...new Set(found)].sort().filter((domain) => {
    const whose = holder(tenants.byDomain(domain));
    return whose !== undefined && !isSame(whose, tenant);
  });
}

export function isSame(a: GatewayTenant | undefined, b: GatewayTenant): boolean {
  return a?.metadata.name === b.metadata.name;
}
