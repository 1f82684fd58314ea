// Everything that the reconcilers reach the world through, made once in main.ts. Only this folder holds kube, acme and solve together.

import type { Certificate, CertificateRequest, Issuer } from '../api/certmanager.ts';
import type { Challenge } from '../api/challenge.ts';
import type { ConfigMap, Metadata } from '../api/core.ts';
import type { Gateway, GatewayClass, HttpRoute, ListenerSet, Namespace, ReferenceGrant } from '../api/gateway.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { GatewayTenant } from '../api/gateway-tenant.ts';
import type { Order } from '../api/order.ts';
import type { ProviderPorts } from '../dns/make-provider.ts';
import type { DnsView } from '../dns/view.ts';
import type { Kube } from '../kube/client.ts';
import type { Recorder } from '../kube/recorder.ts';
import type { Store } from '../kube/store.ts';
import type { SecretOwner } from '../plan/secret-metadata.ts';
import type { Logger } from '../report/logger.ts';
import type { ResolveOptions } from '../resolve/world.ts';
import type { AddressCheck } from '../solve/preflight.ts';
import type { Accounts } from './accounts.ts';
import type { Budgets } from './budgets.ts';
import type { AwaitingMove } from './infra-move.ts';
import type { KeyMaker } from './key-maker.ts';
import type { KeystoreMaker } from './keystore-maker.ts';
import type { Looks } from './looks.ts';
import type { Claim } from './order-claims.ts';
import type { RecordMemories } from './record-notes.ts';
import type { RenewalBook } from './renewal-info-book.ts';
import type { SecretWatches } from './secret-watches.ts';
import type { VaultSigner } from './vault.ts';

/** One cache per watched kind; both kinds of ListenerSet share a shape but not a store. */
export interface Stores {
  readonly gateways: Store<Gateway>;
  readonly gatewayClasses: Store<GatewayClass>;
  readonly listenerSets: Store<ListenerSet>;
  readonly xListenerSets: Store<ListenerSet>;
  readonly namespaces: Store<Namespace>;
  readonly certificates: Store<Certificate>;
  readonly requests: Store<CertificateRequest>;
  readonly orders: Store<Order>;
  readonly challenges: Store<Challenge>;
  readonly issuers: Store<Issuer>;
  readonly clusterIssuers: Store<Issuer>;
  readonly routes: Store<HttpRoute>;
  readonly grants: Store<ReferenceGrant>;
  readonly roleBindings: Store<Metadata>;
  /** The ConfigMap certway-limits. */
  readonly limits: Store<ConfigMap>;
  readonly gatewayTenants: Store<GatewayTenant>;
  readonly gatewayInfras: Store<GatewayInfra>;
}

export interface Settings {
  /** Where the Secrets of ClusterIssuers stand. */
  readonly clusterResourceNamespace: string;
  /** What challenge routes point at. */
  readonly solverService: { readonly namespace: string; readonly name: string; readonly port: number };
  readonly selfCheck: {
    readonly nameservers: readonly string[];
    readonly port: number;
    readonly addressCheck: AddressCheck;
  };
  readonly resolve: ResolveOptions;
  /** Whether target Secrets go with their Certificates. */
  readonly secretOwner: SecretOwner;
  /** --certificate-request-minimum-backoff-duration. */
  readonly leastBackOffMs: number;
  /** --dns01-cleanup-patience: how long an Order that is being deleted is held for a TXT record that cannot be removed. */
  readonly recordPatienceMs: number;
  /** Whether CAs are asked when they would like a certificate to be renewed (RFC 9773). */
  readonly renewalInfo: 'asked' | 'ignored';
  /** Who approves requests: Certway itself, or others alone. */
  readonly approver: 'ours' | 'theirs';
}

/** What DNS-01 reaches the world through. */
export interface DnsPorts extends Pick<ProviderPorts, 'https' | 'proxies' | 'session' | 'requestToken' | 'endpoints'> {
  readonly view: DnsView;
  /** Whether this process leads, and so may change zones. */
  readonly mayChange: () => boolean;
  readonly ambient: Readonly<Record<'issuers' | 'clusterIssuers', ProviderPorts['ambientCredentials']>>;
}

export interface Ports {
  readonly kube: Kube;
  readonly stores: Stores;
  readonly secrets: SecretWatches;
  readonly accounts: Accounts;
  readonly budgets: Budgets;
  readonly vaults: VaultSigner;
  readonly keys: KeyMaker;
  readonly keystores: KeystoreMaker;
  readonly looks: Looks;
  readonly dns: DnsPorts;
  /** UIDs of Orders whose path has changed since they last looked. */
  readonly hurried: Set<string>;
  /** What goes on when the move of the Gateways is over. */
  readonly awaitingMove: AwaitingMove;
  /** Orders at the CA, by URL, that an Order of this process has taken and not written down yet. */
  readonly claims: Map<string, Claim>;
  /** UIDs of Orders whose TXT records are being presented right now: nobody removes them meanwhile. */
  readonly presenting: Set<string>;
  /** What this process knows of the TXT records of its Orders. */
  readonly records: RecordMemories;
  /** What CAs have suggested for the certificates that stand. */
  readonly renewals: RenewalBook;
  readonly recorder: Recorder;
  readonly log: Logger;
  readonly settings: Settings;
  readonly now: () => number;
  /** Puts an issuer's key into its queue, after something about its account turned out to be wrong. */
  readonly wakeIssuer: (key: string) => void;
  /** Puts a key back after something that no watch tells: a look at a path is over. */
  readonly wakeCertificate: (key: string) => void;
  readonly wakeRequest: (key: string) => void;
  /** Puts a Certificate into the queue that asks its CA about it. */
  readonly wakeRenewalInfo: (key: string) => void;
}
