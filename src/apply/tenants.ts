// Tells each Namespace what its tenant may use, and each GatewayTenant what of its spec another has. Called by the queue with the keys that
// tenant-wakes.ts makes; a turn costs what its tenant names, however many tenants there are.

import type { Namespace } from '../api/gateway.ts';
import type { Condition } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { gatewayTenants, namespaces } from '../api/resources.ts';
import { digestOf } from '../infra/digest.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { withCondition } from '../plan/conditions.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type Tenants, tenancyManager } from '../tenancy/ownership.ts';
import { isProjected, project } from '../tenancy/projection.ts';
import { tenantStatus } from '../tenancy/tenant-status.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import { keepGateway } from './tenant-gateway.ts';
import { readTenantKey } from './tenant-wakes.ts';

type TenantPorts = Pick<Ports, 'kube' | 'stores' | 'log' | 'now'>;

export function tenantReconciler(ports: TenantPorts): (key: string) => Promise<Outcome> {
  return async (key) => {
    const { kind, name } = readTenantKey(key);
    const done = kind === 'namespace' ? await tellNamespace(ports, name) : await tellTenant(ports, name);
    if (done === undefined || done.ok) return { kind: 'settled' };
    ports.log.warn(
      { controller: 'tenancy', [kind]: name, problem: done.problem },
      'could not write what a tenant may use',
    );
    return afterProblem(done.problem, ports.now());
  };
}

/** Answers from the cache, each at the cost of what it finds. */
export function knownTenants({ stores }: Pick<Ports, 'stores'>): Tenants {
  const { gatewayTenants: tenants } = stores;
  return {
    byNamespace: (namespace) => tenants.by('namespace', namespace),
    byDomain: (domain) => tenants.by('domain', domain),
    beneath: (domain) => tenants.by('above', domain),
  };
}

type Written = Reply<unknown, KubeProblem> | undefined;

async function tellNamespace(ports: TenantPorts, name: string): Promise<Written> {
  const standing = ports.stores.namespaces.get(name);
  if (standing === undefined || standing.metadata.deletionTimestamp !== undefined) return undefined;
  const known = standing.metadata.annotations ?? {};
  const wanted = project(name, known, knownTenants(ports));
  if (wanted === undefined || isProjected(known, wanted)) return undefined;
  // The uid, so that a namespace which has gone meanwhile is not asked for anew.
  const { uid = '' } = standing.metadata;
  const marked: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid, annotations: wanted } };
  const written = await ports.kube.apply(namespaces, marked, { fieldManager: tenancyManager, force: true });
  if (written.ok) ports.log.info({ controller: 'tenancy', namespace: name, ...wanted }, 'told what it may use');
  return written;
}

async function tellTenant(ports: TenantPorts, name: string): Promise<Written> {
  const tenant = ports.stores.gatewayTenants.get(name);
  if (tenant === undefined) return undefined;
  const tenants = knownTenants(ports);
  const gateway = await keepGateway(ports, tenant, tenants);
  if (!gateway.ok) return gateway;
  const wanted = tenantStatus(tenant, tenants);
  const now = ports.now();
  const said = [...(wanted.conditions ?? []), ...(gateway.value === undefined ? [] : [gateway.value])];
  const standing = tenant.status?.conditions?.filter(({ type }) => said.some((each) => each.type === type));
  const status = {
    ...wanted,
    conditions: said.reduce<readonly Condition[]>((all, each) => withCondition(all, each, now), standing ?? []),
  };
  if (digestOf(status) === digestOf(tenant.status ?? {})) return undefined;
  const written = await ports.kube.replaceStatus(gatewayTenants, { ...tenant, status });
  if (written.ok) ports.stores.gatewayTenants.note(written.value);
  return written;
}
