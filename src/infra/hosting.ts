// Decides which namespaces host something of Envoy Gateway's: a Gateway of a class of ours, a ListenerSet that is admitted to one, or a name in the
// spec. Called for one namespace by provision/spaces.ts on each of its events, and for all of them by whoever renders Envoy Gateway's configuration.

import type { Gateway, ListenerSet, Namespace } from '../api/gateway.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { KubeObject, OwnerReference } from '../api/meta.ts';
import { objectionBySpec } from '../resolve/admission.ts';
import { isLeaving, parentKey, sourceOfListenerSet } from '../resolve/source.ts';
import { objectionToSet } from '../resolve/veto.ts';
import type { ResolveOptions } from '../resolve/world.ts';
import { isReserved } from './space-names.ts';

export interface HostingWorld {
  readonly infra: GatewayInfra;
  readonly gatewaysIn: (namespace: string) => readonly Gateway[];
  /** Of both kinds. */
  readonly listenerSetsIn: (namespace: string) => readonly ListenerSet[];
  /** By "namespace/name". */
  readonly gateway: (key: string) => Gateway | undefined;
  /** The controllerName of a GatewayClass; undefined where there is no such class. */
  readonly controllerOf: (className: string) => string | undefined;
  readonly namespace: (name: string) => Namespace | undefined;
  /** Every namespace with a Gateway or ListenerSet, of whatever class. */
  readonly candidates: () => Iterable<string>;
}

export type Standing = 'present' | 'terminating' | 'absent';

export interface Host {
  readonly gateways: number;
  readonly listenerSets: number;
  readonly standing: Standing;
  /** Named by the spec, so that it hosts even without any of the above. */
  readonly named: 'additional' | 'watched' | 'no';
  /** The Gateways and ListenerSets that it hosts; none where the spec names it, since what stands there does not go with them. */
  readonly owners: readonly OwnerReference[];
  /** Names of its Gateways. */
  readonly gatewayNames: readonly string[];
}

/** What the namespace hosts, reserved or not. */
export function hostIn(namespace: string, world: HostingWorld): Host {
  const gateways = world.gatewaysIn(namespace).filter((gateway) => !isLeaving(gateway) && isServed(gateway, world));
  const sets = world.listenerSetsIn(namespace).filter((set) => !isLeaving(set) && isAdmitted(set, world));
  const named = namedBy(namespace, world.infra);
  return {
    gateways: gateways.length,
    listenerSets: sets.length,
    standing: standingOf(world.namespace(namespace)),
    named,
    owners: named === 'additional' ? [] : [...gateways, ...sets].map(ownerOf).sort(byUid),
    gatewayNames: gateways.map(({ metadata }) => metadata.name).sort(),
  };
}

export function isHosting(host: Host): boolean {
  return host.gateways + host.listenerSets > 0 || host.named === 'additional';
}

/** All that are to be provisioned, ascending: reserved ones and those on their way out are not. */
export function hostingNamespaces(world: HostingWorld): ReadonlyMap<string, Host> {
  const { namespaceResources = {} } = world.infra.spec;
  const names = new Set([...world.candidates(), ...(namespaceResources.additionalNamespaces ?? [])]);
  const hosts = [...names].sort().map((name) => [name, hostIn(name, world)] as const);
  return new Map(
    hosts.filter(
      ([name, host]) => host.standing === 'present' && isHosting(host) && !isReserved(name, world.infra.spec),
    ),
  );
}

/** A class that nobody has made yet is ours where the spec will have it made. */
export function isServed(gateway: Gateway, { infra, controllerOf }: HostingWorld): boolean {
  const { gatewayClassName } = gateway.spec;
  const controller = controllerOf(gatewayClassName);
  if (controller !== undefined) return controller === infra.spec.controllerName;
  const classes = infra.spec.classes ?? [{ name: 'certway' }];
  return classes.some(({ name, manage = 'Create' }) => name === gatewayClassName && manage === 'Create');
}

// Admission looks at classes by pattern; here the class was judged already.
const options: ResolveOptions = {
  defaultIssuerKind: 'Issuer',
  defaultIssuerGroup: '',
  extraProtocols: [],
  extraCertificateAnnotations: [],
  gatewayClasses: [],
  hostnamePolicy: 'lenient',
};

/** As the certificate half judges it, so that both halves mean the same namespaces. */
function isAdmitted(set: ListenerSet, world: HostingWorld): boolean {
  const gatewayKey = parentKey(set);
  const gateway = world.gateway(gatewayKey);
  if (gateway === undefined || !isServed(gateway, world)) return false;
  const objection = objectionBySpec(set, {
    gatewayKey,
    gateway,
    listenerSets: [],
    namespaceLabels: (name) => world.namespace(name)?.metadata.labels,
    options,
  });
  return objection === undefined && objectionToSet(sourceOfListenerSet(set)) === undefined;
}

function namedBy(namespace: string, { metadata, spec }: GatewayInfra): Host['named'] {
  // A GatewayInfra on its way out asks for nothing more.
  if (metadata.deletionTimestamp !== undefined) return 'no';
  if (spec.namespaceResources?.additionalNamespaces?.includes(namespace)) return 'additional';
  return spec.watch?.namespaces?.includes(namespace) ? 'watched' : 'no';
}

function standingOf(namespace: Namespace | undefined): Standing {
  if (namespace === undefined) return 'absent';
  return namespace.metadata.deletionTimestamp === undefined ? 'present' : 'terminating';
}

/** Neither a controller nor one that blocks: several share what they own, and none waits for it. */
function ownerOf({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
}

function byUid(a: OwnerReference, b: OwnerReference): number {
  return a.uid < b.uid ? -1 : 1;
}
