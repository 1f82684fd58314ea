// GatewayTenant (certway.dev/v1alpha1, cluster-scoped): which namespaces may use which domains and issuers. Written by the platform (spec) and
// by the certificate half (status); tenants can neither write nor read it.

import type { Condition, KubeObject } from './meta.ts';

export interface GatewayTenant extends KubeObject {
  readonly spec: GatewayTenantSpec;
  readonly status?: GatewayTenantStatus;
}

export interface GatewayTenantSpec {
  /** Each belongs to one tenant: of two that name it the older has it. */
  readonly namespaces: readonly string[];
  /** Each with every name beneath it, but for what is the domain of another tenant. */
  readonly domains: readonly string[];
  /** Whether the tenant may go on to use names beneath a domain that another tenant has beneath one of these. */
  readonly allowSubtenants?: boolean;
  /** Whether it may use wildcards, such as *.alice.example. */
  readonly allowWildcard?: boolean;
  readonly issuer?: {
    /** Whether it may make Issuers in its namespaces. */
    readonly allowOwn?: boolean;
    /** Absent: every ClusterIssuer. */
    readonly allowed?: readonly TenantIssuer[];
  };
  /** A Gateway of the tenant's own, made and kept by Certway. */
  readonly gateway?: TenantGateway;
}

export interface TenantGateway {
  /** One of the tenant's namespaces; default: the first. */
  readonly namespace?: string;
  /** Default: gateway. */
  readonly name?: string;
  readonly className: string;
  /** http01: a listener for each of `hostnames`. dns01 and existingSecret: for each domain one for it and one for all beneath it. */
  readonly certificates: 'http01' | 'dns01' | 'existingSecret';
  /** A ClusterIssuer; with http01 and dns01. */
  readonly issuer?: string;
  readonly hostnames?: readonly string[];
  /** With existingSecret, in the Gateway's namespace. */
  readonly secretName?: string;
  /** Services that end TLS themselves: a listener each, for TLSRoutes. */
  readonly passthrough?: readonly { readonly name: string; readonly hostname: string }[];
  /** Namespaces of no tenant whose routes may attach too. */
  readonly attachedNamespaces?: readonly string[];
  /** Whose ListenerSets may attach; default None. */
  readonly listenerSets?: 'None' | 'Tenant';
  /** What the tenant's routes may do on port 80; default RedirectAndChallengeOnly. */
  readonly httpListener?: 'RedirectAndChallengeOnly' | 'Open';
}

export interface TenantIssuer {
  /** Default ClusterIssuer. */
  readonly kind?: string;
  /** Default cert-manager.io. */
  readonly group?: string;
  readonly name: string;
}

export interface TenantConflict {
  readonly kind: 'Domain' | 'Namespace';
  /** The tenant's own word for it: nothing of another tenant is told. */
  readonly name: string;
  readonly message: string;
}

export interface GatewayTenantStatus {
  readonly observedGeneration?: number;
  /** Ready: all of it is the tenant's, and `conflicts` names what is not. GatewayReady, where it has a Gateway of its own: that stands as it is described. */
  readonly conditions?: readonly Condition[];
  readonly conflicts?: readonly TenantConflict[];
}
