// Envoy Gateway's Deployment: image, configuration, certificates, probes and limits as its chart gives them; replicas and their spread by
// topology. Called by renderSystem.

import type { GatewayInfra, GatewayInfraSpec } from '../api/gateway-infra.ts';
import { deployments } from '../api/resources.ts';
import { digestOf } from './digest.ts';
import { imageFrom, pullSecretRefs } from './eg-images.ts';
import { configKey, configName, controllerSelector, gatewayName, healthPort, ports } from './eg-names.ts';
import type { Release } from './eg-release.ts';
import { rendered } from './render-object.ts';
import { replicasOf, servedPorts } from './render-service.ts';
import type { Wanted } from './wanted.ts';

/** On its Pods: which configuration they were started with. */
export const configAnnotation = 'certway.dev/config';

/** What stands there for the text of envoy-gateway.yaml. */
export function configDigest(text: string): string {
  return digestOf(text);
}

export interface Digests {
  /** Of the configuration: Envoy Gateway reads the file again by itself, but minutes later, when the kubelet has brought it. */
  readonly config: string;
  readonly certificates: string;
}

/** The user of the image. */
const user = 65_532;

export function gatewayDeployment(
  { spec }: Pick<GatewayInfra, 'spec'>,
  uid: string,
  release: Release,
  digests: Digests,
): Wanted {
  const replicas = replicasOf(spec);
  const name = { name: gatewayName, namespace: spec.systemNamespace, labels: controllerSelector };
  return rendered(deployments, uid, name, {
    spec: {
      replicas,
      // The next one serves before the last one goes: proxies always find an xDS server.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: controllerSelector },
      template: {
        metadata: { labels: controllerSelector, annotations: podAnnotations(digests) },
        spec: podSpec(spec, release, replicas),
      },
    },
  });
}

function podAnnotations({ config, certificates }: Digests) {
  return {
    [configAnnotation]: config,
    'certway.dev/certificates': certificates,
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(ports.metrics),
  };
}

function podSpec(spec: GatewayInfraSpec, release: Release, replicas: number) {
  const pulled = pullSecretRefs(spec.images?.pullSecrets);
  return {
    serviceAccountName: gatewayName,
    automountServiceAccountToken: true,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(replicas > 1 ? { affinity: spread } : {}),
    ...(pulled.length === 0 ? {} : { imagePullSecrets: pulled }),
    terminationGracePeriodSeconds: 10,
    containers: [container(spec, imageFrom(spec.images, release.gateway))],
    volumes: [
      { name: configName, configMap: { name: configName, defaultMode: 0o644 } },
      { name: 'certs', secret: { secretName: 'envoy-gateway' } },
      { name: 'wasm-cache', emptyDir: {} },
    ],
  };
}

/** Preferred, not required: a cluster of one node still gets both. */
const spread = {
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map(
      (topologyKey, index) => ({
        weight: 50 * (index + 1),
        podAffinityTerm: { topologyKey, labelSelector: { matchLabels: controllerSelector } },
      }),
    ),
  },
};

function container(spec: GatewayInfraSpec, image: string) {
  return {
    name: gatewayName,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['server', `--config-path=/config/${configKey}`],
    env: [
      {
        name: 'ENVOY_GATEWAY_NAMESPACE',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
      },
      { name: 'KUBERNETES_CLUSTER_DOMAIN', value: 'cluster.local' },
    ],
    ports: servedPorts(spec).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    startupProbe: probe('/healthz', { periodSeconds: 1, failureThreshold: 30 }),
    livenessProbe: probe('/healthz', { periodSeconds: 20 }),
    readinessProbe: probe('/readyz', { periodSeconds: 10 }),
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: configName, mountPath: '/config', readOnly: true },
      { name: 'certs', mountPath: '/certs', readOnly: true },
      { name: 'wasm-cache', mountPath: '/var/lib/eg/wasm' },
    ],
  };
}

function probe(path: string, timing: Readonly<Record<string, number>>) {
  return { httpGet: { path, port: healthPort }, successThreshold: 1, timeoutSeconds: 1, ...timing };
}
