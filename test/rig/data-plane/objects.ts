// The parts of core Kubernetes kinds that the stand-ins for kubelet, kube-proxy and the cluster's DNS read. Their fields are those of the
// published API; what is not named here, the stand-ins do not act upon.

import type { KubeObject } from '../../../src/api/meta.ts';
import type { Resource } from '../../../src/api/resources.ts';

export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Identity;
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

export interface Identity {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly securityContext?: Identity;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly httpGet?: HttpGet; readonly exec?: Exec } };
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: KeyRef;
    readonly configMapKeyRef?: KeyRef;
  };
}

interface KeyRef {
  readonly name: string;
  readonly key: string;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
}

export interface Probe {
  readonly httpGet?: HttpGet;
  readonly tcpSocket?: { readonly port: number | string };
  readonly periodSeconds?: number;
}

export interface HttpGet {
  readonly path?: string;
  readonly port: number | string;
}

export interface Exec {
  readonly command?: readonly string[];
}

interface Item {
  readonly key: string;
  readonly path: string;
}

export interface Volume extends ProjectedSource {
  readonly name: string;
  readonly emptyDir?: object;
  readonly projected?: { readonly sources?: readonly ProjectedSource[] };
}

export interface ProjectedSource {
  readonly configMap?: { readonly name?: string; readonly items?: readonly Item[]; readonly optional?: boolean };
  readonly secret?: {
    readonly name?: string;
    readonly secretName?: string;
    readonly items?: readonly Item[];
    readonly optional?: boolean;
  };
  readonly downwardAPI?: {
    readonly items?: readonly { readonly path: string; readonly fieldRef?: { readonly fieldPath: string } }[];
  };
  readonly serviceAccountToken?: {
    readonly audience?: string;
    readonly expirationSeconds?: number;
    readonly path: string;
  };
}

export interface Service extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

export interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
}

export interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

function core<T extends KubeObject>(plural: string, kind: string, group = ''): Resource<T> {
  return { group, version: 'v1', plural, kind, namespaced: true };
}

export const pods = core<Pod>('pods', 'Pod');
export const services = core<Service>('services', 'Service');
export const endpointSlices = core<EndpointSlice>('endpointslices', 'EndpointSlice', 'discovery.k8s.io');
export const configMaps = core<DataObject>('configmaps', 'ConfigMap');
export const secrets = core<DataObject>('secrets', 'Secret');

/** "namespace/name". */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
