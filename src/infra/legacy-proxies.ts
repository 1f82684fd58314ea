// The proxies that a controller-namespace install keeps beside itself, by the Gateways they serve, and whether the proxy that replaces one is up.
// Called by legacy-install.ts and legacy-plan.ts.

import type { Gateway } from '../api/gateway.ts';
import * as resources from '../api/resources.ts';
import { countAt, listAt, textAt } from './legacy-fields.ts';
import { isKind, type LegacyObject } from './legacy-kinds.ts';

const owning = {
  name: 'gateway.envoyproxy.io/owning-gateway-name',
  namespace: 'gateway.envoyproxy.io/owning-gateway-namespace',
  className: 'gateway.envoyproxy.io/owning-gatewayclass',
} as const;

/** All objects of one old proxy. */
export interface LegacyProxy {
  /** "namespace/name"; for a proxy that all Gateways of a class share, the class. */
  readonly serves: { readonly gateway: string } | { readonly className: string };
  readonly objects: readonly LegacyObject[];
}

/** Since when the proxy that replaces one is available, epoch ms; or why it is not. */
export type Replacement = { readonly kind: 'up'; readonly since: number } | { readonly kind: 'awaited' };

/** Order in which the objects of one proxy go: what would restart it first, its identity last. */
const ranks = [
  resources.autoscalers,
  resources.podDisruptionBudgets,
  resources.deployments,
  resources.daemonSets,
  resources.services,
  resources.renderedConfigMaps,
  resources.serviceAccounts,
].map(({ kind }) => kind);

/** Whose own object it is in Gateway Namespace Mode: it goes with its Gateway and is never swept, in whatever namespace that lives. */
export function isOwnedByGateway({ object }: LegacyObject): boolean {
  return (object.metadata.ownerReferences ?? []).some(({ kind }) => kind === 'Gateway');
}

/** Ascending by what they serve. Objects without the labels of an owner are left out: they are nobody's that we know. */
export function proxiesOf(objects: readonly LegacyObject[]): readonly LegacyProxy[] {
  const found = new Map<string, LegacyProxy>();
  for (const each of objects) {
    const serves = servedBy(each);
    if (serves === undefined) continue;
    const key = servedName({ serves });
    found.set(key, { serves, objects: [...(found.get(key)?.objects ?? []), each] });
  }
  const inOrder = (a: LegacyObject, b: LegacyObject) => ranks.indexOf(a.of.kind) - ranks.indexOf(b.of.kind);
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, proxy]) => ({ ...proxy, objects: proxy.objects.toSorted(inOrder) }));
}

/** "Gateway team-a/web", "all Gateways of class shared". */
export function servedName({ serves }: Pick<LegacyProxy, 'serves'>): string {
  return 'gateway' in serves ? `Gateway ${serves.gateway}` : `all Gateways of class ${serves.className}`;
}

/** What its Services were reached by. */
export function addressesOf({ objects }: Pick<LegacyProxy, 'objects'>): readonly string[] {
  return objects.filter((each) => isKind(each, resources.services)).flatMap(({ object }) => addressesOfService(object));
}

/** Live Gateways that the old proxy served. */
export function servedGateways({ serves }: LegacyProxy, gateways: readonly Gateway[]): readonly Gateway[] {
  return gateways.filter(({ metadata, spec }) =>
    'gateway' in serves
      ? `${metadata.namespace}/${metadata.name}` === serves.gateway
      : spec.gatewayClassName === serves.className,
  );
}

/**
 * Whether a Gateway's new proxy can take its traffic: a Pod of it is available, and its Service has its address, or asks for one that only the old
 * Service can give up.
 */
export function replacementOf(gateway: Gateway, fresh: readonly LegacyObject[], old: LegacyProxy): Replacement {
  const its = fresh.filter((each) => isOf(each, gateway) && isOwnedByGateway(each));
  const workload = its.find(({ object }) => available(object));
  const service = its.find((each) => isKind(each, resources.services));
  if (workload === undefined || service === undefined) return { kind: 'awaited' };
  const held = addressesOf(old);
  const wants = askedAddresses(service.object).some((address) => held.includes(address));
  if (!wants && addressesOfService(service.object).length === 0) return { kind: 'awaited' };
  return { kind: 'up', since: wants ? 0 : availableSince(workload.object) };
}

function servedBy({ object: { metadata } }: LegacyObject): LegacyProxy['serves'] | undefined {
  const own = metadata.labels ?? {};
  const [name, namespace, className] = [own[owning.name], own[owning.namespace], own[owning.className]];
  if (name !== undefined && namespace !== undefined) return { gateway: `${namespace}/${name}` };
  return className === undefined ? undefined : { className };
}

function isOf({ object: { metadata } }: LegacyObject, gateway: Gateway): boolean {
  const own = metadata.labels ?? {};
  return own[owning.name] === gateway.metadata.name && own[owning.namespace] === gateway.metadata.namespace;
}

function available(workload: unknown): boolean {
  return countAt(workload, 'status', 'availableReplicas') + countAt(workload, 'status', 'numberAvailable') > 0;
}

/** A DaemonSet does not say: then since it was made. */
function availableSince(workload: LegacyObject['object']): number {
  const condition = listAt(workload, 'status', 'conditions').find((each) => textAt(each, 'type') === 'Available');
  const at = textAt(condition, 'lastTransitionTime') ?? workload.metadata.creationTimestamp ?? '';
  const since = Date.parse(at);
  return Number.isNaN(since) ? 0 : since;
}

function addressesOfService(service: unknown): readonly string[] {
  const given = listAt(service, 'status', 'loadBalancer', 'ingress').flatMap((each) => {
    const address = textAt(each, 'ip') ?? textAt(each, 'hostname');
    return address === undefined ? [] : [address];
  });
  const external = texts(listAt(service, 'spec', 'externalIPs'));
  if (textAt(service, 'spec', 'type') === 'LoadBalancer') return [...given, ...external];
  return [...external, ...texts([textAt(service, 'spec', 'clusterIP')]).filter((address) => address !== 'None')];
}

function askedAddresses(service: unknown): readonly string[] {
  return texts([textAt(service, 'spec', 'loadBalancerIP'), ...listAt(service, 'spec', 'externalIPs')]);
}

function texts(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}
