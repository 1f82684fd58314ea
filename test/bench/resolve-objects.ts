// The cluster of the benchmark resolve-2000 as values: Gateways that many teams share, and ListenerSets as a data plane leaves them, with
// status; and the edits that are timed, each with what it must lead to. Pure: the same seed gives the same cluster and the same edits.

import type { Gateway, GatewayClass, Listener, ListenerSet, Namespace } from '../../src/api/gateway.ts';
import type { Condition } from '../../src/api/meta.ts';
import { annotations } from '../../src/api/names.ts';
import { apiVersion, gatewayClasses, gateways, listenerSets, namespaces } from '../../src/api/resources.ts';
import type { ListenerAction } from '../../src/plan/listeners.ts';

export interface ResolveCluster {
  readonly gatewayClass: GatewayClass;
  readonly gateways: readonly Gateway[];
  readonly namespaces: readonly Namespace[];
  readonly listenerSets: readonly ListenerSet[];
}

export interface Edit {
  readonly change: (set: ListenerSet, n: number) => ListenerSet;
  readonly leadsTo: readonly ListenerAction['kind'][];
}

const className = 'bench';
const platform = 'platform';
const tenantLabel = { tenant: 'yes' } as const;
const createdAt = '2026-01-01T00:00:00Z';

export function resolveCluster(size: { gateways: number; namespaces: number; sets: number }): ResolveCluster {
  return {
    gatewayClass: {
      apiVersion: apiVersion(gatewayClasses),
      kind: gatewayClasses.kind,
      metadata: metadata(className, undefined),
      spec: { controllerName: 'example.com/bench' },
    },
    gateways: Array.from({ length: size.gateways }, (_, index) => gateway(index)),
    namespaces: Array.from({ length: size.namespaces }, (_, index) => ({
      apiVersion: apiVersion(namespaces),
      kind: namespaces.kind,
      metadata: { ...metadata(`team-${index}`, undefined), labels: tenantLabel },
    })),
    listenerSets: Array.from({ length: size.sets }, (_, index) => listenerSet(index, size)),
  };
}

/** One change of each sort that a developer makes; the n-th differs from all before it. */
export const edits: readonly Edit[] = [
  { change: (set, n) => onHttps(set, { hostname: `host-${n}.example.com` }), leadsTo: ['replaceCertificate'] },
  {
    change: (set, n) => annotated(set, { 'cert-manager.io/duration': `${2160 + n}h` }),
    leadsTo: ['replaceCertificate'],
  },
  { change: (set, n) => annotated(set, { [annotations.clusterIssuer]: `ca-${n}` }), leadsTo: ['replaceCertificate'] },
  { change: (set, n) => labelled(set, { release: `r-${n}` }), leadsTo: ['replaceCertificate'] },
  {
    change: (set, n) => onHttps(set, { tls: terminate(`secret-${n}`) }),
    leadsTo: ['createCertificate', 'deleteCertificate'],
  },
  { change: (set, n) => annotated(set, { 'example.com/note': `${n}` }), leadsTo: [] },
];

function metadata(name: string, namespace: string | undefined) {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    uid: `uid-${namespace ?? ''}-${name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: createdAt,
  };
}

function gateway(index: number): Gateway {
  const selected = { from: 'Selector', selector: { matchLabels: tenantLabel } } as const;
  return {
    apiVersion: apiVersion(gateways),
    kind: gateways.kind,
    metadata: {
      ...metadata(`gateway-${index}`, platform),
      annotations: {
        [annotations.clusterIssuer]: 'letsencrypt',
        'certway.dev/inherit': 'private-key-algorithm',
        'cert-manager.io/private-key-algorithm': 'ECDSA',
      },
    },
    spec: {
      gatewayClassName: className,
      allowedListeners: { namespaces: index % 2 === 0 ? { from: 'All' } : selected },
      listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }],
    },
  };
}

/** Every second one names an issuer of its own. */
function listenerSet(index: number, size: { gateways: number; namespaces: number }): ListenerSet {
  const own = index % 2 === 0 ? {} : { [annotations.clusterIssuer]: 'ca' };
  const name = `app-${index}`;
  const hostname = `${name}.example.com`;
  const listeners: readonly Listener[] = [
    { name: 'http', protocol: 'HTTP', port: 80, hostname },
    { name: 'https', protocol: 'HTTPS', port: 443, hostname, tls: terminate(`${name}-tls`) },
  ];
  return {
    apiVersion: apiVersion(listenerSets),
    kind: listenerSets.kind,
    metadata: {
      ...metadata(name, `team-${index % size.namespaces}`),
      annotations: { 'example.com/owner': 'team', ...own },
      labels: { 'app.kubernetes.io/name': name },
    },
    spec: { parentRef: { namespace: platform, name: `gateway-${index % size.gateways}` }, listeners },
    status: statusOf(listeners),
  };
}

function terminate(secret: string) {
  return { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: secret }] } as const;
}

function statusOf(listeners: readonly Listener[]): NonNullable<ListenerSet['status']> {
  const conditions = ['Accepted', 'Programmed', 'ResolvedRefs'].map(
    (type): Condition => ({ type, status: 'True', reason: type, observedGeneration: 1, lastTransitionTime: createdAt }),
  );
  const conflicted: Condition = { type: 'Conflicted', status: 'False', reason: 'NoConflicts', observedGeneration: 1 };
  return { conditions, listeners: listeners.map(({ name }) => ({ name, conditions: [...conditions, conflicted] })) };
}

function onHttps(set: ListenerSet, change: Partial<Listener>): ListenerSet {
  const listeners = set.spec.listeners.map((each) => (each.name === 'https' ? { ...each, ...change } : each));
  const generation = (set.metadata.generation ?? 0) + 1;
  return { ...set, metadata: { ...set.metadata, generation }, spec: { ...set.spec, listeners } };
}

function annotated(set: ListenerSet, more: Readonly<Record<string, string>>): ListenerSet {
  return { ...set, metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...more } } };
}

function labelled(set: ListenerSet, more: Readonly<Record<string, string>>): ListenerSet {
  return { ...set, metadata: { ...set.metadata, labels: { ...set.metadata.labels, ...more } } };
}
