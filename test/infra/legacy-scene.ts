// An install of Envoy Gateway as its chart makes it, as values: what the tables of the legacy tests begin with.

import type { Gateway } from '../../src/api/gateway.ts';
import type { KubeObject, OwnerReference } from '../../src/api/meta.ts';
import * as resources from '../../src/api/resources.ts';
import type { LegacySight } from '../../src/infra/legacy-install.ts';
import type { LegacyObject } from '../../src/infra/legacy-kinds.ts';
import type { LegacyInput } from '../../src/infra/legacy-plan.ts';

export const system = 'envoy-gateway-system';
export const noon = Date.parse('2026-11-21T12:00:00Z');

type Fields = Readonly<Record<string, unknown>>;
interface Meta {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly deletionTimestamp?: string;
  readonly creationTimestamp?: string;
}

export function object(
  of: resources.Resource<KubeObject>,
  name: string,
  metadata: Meta = {},
  fields: Fields = {},
): LegacyObject {
  const uid = `${of.kind}-${metadata.namespace ?? ''}-${name}`;
  return {
    of,
    object: { apiVersion: resources.apiVersion(of), kind: of.kind, metadata: { name, uid, ...metadata }, ...fields },
  };
}

export const chartLabels = {
  'helm.sh/chart': 'gateway-helm-v1.9.1',
  'app.kubernetes.io/name': 'gateway-helm',
  'app.kubernetes.io/instance': 'eg',
  'app.kubernetes.io/version': 'v1.9.1',
  'app.kubernetes.io/managed-by': 'Helm',
};

export function config(deploy: string | undefined, more = ''): string {
  const kubernetes = deploy === undefined ? '' : `\n    deploy: {type: ${deploy}}`;
  return `kind: EnvoyGateway
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
logging: {level: {default: info}}
provider:
  type: Kubernetes
  kubernetes:
    shutdownManager: {image: docker.io/envoyproxy/gateway:v1.9.1}${kubernetes}
${more}`;
}

export interface ChartOptions {
  readonly namespace?: string;
  readonly text?: string;
  readonly state?: 'running' | 'stopping' | 'stopped';
  readonly labels?: Readonly<Record<string, string>>;
}

/** The objects of the chart in its namespace. */
export function chartInside({
  namespace = system,
  text = config(undefined),
  state = 'running',
  labels,
}: ChartOptions = {}) {
  const own = { namespace, labels: { ...chartLabels, ...labels } };
  const pod = { namespace, labels: { 'app.kubernetes.io/name': 'gateway-helm', 'control-plane': 'envoy-gateway' } };
  return [
    ...(state === 'running' ? [object(resources.deployments, 'envoy-gateway', own)] : []),
    ...(state === 'stopped'
      ? []
      : [object(resources.pods, 'envoy-gateway-5d-x', pod, { status: { phase: 'Running' } })]),
    object(resources.services, 'envoy-gateway', own, {
      spec: {
        clusterIP: '10.96.0.7',
        selector: { 'app.kubernetes.io/instance': 'eg', 'app.kubernetes.io/name': 'gateway-helm' },
      },
    }),
    object(resources.renderedConfigMaps, 'envoy-gateway-config', own, { data: { 'envoy-gateway.yaml': text } }),
    object(resources.serviceAccounts, 'envoy-gateway', own),
    object(resources.serviceAccounts, 'eg-gateway-helm-certgen', own),
    object(resources.jobs, 'eg-gateway-helm-certgen', own),
  ];
}

/** Its rights and its webhook. */
export function chartEverywhere(namespace = system): readonly LegacyObject[] {
  const inside = { namespace, labels: chartLabels };
  const cluster = { labels: chartLabels };
  const subjects = [{ kind: 'ServiceAccount', name: 'envoy-gateway', namespace }];
  const gives = (kind: string, name: string) => ({ roleRef: { kind, name }, subjects });
  return [
    object(
      resources.clusterRoleBindings,
      'eg-gateway-helm-envoy-gateway-rolebinding',
      cluster,
      gives('ClusterRole', 'eg-gateway-helm-envoy-gateway-role'),
    ),
    object(resources.clusterRoles, 'eg-gateway-helm-envoy-gateway-role', cluster),
    object(
      resources.wholeRoleBindings,
      'eg-gateway-helm-infra-manager',
      inside,
      gives('Role', 'eg-gateway-helm-infra-manager'),
    ),
    object(resources.roles, 'eg-gateway-helm-infra-manager', inside),
    object(resources.mutatingWebhookConfigurations, `envoy-gateway-topology-injector.${namespace}`, cluster, {
      webhooks: [{ clientConfig: { service: { name: 'envoy-gateway', namespace } } }],
    }),
  ];
}

