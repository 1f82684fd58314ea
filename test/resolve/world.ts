// Builds the objects of the specifications in test/resolve and test/plan: a Gateway "infra/gw", listener sets, listeners, and the world.

import type { Certificate, CertificateSpec } from '../../src/api/certmanager.ts';
import type { Gateway, Listener, ListenerSet, NamespaceRule } from '../../src/api/gateway.ts';
import type { Condition, ObjectMeta, OwnerReference } from '../../src/api/meta.ts';
import { apiVersion, gateways, listenerSets, xListenerSets } from '../../src/api/resources.ts';
import type { GatewayWorld, Refusal, Resolution, ResolveOptions, WantedCertificate } from '../../src/resolve/world.ts';

export type Annotations = Readonly<Record<string, string>>;

export const issuer = (name: string): Annotations => ({ 'cert-manager.io/issuer': name });
export const clusterIssuer = (name: string): Annotations => ({ 'cert-manager.io/cluster-issuer': name });

/** An HTTPS listener as the API server stores it: "web" for foo.com with Secret "foo-tls" where nothing else is said. */
export function https(parts: Partial<Listener> & { readonly secret?: string } = {}): Listener {
  const { secret = 'foo-tls', ...rest } = parts;
  const tls = { mode: 'Terminate' as const, certificateRefs: [{ group: '', kind: 'Secret', name: secret }] };
  return { name: 'web', hostname: 'foo.com', port: 443, protocol: 'HTTPS', tls, ...rest };
}

export function without(listener: Listener, field: 'hostname' | 'tls' | 'port'): Listener {
  const { [field]: _, ...rest } = listener;
  return rest;
}

interface ObjectParts {
  readonly annotations?: Annotations;
  readonly listeners?: readonly Listener[];
  readonly metadata?: Partial<ObjectMeta>;
  readonly conditions?: readonly Condition[];
  readonly listenerConditions?: Readonly<Record<string, readonly Condition[]>>;
}

function metadataOf(name: string, namespace: string, parts: ObjectParts): ObjectMeta {
  return {
    name,
    namespace,
    uid: `uid-${namespace}-${name}`,
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(parts.annotations !== undefined && { annotations: parts.annotations }),
    ...parts.metadata,
  };
}

function statusOf(parts: ObjectParts) {
  const listeners = Object.entries(parts.listenerConditions ?? {}).map(([name, conditions]) => ({ name, conditions }));
  return { conditions: parts.conditions ?? [], listeners };
}

export function gateway(
  parts: ObjectParts & { readonly allowed?: NamespaceRule; readonly className?: string } = {},
): Gateway {
  return {
    apiVersion: apiVersion(gateways),
    kind: 'Gateway',
    metadata: metadataOf('gw', 'infra', parts),
    spec: {
      gatewayClassName: parts.className ?? 'eg',
      listeners: parts.listeners ?? [],
      ...(parts.allowed !== undefined && { allowedListeners: { namespaces: parts.allowed } }),
    },
    status: statusOf(parts),
  };
}

export const openGateway = (parts: ObjectParts = {}): Gateway => gateway({ allowed: { from: 'All' }, ...parts });

/** "team/set" on infra/gw, with one HTTPS listener, where nothing else is said. */
export function listenerSet(
  parts: ObjectParts & {
    readonly name?: string;
    readonly namespace?: string;
    readonly kind?: 'ListenerSet' | 'XListenerSet';
    readonly parentRef?: ListenerSet['spec']['parentRef'];
  } = {},
): ListenerSet {
  const { name = 'set', namespace = 'team', kind = 'ListenerSet' } = parts;
  const metadata = metadataOf(name, namespace, parts);
  return {
    apiVersion: apiVersion(kind === 'ListenerSet' ? listenerSets : xListenerSets),
    kind,
    metadata: kind === 'XListenerSet' ? { ...metadata, uid: `${metadata.uid}-x` } : metadata,
    spec: { parentRef: parts.parentRef ?? { name: 'gw', namespace: 'infra' }, listeners: parts.listeners ?? [https()] },
    status: statusOf(parts),
  };
}

export const options: ResolveOptions = {
  defaultIssuerKind: 'Issuer',
  defaultIssuerGroup: 'cert-manager.io',
  extraProtocols: [],
  extraCertificateAnnotations: [],
  gatewayClasses: [],
  hostnamePolicy: 'lenient',
};

export function world(
  gatewayObject: Gateway | undefined,
  sets: readonly ListenerSet[] = [],
  more: Partial<GatewayWorld> & {
    readonly labels?: Readonly<Record<string, Annotations>>;
    readonly with?: Partial<ResolveOptions>;
  } = {},
): GatewayWorld {
  const { labels = {}, with: changed, ...rest } = more;
  return {
    gatewayKey: 'infra/gw',
    ...(gatewayObject !== undefined && { gateway: gatewayObject }),
    listenerSets: sets,
    namespaceLabels: (namespace) => labels[namespace] ?? {},
    options: { ...options, ...changed },
    ...rest,
  };
}

/** A condition of the current generation of the objects above. */
export function condition(
  type: string,
  status: Condition['status'],
  reason: string,
  observedGeneration = 3,
): Condition {
  return { type, status, reason, observedGeneration };
}

export function only(resolution: Resolution): WantedCertificate {
  const [first, ...rest] = resolution.wanted;
  if (first === undefined || rest.length > 0) {
    throw new Error(
      `expected one Certificate, got ${JSON.stringify(resolution.wanted.map(({ name }) => name))}: ${told(resolution).join(' | ')}`,
    );
  }
  return first;
}

/** "namespace/name" of what is wanted. */
export function names(resolution: Resolution): readonly string[] {
  return resolution.wanted.map(({ namespace, name }) => `${namespace}/${name}`);
}

export function told({ refusals }: Resolution): readonly string[] {
  return refusals.map(({ reason, message }) => `${reason}: ${message}`);
}

export function onlyRefusal({ refusals }: Resolution): Refusal {
  const [first, ...rest] = refusals;
  if (first === undefined || rest.length > 0)
    throw new Error(`expected one refusal, got ${JSON.stringify(refusals, null, 1)}`);
  return first;
}

export function ownerOf(object: Gateway | ListenerSet): OwnerReference {
  const { name, uid = '' } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** A Certificate as it stands in the cluster. */
export function certificate(
  name: string,
  owner: Gateway | ListenerSet | undefined,
  parts: { readonly spec?: Partial<CertificateSpec>; readonly metadata?: Partial<ObjectMeta> } = {},
): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: {
      name,
      namespace: owner?.metadata.namespace ?? 'team',
      uid: `uid-certificate-${name}`,
      resourceVersion: '7',
      ...(owner !== undefined && { ownerReferences: [ownerOf(owner)] }),
      ...parts.metadata,
    },
    spec: { secretName: name, issuerRef: { name: 'x' }, ...parts.spec },
    status: { revision: 1 },
  };
}
