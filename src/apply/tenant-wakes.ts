// Which Namespaces and GatewayTenants a change concerns: its own, and those of tenants that name the same, something above it or beneath it. Wired
// up once in main.ts.

import type { GatewayTenant } from '../api/gateway-tenant.ts';
import type { KubeObject } from '../api/meta.ts';
import { annotations, labels } from '../api/names.ts';
import type { Change } from '../kube/store.ts';
import { domainOf, domainsAbove } from '../tenancy/ownership.ts';
import type { Stores } from './ports.ts';

export interface TenantQueues {
  /** Keys as `namespaceKey` and `tenantKey` spell them. */
  tenant(key: string, change?: Change<KubeObject>): void;
}

export function namespaceKey(name: string): string {
  return `namespace/${name}`;
}

export function tenantKey(name: string): string {
  return `tenant/${name}`;
}

export function readTenantKey(key: string): { readonly kind: 'namespace' | 'tenant'; readonly name: string } {
  const slash = key.indexOf('/');
  return { kind: key.slice(0, slash) === 'namespace' ? 'namespace' : 'tenant', name: key.slice(slash + 1) };
}

type Watched = Pick<Stores, 'gatewayTenants' | 'namespaces' | 'gateways' | 'routes'>;

export function wireTenants(stores: Watched, queues: TenantQueues): void {
  stores.gatewayTenants.subscribe((change) => {
    const [now, before] = [change.kind === 'applied' ? change.object : undefined, change.previous];
    if (now !== undefined && before !== undefined && isSameSpec(now, before)) return;
    const wake = (tenant: GatewayTenant) => {
      queues.tenant(tenantKey(tenant.metadata.name), change);
      for (const namespace of tenant.spec.namespaces) queues.tenant(namespaceKey(namespace), change);
    };
    for (const each of [now, before]) {
      if (each === undefined) continue;
      wake(each);
      for (const other of related(stores, each)) wake(other);
    }
  });
  for (const made of [stores.gateways, stores.routes])
    made.subscribe((change: Change<KubeObject>) => wakeTenantOf(queues, change));
  stores.namespaces.subscribe((change) => {
    if (change.kind === 'removed') return;
    const isTenants = stores.gatewayTenants.by('namespace', change.key).length > 0;
    if (isTenants || change.object.metadata.annotations?.[annotations.tenant] !== undefined) {
      queues.tenant(namespaceKey(change.key), change);
    }
  });
}

/** What was made for a tenant, by the label that it has, or had. */
function wakeTenantOf(queues: TenantQueues, change: Change<KubeObject>): void {
  const [now, before] = [change.kind === 'applied' ? change.object : undefined, change.previous];
  if (
    now !== undefined &&
    before !== undefined &&
    now.metadata.generation === before.metadata.generation &&
    now.metadata.labels === before.metadata.labels
  )
    return;
  const names = [now, before].flatMap((each) => each?.metadata.labels?.[labels.tenant] ?? []);
  for (const name of new Set(names)) queues.tenant(tenantKey(name), change);
}

/** Those whose names the change may give or take. */
function related(stores: Watched, tenant: GatewayTenant): ReadonlySet<GatewayTenant> {
  const { gatewayTenants: tenants } = stores;
  const domains = tenant.spec.domains.map(domainOf);
  return new Set([
    ...tenant.spec.namespaces.flatMap((namespace) => tenants.by('namespace', namespace)),
    ...domains.flatMap((domain) => [domain, ...domainsAbove(domain)]).flatMap((domain) => tenants.by('domain', domain)),
  ]);
}

function isSameSpec(a: GatewayTenant, b: GatewayTenant): boolean {
  return (
    a.metadata.generation === b.metadata.generation && a.metadata.deletionTimestamp === b.metadata.deletionTimestamp
  );
}
