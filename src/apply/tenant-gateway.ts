// Makes the Gateway of a tenant's own stand as it is described, and its redirect; takes away what is no longer described. Called by tenants.ts. What
// stands there under the name and is not ours is left alone and told.

import type { GatewayTenant } from '../api/gateway-tenant.ts';
import type { Condition, KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { gateways, httpRoutes, type Resource } from '../api/resources.ts';
import { covers } from '../infra/covers.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { keyOf, type Store } from '../kube/store.ts';
import { ownGateway } from '../tenancy/own-gateway.ts';
import { type Tenants, tenancyManager } from '../tenancy/ownership.ts';
import type { Ports } from './ports.ts';

type GatewayPorts = Pick<Ports, 'kube' | 'stores' | 'log'>;

interface Part<T extends KubeObject> {
  readonly of: Resource<T>;
  readonly store: Store<T>;
}

/** The condition that says how it went; undefined for a tenant without a Gateway of its own. */
export async function keepGateway(
  ports: GatewayPorts,
  tenant: GatewayTenant,
  tenants: Tenants,
): Promise<Reply<Condition | undefined, KubeProblem>> {
  const { gateway: spec } = tenant.spec;
  const wanted = spec === undefined || isLeaving(tenant) ? undefined : ownGateway(tenant, spec, tenants);
  const { gateway, redirect } = wanted?.ok ? wanted.value : {};
  // A refused description takes nothing away: what serves goes on to serve.
  if (wanted?.ok !== false) {
    const left = await sweep(ports, tenant, [gateway, redirect]);
    if (left !== undefined) return { ok: false, problem: left };
  }
  if (wanted === undefined) return { ok: true, value: undefined };
  if (!wanted.ok) return told(tenant, 'False', wanted.problem.reason, wanted.problem.message);
  const stood = [
    await stand(ports, tenant, { of: gateways, store: ports.stores.gateways }, gateway),
    await stand(ports, tenant, { of: httpRoutes, store: ports.stores.routes }, redirect),
  ];
  for (const each of stood) {
    if (!each.ok) return each;
    if (each.value.kind === 'foreign') return told(tenant, 'False', 'ForeignObject', each.value.message);
  }
  return told(
    tenant,
    'True',
    'Made',
    `Gateway ${gateway === undefined ? '' : keyOf(gateway)} stands as it is described.`,
  );
}

function told({ metadata }: GatewayTenant, status: 'True' | 'False', reason: string, message: string) {
  const seen = metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };
  return { ok: true, value: { type: 'GatewayReady', status, reason, message, ...seen } } as const;
}

type Stood = { readonly kind: 'stands' } | { readonly kind: 'foreign'; readonly message: string };
const stands: Reply<Stood, KubeProblem> = { ok: true, value: { kind: 'stands' } };

async function stand<T extends KubeObject>(
  { kube, log }: GatewayPorts,
  tenant: GatewayTenant,
  { of, store }: Part<T>,
  wanted: T | undefined,
): Promise<Reply<Stood, KubeProblem>> {
  if (wanted === undefined) return stands;
  const known = store.get(keyOf(wanted));
  const read = known === undefined ? await readUncached(kube, of, wanted) : ({ ok: true, value: known } as const);
  if (!read.ok) return read;
  const live = read.value;
  if (live !== undefined && !isOf(live, tenant)) {
    const message = `${of.kind} ${keyOf(wanted)} is there already and was not made for this tenant; delete it, or give gateway.name another value.`;
    return { ok: true, value: { kind: 'foreign', message } };
  }
  if (live !== undefined && covers(live, wanted)) return stands;
  // What has gone meanwhile is not put back under the uid of what was seen.
  const { uid } = live?.metadata ?? {};
  const object = { ...wanted, metadata: { ...wanted.metadata, ...(uid !== undefined && { uid }) } };
  const applied = await kube.apply(of, object, { fieldManager: tenancyManager, force: true });
  if (!applied.ok) return applied;
  store.note(applied.value);
  log.info({ controller: 'tenancy', kind: of.kind, object: keyOf(wanted), tenant: tenant.metadata.name }, 'put right');
  return stands;
}

/** Routes without our label are not in the cache, and one of that name may stand; what cannot be read is not taken for absent. */
async function readUncached<T extends KubeObject>(
  kube: Ports['kube'],
  of: Resource<T>,
  { metadata }: KubeObject,
): Promise<Reply<KubeObject | undefined, KubeProblem>> {
  const read = await kube.get(of, metadata);
  return read.ok || read.problem.kind !== 'notFound' ? read : { ok: true, value: undefined };
}

async function sweep(
  { kube, stores, log }: GatewayPorts,
  tenant: GatewayTenant,
  kept: readonly (KubeObject | undefined)[],
): Promise<KubeProblem | undefined> {
  const { name } = tenant.metadata;
  const names = new Set(kept.flatMap((each) => (each === undefined ? [] : [`${each.kind} ${keyOf(each)}`])));
  const parts = [
    { of: httpRoutes, found: stores.routes.by('tenant', name) },
    { of: gateways, found: stores.gateways.by('tenant', name) },
  ] as const;
  for (const { of, found } of parts) {
    for (const object of found) {
      if (!isOf(object, tenant) || isLeaving(object) || names.has(`${of.kind} ${keyOf(object)}`)) continue;
      const gone = await kube.delete(of, object.metadata, { uid: object.metadata.uid ?? '' });
      if (!gone.ok && gone.problem.kind !== 'notFound') return gone.problem;
      log.info({ controller: 'tenancy', kind: of.kind, object: keyOf(object), tenant: name }, 'removed');
    }
  }
  return undefined;
}

function isOf({ metadata }: KubeObject, tenant: GatewayTenant): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === tenant.metadata.uid) ?? false;
}

function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}
