// What `certway status` has fetched, as plain values: the contract between status-fetch.ts, which asks the API server with the user's own
// rights, and status-view.ts, which judges. What the user may not see is a value too.

import type { Certificate, CertificateRequest, Issuer } from '../api/certmanager.ts';
import type { KubeEvent } from '../api/core.ts';
import type { Gateway, HttpRoute, ListenerSet } from '../api/gateway.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { ObjectMeta } from '../api/meta.ts';
import type { Order } from '../api/order.ts';
import type { ResolveOptions } from '../resolve/world.ts';

export type StatusKind = 'Gateway' | 'ListenerSet' | 'XListenerSet' | 'Certificate';

export interface Named {
  readonly kind: StatusKind;
  readonly namespace: string;
  readonly name: string;
}

export type Sight<T> =
  | { readonly kind: 'seen'; readonly value: T }
  /** No such object, or the API server does not know its kind at all. */
  | { readonly kind: 'absent'; readonly what: 'object' | 'kind' }
  /** `why` is a sentence without its full stop. */
  | { readonly kind: 'hidden'; readonly cause: 'forbidden' | 'failed'; readonly why: string };

export type Many<T> = Sight<readonly T[]>;

/** The object that was asked for, and the one whose listeners it belongs to. */
export type Subject =
  | { readonly kind: 'unseen'; readonly sight: Exclude<Sight<never>, { kind: 'seen' }> }
  | { readonly kind: 'listeners'; readonly object: Gateway | ListenerSet }
  | {
      readonly kind: 'certificate';
      readonly certificate: Certificate;
      /** Absent when no Gateway or ListenerSet controls the Certificate. */
      readonly owner?: Sight<Gateway | ListenerSet>;
    };

export interface Surroundings {
  /** Absent where there is none to look for. */
  readonly gateway?: Sight<Gateway>;
  /** Those on the same Gateway and those of the namespace, of both kinds, as far as they could be listed. */
  readonly sets: Many<ListenerSet>;
  readonly setsFrom: 'everywhere' | 'namespace';
  /** The platform's own, which few may read: what it says of this namespace stands in events and conditions too. */
  readonly infra?: {
    readonly object: GatewayInfra;
    /** Of the Gateway's class, where that may be seen. */
    readonly controllerName?: string;
  };
  /** Labels by namespace; empty where the Gateway does not select by labels. */
  readonly labels: Sight<ReadonlyMap<string, Readonly<Record<string, string>>>>;
  /** All below are of the object's namespace. */
  readonly certificates: Many<Certificate>;
  readonly requests: Many<CertificateRequest>;
  readonly orders: Many<Order>;
  readonly routes: Many<HttpRoute>;
  readonly issuers: Many<Issuer>;
  readonly clusterIssuers: Many<Issuer>;
  /** By name; metadata only, the payload is never asked for. */
  readonly secrets: ReadonlyMap<string, Sight<ObjectMeta>>;
  /** Warnings about the object that has the listeners, as long as the API server keeps them. */
  readonly warnings: Many<KubeEvent>;
}

export interface StatusScene {
  readonly asked: Named;
  readonly options: ResolveOptions;
  readonly subject: Subject;
  /** Absent when the object itself is unseen. */
  readonly around?: Surroundings;
}

/** What could be listed; nothing where the kind is missing or hidden. */
export function itemsOf<T>(many: Many<T>): readonly T[] {
  return many.kind === 'seen' ? many.value : [];
}

export function isSet(owner: Gateway | ListenerSet): owner is ListenerSet {
  return 'parentRef' in owner.spec;
}