export function record(release: string, namespace = system): LegacyObject {
  return object(resources.secrets, `sh.helm.release.v1.${release}.v1`, {
    namespace,
    labels: { owner: 'helm', name: release },
  });
}

/** What a controller-namespace install makes for one Gateway. */
export function oldProxy(gateway: string, address: string, namespace = system): readonly LegacyObject[] {
  const [where = '', name = ''] = gateway.split('/');
  const labels = {
    'app.kubernetes.io/managed-by': 'envoy-gateway',
    'app.kubernetes.io/component': 'proxy',
    'gateway.envoyproxy.io/owning-gateway-name': name,
    'gateway.envoyproxy.io/owning-gateway-namespace': where,
  };
  const ownerReferences = [
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', name: 'eg', uid: 'class' },
  ];
  const meta = { namespace, labels, ownerReferences };
  const called = `envoy-${where}-${name}-0a1b2c3d`;
  return [
    object(resources.serviceAccounts, called, meta),
    object(resources.services, called, meta, {
      spec: { type: 'LoadBalancer' },
      status: { loadBalancer: { ingress: [{ ip: address }] } },
    }),
    object(resources.deployments, called, meta, { status: { availableReplicas: 1 } }),
  ];
}

export interface NewProxy {
  readonly available?: number;
  readonly address?: string;
  readonly asks?: string;
  /** Epoch ms. */
  readonly since?: number;
}

/** What Gateway Namespace Mode makes for one Gateway. */
export function newProxy(
  gateway: string,
  { available = 1, address, asks, since = noon }: NewProxy = {},
): readonly LegacyObject[] {
  const [namespace = '', name = ''] = gateway.split('/');
  const labels = {
    'app.kubernetes.io/managed-by': 'envoy-gateway',
    'app.kubernetes.io/component': 'proxy',
    'gateway.envoyproxy.io/owning-gateway-name': name,
    'gateway.envoyproxy.io/owning-gateway-namespace': namespace,
  };
  const ownerReferences = [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name, uid: 'gateway' }];
  const meta = { namespace, labels, ownerReferences };
  const conditions = [{ type: 'Available', lastTransitionTime: new Date(since).toISOString() }];
  return [
    object(resources.deployments, name, meta, { status: { availableReplicas: available, conditions } }),
    object(resources.services, name, meta, {
      spec: { type: 'LoadBalancer', ...(asks !== undefined && { loadBalancerIP: asks }) },
      status: { loadBalancer: address === undefined ? {} : { ingress: [{ ip: address }] } },
    }),
  ];
}

export function gateway(key: string, gatewayClassName = 'eg'): Gateway {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace, name },
    spec: { gatewayClassName, listeners: [] },
  };
}

export function sight(inside: LegacySight['inside'], more: Partial<LegacySight> = {}): LegacySight {
  return { namespace: system, inside, everywhere: [], byName: [], ...more };
}

/** Auto, and announced: what is left are the steps. */
export function input(sights: readonly LegacySight[], more: Partial<LegacyInput> = {}): LegacyInput {
  return {
    sights,
    systemNamespace: system,
    certwayNamespace: 'certway-system',
    controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
    cleanup: 'Auto',
    config: 'none',
    previous: { type: 'LegacyCleaned', status: 'False', reason: 'InProgress' },
    gateways: [],
    fresh: [],
    overlapMs: 300_000,
    now: noon,
    ...more,
  };
}

export function names(objects: readonly LegacyObject[]): readonly string[] {
  return objects.map(({ of, object: { metadata } }) => `${of.kind} ${metadata.name}`);
}
