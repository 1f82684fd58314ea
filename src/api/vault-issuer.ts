// spec.vault of an Issuer as its users write it: the published API's field names. Read by plan/issuer-vault.ts and apply/vault*.ts.

import type { SecretKeySelector } from './certmanager.ts';

export interface ServiceAccountRef {
  readonly name: string;
  /** In addition to the two that are always asked for. */
  readonly audiences?: readonly string[];
}

export interface VaultAppRole {
  /** The mount, "approle". */
  readonly path: string;
  readonly roleId: string;
  readonly secretRef: SecretKeySelector;
}

export interface VaultClientCertificate {
  /** "/v1/auth/cert" unless given. */
  readonly mountPath?: string;
  /** A kubernetes.io/tls Secret; without it the connection's own client certificate logs in. */
  readonly secretName?: string;
  /** The certificate role; without it Vault looks for one that fits. */
  readonly name?: string;
}

export interface VaultKubernetes {
  /** "/v1/auth/kubernetes" unless given. */
  readonly mountPath?: string;
  readonly role: string;
  readonly secretRef?: SecretKeySelector;
  readonly serviceAccountRef?: ServiceAccountRef;
}

export interface VaultAuth {
  readonly tokenSecretRef?: SecretKeySelector;
  readonly appRole?: VaultAppRole;
  readonly clientCertificate?: VaultClientCertificate;
  readonly kubernetes?: VaultKubernetes;
  readonly aws?: unknown;
}

export interface VaultIssuer {
  readonly server: string;
  /** What the server's certificate must be for, where that is not the host of `server`. */
  readonly serverName?: string;
  /** "pki/sign/my-role". */
  readonly path: string;
  readonly namespace?: string;
  /** Base64 of PEM. */
  readonly caBundle?: string;
  readonly caBundleSecretRef?: SecretKeySelector;
  readonly clientCertSecretRef?: SecretKeySelector;
  readonly clientKeySecretRef?: SecretKeySelector;
  readonly auth: VaultAuth;
}
