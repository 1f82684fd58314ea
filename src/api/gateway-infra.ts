// GatewayInfra (certway.dev/v1alpha1), the cluster-scoped singleton `default`: what the platform wants of Envoy Gateway, and what stands.
// Written by people (spec), by `certway infra` (status) and, for its acknowledgement, by the certificate half (an annotation).

import type { Condition, KubeObject } from './meta.ts';

export interface GatewayInfra extends KubeObject {
  readonly spec: GatewayInfraSpec;
  readonly status?: GatewayInfraStatus;
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** Defaults stand in the CRD's schema; where they are not, absence has the meaning that is told here. */
export interface GatewayInfraSpec {
  /** Where Envoy Gateway runs; immutable. Default envoy-gateway-system. */
  readonly systemNamespace: string;
  /** Nothing of ours is ever written there, beside those that always are: the system's, Certway's own, kube-*, default. */
  readonly reservedNamespaces?: readonly string[];
  /** Immutable. Default gateway.envoyproxy.io/gatewayclass-controller. */
  readonly controllerName: string;
  /** A ConfigMap with the key envoy-gateway.yaml, merged under what must be so. */
  readonly envoyGatewayConfigRef?: NamespacedName;
  /** Nil: written back once as one class of the name `certway`. */
  readonly classes?: readonly InfraClass[];
  readonly crds?: {
    /** Nil: written back once. Auto: decided for each CRD by who owns it. */
    readonly policy?: 'Auto' | 'Reconcile' | 'PreferExisting' | 'Ignore';
    /** Whether the safe-upgrades policy of Gateway API is installed with them. */
    readonly protect?: boolean;
  };
  /** Absent: kept equal to the hosting namespaces. */
  readonly watch?: {
    readonly namespaces?: readonly string[];
    /** As labels: Envoy Gateway then reads every Secret of the cluster (condition WideSecretRead). */
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  };
  readonly namespaceResources?: NamespaceResources;
  readonly images?: {
    /** In place of docker.io, such as registry.example.com:5000. */
    readonly registry?: string;
    /** A path put before the repository's own. */
    readonly prefix?: string;
    /** Names of Secrets in systemNamespace, named by the Pods there. */
    readonly pullSecrets?: readonly string[];
  };
  readonly availability?: {
    /** Default HA. */
    readonly topology?: 'HA' | 'Single';
    /** Of the controller; default 2 with HA, 1 with Single. */
    readonly replicas?: number;
  };
  /** Default Kubernetes. */
  readonly networkPolicy?: 'None' | 'Kubernetes';
  /** Envoy Gateway's webhook that tells proxies their zone: Off, or only for hosting namespaces. Default Off. */
  readonly topologyInjector?: 'Off' | 'HostingNamespaces';
  /** The release to run; at least 1.9.0. Default 1.9.1. */
  readonly version?: string;
  readonly legacy?: {
    /** Where a controller-namespace install stands. Default envoy-gateway-system. */
    readonly namespace?: string;
    /** Default Manual: told, and nothing is removed. */
    readonly cleanup?: 'Manual' | 'Auto';
  };
  readonly tenancy?: { readonly enabled: boolean; readonly platformNamespaces?: readonly string[] };
  /** Nothing is changed while it is true. */
  readonly suspend?: boolean;
}

export interface InfraClass {
  readonly name: string;
  /** Create: made and kept by us; Adopt: somebody else's, only recognised. Default Create. */
  readonly manage?: 'Create' | 'Adopt';
  /** A base for the EnvoyProxy that we render; copied, never changed. */
  readonly envoyProxyRef?: NamespacedName;
  /** Default Deployment. */
  readonly kind?: 'Deployment' | 'DaemonSet';
  readonly service?: {
    readonly type?: 'LoadBalancer' | 'ClusterIP' | 'NodePort';
    readonly annotations?: Readonly<Record<string, string>>;
    readonly loadBalancerClass?: string;
    readonly loadBalancerIP?: string;
    readonly sourceRanges?: readonly string[];
    readonly allocateLoadBalancerNodePorts?: boolean;
    /** A strategic merge patch of the Service, as EnvoyProxy takes it. */
    readonly patch?: unknown;
  };
}

export interface NamespaceResources {
  /** Names of Secrets in systemNamespace that are copied to each hosting namespace, where its tenant can read them. */
  readonly pullSecrets?: readonly string[];
  /** A ConfigMap whose data is copied, by the name certway-trust-bundle. */
  readonly trustBundle?: { readonly configMapRef: NamespacedName };
  /** Whether Certway may write Secrets there. Default true. */
  readonly certificateWriter?: boolean;
  /** Namespaces without a Gateway or ListenerSet that get what hosting namespaces get. */
  readonly additionalNamespaces?: readonly string[];
  /** Only where a sidecar of the proxies needs rights of its own. */
  readonly extension?: {
    readonly serviceAccount: string;
    /** Bound by a RoleBinding in each hosting namespace. */
    readonly role: string;
    /** Bound cluster-wide to all of those ServiceAccounts, where it is named. */
    readonly clusterRole?: string;
  };
}

export type CrdOwner = 'Certway' | 'PackageManager' | 'Other' | 'Unknown' | 'Absent';

export interface InfraCrd {
  readonly name: string;
  readonly owner: CrdOwner;
  /** Who that is, where one can be named: "Subscription operators/servicemesh". */
  readonly ownerName?: string;
  readonly bundleVersion?: string;
  readonly channel?: string;
  readonly established: boolean;
}

export type NamespaceState = 'Provisioned' | 'Pending' | 'Draining' | 'Reserved';

export interface InfraNamespace {
  readonly name: string;
  readonly gateways: number;
  readonly listenerSets: number;
  readonly state: NamespaceState;
  /** One sentence: what holds the step back, and who can change it. */
  readonly blockedBy?: string;
}

export interface GatewayInfraStatus {
  readonly observedGeneration?: number;
  /** Available, Progressing, Degraded, ControllerInstalled, CRDsReady, LegacyCleaned, WideSecretRead, Released. */
  readonly conditions?: readonly Condition[];
  readonly crds?: readonly InfraCrd[];
  /** Ascending by name. */
  readonly namespaces?: readonly InfraNamespace[];
  /** What is rendered now: Envoy Gateway's version, and a digest of the objects. */
  readonly rendered?: { readonly version: string; readonly digest: string };
}

/** The only name that is honoured. */
export const infraName = 'default';
export const infraFinalizer = 'certway.dev/infra';
/** Field manager of everything that infra applies. */
export const infraManager = 'certway-infra';
/** The label value of app.kubernetes.io/managed-by on everything that infra renders; with it the annotation below. */
export const infraManagedBy = 'certway-infra';
/** On each rendered object: the UID of the GatewayInfra it is rendered for. Nothing without it is ever deleted. */
export const infraUidLabel = 'certway.dev/infra-uid';
/** Beside it: which step renders the object, so that what one no longer renders can be told from what another one does. */
export const stepLabel = 'certway.dev/infra-step';
/**
 * On the GatewayInfra, written by the certificate half only: the namespaces in Draining of which it has taken note (it writes no Secret there any
 * more), comma-separated and ascending.
 */
export const drainedAnnotation = 'certway.dev/drained-namespaces';
