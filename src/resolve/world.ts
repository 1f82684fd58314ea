// What resolving one Gateway needs, and what it answers: the contract between apply/, which gathers the world, and plan/listeners.ts.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Gateway, ListenerSet } from '../api/gateway.ts';
import type { ObjectRef } from '../api/meta.ts';

export interface ResolveOptions {
  /** Kind of an entry of `certway.dev/issuers` that names none; `issuer` and `cluster-issuer` say their own. */
  readonly defaultIssuerKind: string;
  readonly defaultIssuerGroup: string;
  readonly extraProtocols: readonly string[];
  readonly extraCertificateAnnotations: readonly string[];
  /** Patterns with `*` for gatewayClassName or controllerName; none means all. */
  readonly gatewayClasses: readonly string[];
  readonly hostnamePolicy: 'lenient' | 'strict';
}

export interface GatewayWorld {
  readonly gatewayKey: string;
  /** Absent when it does not exist. */
  readonly gateway?: Gateway;
  /** Of both kinds, all that point here; those being deleted may be among them. */
  readonly listenerSets: readonly ListenerSet[];
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** Of the Gateway's class; absent when the class is unknown. */
  readonly controllerName?: string;
  /** Why the listeners of a namespace get nothing, by the word of the infrastructure half; absent where it has none. */
  readonly withheld?: (namespace: string) => Withheld | undefined;
  readonly options: ResolveOptions;
}

export interface Withheld {
  readonly reason: 'NamespaceReserved' | 'NamespaceDraining';
  readonly message: string;
}

export type Subject = ObjectRef & { readonly uid: string };

export interface WantedCertificate {
  readonly owner: Subject;
  readonly generation: number;
  readonly namespace: string;
  readonly name: string;
  readonly spec: CertificateSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The object whose annotation names the issuer: another one than the owner when it is inherited. */
  readonly issuerFrom: ObjectRef;
  readonly listeners: readonly string[];
}

/** Event reasons: BadConfig as cert-manager's users know it, the others in Gateway API's own words where it has them. */
export type RefusalReason =
  | 'BadConfig'
  | 'ParentNotFound'
  | 'ParentDeleting'
  | 'ParentNotServed'
  | 'ParentNotAccepted'
  | 'NotAllowed'
  | 'HostnameConflict'
  | 'ProtocolConflict'
  | 'ListenerConflict'
  | 'UnsupportedProtocol'
  | 'RefNotPermitted'
  | 'WildcardHostname'
  | Withheld['reason'];

/** Something that was asked for and is not done, and why. Told once per generation of the object that it is about. */
export interface Refusal {
  readonly about: Subject;
  readonly generation: number;
  readonly reason: RefusalReason;
  readonly message: string;
  /** Certificates in the object's namespace that must not be issued or renewed until this is settled. */
  readonly suspends: readonly string[];
  /** Certificates in the object's namespace that stay exactly as they are: what is asked now cannot be understood. */
  readonly holds: readonly string[];
}

export interface Resolution {
  /** The objects that were judged: a Certificate that one of them controls and that nobody wants, holds or suspends goes. */
  readonly subjects: readonly Subject[];
  readonly wanted: readonly WantedCertificate[];
  readonly refusals: readonly Refusal[];
  /** Annotations of Certificates that are ours to set and to remove; all others are left to their writers. */
  readonly ownedAnnotations: readonly string[];
}
