// What a Namespace is told of its tenant: the annotations that admission policies and controller go by. Called for one namespace at a time when
// something changed that concerns it; written by apply/tenants.ts.

import type { GatewayTenant } from '../api/gateway-tenant.ts';
import { annotations } from '../api/names.ts';
import { foreignBeneath, holder, ownDomains, type Tenants } from './ownership.ts';

/** Of our annotations on Namespaces, those that this writes. */
export const projected = [
  annotations.tenant,
  annotations.domains,
  annotations.tenantRules,
  annotations.allowedIssuers,
] as const;

export type Projection = Readonly<Partial<Record<(typeof projected)[number], string>>>;

/**
 * The annotations that the namespace is to have. Undefined: it was never a tenant's, and what stands there is somebody else's. One that has lost its
 * tenant may use nothing: whoever forgets a namespace must not give it every name.
 */
export function project(
  namespace: string,
  standing: Readonly<Record<string, string>>,
  tenants: Tenants,
): Projection | undefined {
  const tenant = holder(tenants.byNamespace(namespace));
  if (tenant !== undefined) return projectionOf(tenant, tenants);
  const was = standing[annotations.tenant];
  return was === undefined ? undefined : { [annotations.tenant]: was, [annotations.domains]: '' };
}

function projectionOf(tenant: GatewayTenant, tenants: Tenants): Projection {
  const { allowWildcard, issuer, gateway } = tenant.spec;
  const own = ownDomains(tenant, tenants);
  const foreign = foreignBeneath(tenant, own, tenants).map((domain) => `!${domain}`);
  const rules = [
    ...(allowWildcard === true ? ['wildcards'] : []),
    ...(issuer?.allowOwn === true ? ['own-issuers'] : []),
    ...(gateway !== undefined && gateway.httpListener !== 'Open' ? ['https-only'] : []),
  ];
  return {
    [annotations.tenant]: tenant.metadata.name,
    [annotations.domains]: [...own, ...foreign].join(','),
    ...(rules.length > 0 && { [annotations.tenantRules]: rules.join(',') }),
    [annotations.allowedIssuers]: issuersOf(tenant),
  };
}

function issuersOf({ spec }: GatewayTenant): string {
  const { allowed } = spec.issuer ?? {};
  if (allowed === undefined) return 'ClusterIssuer/*';
  const spelled = allowed.map(({ kind = 'ClusterIssuer', group = '', name }) => {
    const isOurs = group === '' || group === 'cert-manager.io';
    return `${kind}${isOurs ? '' : `.${group}`}/${name}`;
  });
  return [...new Set(spelled)].sort().join(',');
}

/** Whether nothing has to be written. */
export function isProjected(standing: Readonly<Record<string, string>>, wanted: Projection): boolean {
  return projected.every((key) => standing[key] === wanted[key]);
}
