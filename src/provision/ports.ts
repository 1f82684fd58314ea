// Everything that the infra half reaches the world through, made once in main-infra.ts and given to every reconciler of this folder.

import type { ConfigMap, Metadata, Secret } from '../api/core.ts';
import type { Gateway, GatewayClass, ListenerSet, Namespace } from '../api/gateway.ts';
import type { GatewayInfra, NamespacedName } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Rendered, Resource } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import type { Recorder } from '../kube/recorder.ts';
import type { Session } from '../kube/session.ts';
import type { Store } from '../kube/store.ts';
import type { RequestToken } from '../kube/token-request.ts';
import type { Logger } from '../report/logger.ts';
import type { InfraStatus } from './status.ts';

/** One cache per watched kind. */
export interface InfraStores {
  readonly gatewayInfras: Store<GatewayInfra>;
  readonly gateways: Store<Gateway>;
  readonly gatewayClasses: Store<GatewayClass>;
  readonly listenerSets: Store<ListenerSet>;
  readonly xListenerSets: Store<ListenerSet>;
  readonly namespaces: Store<Namespace>;
  /** All of them: ours and those that classes name as their base. */
  readonly envoyProxies: Store<Rendered>;
  /** Metadata only. */
  readonly crds: Store<Metadata>;
  /** Of systemNamespace alone, all of them: certificates that an earlier install made carry no label of ours. */
  readonly systemSecrets: Store<Secret>;
  /** EndpointSlices of the controller's solver Service, in Certway's namespace. */
  readonly solverSlices: Store<Rendered>;
  /** What infra renders and no store above holds, by `kindKey`: label app.kubernetes.io/managed-by=certway-infra. */
  readonly rendered: ReadonlyMap<string, Store<Rendered>>;
}

/** ConfigMaps of people that the GatewayInfra names, watched one by one. A change wakes the whole and every namespace. */
export interface References {
  /** Begins to watch it where nobody did; `reading` until the first answer. */
  configMap(ref: NamespacedName): ConfigMap | 'absent' | 'reading';
  /** Ends the watches of all others. */
  keep(refs: readonly NamespacedName[]): void;
}

export interface InfraSettings {
  /** Certway's own namespace, certway-system unless told. */
  readonly certwayNamespace: string;
  /** Where the CRDs stand that may be installed: one object a file; undefined: none are ever installed. */
  readonly crdDir: string | undefined;
  /** The certificate half's ServiceAccount, in Certway's namespace. */
  readonly controllerAccount: string;
  /** The Service whose EndpointSlices are mirrored into systemNamespace, in Certway's namespace. */
  readonly solverService: { readonly name: string; readonly port: number };
}

/** Puts a key into a queue; harmless when it is there already. */
export interface InfraWakes {
  /** The whole: system, classes, certificates. */
  infra(): void;
  crds(): void;
  legacy(): void;
  space(namespace: string): void;
  /** Every namespace that hosts, has objects of ours or stands in the status: after an edit of the GatewayInfra. */
  spaces(): void;
  status(): void;
}

export interface InfraPorts {
  readonly kube: Kube;
  /** For what `kube` has no verb for: a watch or a token as another ServiceAccount. */
  readonly session: Session;
  readonly requestToken: RequestToken;
  readonly stores: InfraStores;
  readonly references: References;
  /** By uid: the version and digest at which an apply changed nothing, although the object reads differently from what was asked. */
  readonly settled: Map<string, string>;
  readonly status: InfraStatus;
  readonly wake: InfraWakes;
  readonly recorder: Recorder;
  readonly log: Logger;
  readonly settings: InfraSettings;
  readonly now: () => number;
}

/** "deployments.apps", "services": what tells one kind from another. */
export function kindKey({ group, plural }: Pick<Resource<KubeObject>, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}
