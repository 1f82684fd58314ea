// Decides what the Ready condition of a Vault issuer says, what in its spec cannot work, and when to ask Vault again.
// Called by planIssuer in issuer.ts and by apply/vault.ts. Reasons keep cert-manager's names; CRDs of others admit what ours refuse.

import type { VaultAuth, VaultIssuer, VaultKubernetes } from '../api/vault-issuer.ts';

export type VaultSeen =
  | { readonly kind: 'ready' }
  /** The spec cannot work as it is. */
  | { readonly kind: 'misconfigured' | 'notSupported'; readonly message: string }
  /** A Secret; its watch wakes the issuer. */
  | { readonly kind: 'absent' | 'forbidden' | 'unusable'; readonly message: string }
  /** Vault, or what we asked of the API server for it, said no; nobody will tell us when that changes. */
  | { readonly kind: 'failed'; readonly message: string; readonly retryAt: number };

export interface VaultVerdict {
  readonly readiness: { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };
  /** When to look again, epoch ms. */
  readonly revisitAt?: number;
}

export function vaultReadiness(seen: VaultSeen | undefined): VaultVerdict {
  const not = (message: string) => ({ status: 'False', reason: 'VaultError', message }) as const;
  switch (seen?.kind) {
    case undefined:
      return { readiness: not('Vault has not been asked yet.') };
    case 'ready':
      return { readiness: { status: 'True', reason: 'VaultVerified', message: 'Vault verified' } };
    case 'notSupported':
      return { readiness: { ...not(seen.message), reason: 'NotSupported' } };
    case 'misconfigured':
    case 'absent':
    case 'forbidden':
    case 'unusable':
      return { readiness: not(seen.message) };
    case 'failed':
      return { readiness: not(seen.message), revisitAt: seen.retryAt };
    default:
      return seen satisfies never;
  }
}

/** 5 s, doubling: to a minute where Vault is away, to five where it refused us, since refusals may lock a role. */
export function vaultRetryAt(failure: 'refusal' | 'outage', attempts: number, at: number): number {
  return at + Math.min(failure === 'refusal' ? 300_000 : 60_000, 5_000 * 2 ** Math.min(attempts - 1, 10));
}

/** What no look at the cluster or at Vault could mend. */
export function vaultMistake(vault: VaultIssuer): Extract<VaultSeen, { message: string }> | undefined {
  const { auth } = vault;
  if (auth.aws !== undefined && methodsOf(auth).length === 1) return awsNotSupported;
  const message =
    serverMistake(vault) ??
    methodsMistake(auth) ??
    tokenMistake(auth) ??
    appRoleMistake(auth) ??
    certificateMistake(vault) ??
    kubernetesMistake(auth.kubernetes);
  return message === undefined ? undefined : { kind: 'misconfigured', message };
}

/** The Secrets that the issuer reads, each once; all in the issuer's own namespace. */
export function vaultSecretNames(vault: VaultIssuer): readonly string[] {
  const { auth, caBundleSecretRef, clientCertSecretRef, clientKeySecretRef } = vault;
  const names = [
    auth.tokenSecretRef?.name,
    auth.appRole?.secretRef.name,
    auth.clientCertificate?.secretName,
    auth.kubernetes?.secretRef?.name,
    caBundleSecretRef?.name,
    clientCertSecretRef?.name,
    clientKeySecretRef?.name,
  ];
  return [...new Set(names.filter((name) => name !== undefined).filter((name) => name !== ''))];
}

const methods = ['tokenSecretRef', 'appRole', 'clientCertificate', 'kubernetes', 'aws'] as const;

function methodsOf(auth: VaultAuth): readonly string[] {
  return methods.filter((method) => auth[method] !== undefined);
}

const awsNotSupported = {
  kind: 'notSupported',
  message:
    'spec.vault.auth.aws is not supported; use kubernetes with a serviceAccountRef, appRole, clientCertificate or tokenSecretRef.',
} as const;

function serverMistake({ server, path, caBundle, caBundleSecretRef }: VaultIssuer): string | undefined {
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    return `spec.vault.server "${shown(server)}" is no address; write it as in https://vault.example.com:8200.`;
  }
  if (url.search !== '' || url.hash !== '') return 'spec.vault.server must end before any ? or #.';
  if (path.split('/').some((segment) => segment === '.' || segment === '..') || /^[\s/]*$/.test(path)) {
    return `spec.vault.path "${shown(path)}" is no path; write it as in pki/sign/my-role.`;
  }
  return caBundle !== undefined && caBundleSecretRef !== undefined
    ? 'spec.vault.caBundle and caBundleSecretRef exclude each other; keep one of them.'
    : undefined;
}

function methodsMistake(auth: VaultAuth): string | undefined {
  const given = methodsOf(auth);
  if (given.length === 1) return undefined;
  return given.length === 0
    ? 'spec.vault.auth needs one of tokenSecretRef, appRole, clientCertificate and kubernetes.'
    : `spec.vault.auth has ${given.join(' and ')}; keep one of them.`;
}

function tokenMistake({ tokenSecretRef }: VaultAuth): string | undefined {
  return tokenSecretRef?.name === '' ? 'spec.vault.auth.tokenSecretRef.name is empty.' : undefined;
}

function appRoleMistake({ appRole }: VaultAuth): string | undefined {
  if (appRole === undefined) return undefined;
  if (appRole.roleId.trim() === '') return 'spec.vault.auth.appRole.roleId is empty.';
  if (appRole.secretRef.name === '') return 'spec.vault.auth.appRole.secretRef.name is empty.';
  return (appRole.secretRef.key ?? '') === ''
    ? 'spec.vault.auth.appRole.secretRef.key is empty; name the key of the Secret that holds the secret ID.'
    : undefined;
}

function certificateMistake(vault: VaultIssuer): string | undefined {
  const { auth, server, clientCertSecretRef, clientKeySecretRef } = vault;
  if ((clientCertSecretRef === undefined) !== (clientKeySecretRef === undefined)) {
    return 'spec.vault.clientCertSecretRef and clientKeySecretRef belong together; set both or neither.';
  }
  if (auth.clientCertificate === undefined) return undefined;
  if (URL.parse(server)?.protocol !== 'https:') {
    return 'spec.vault.auth.clientCertificate works over https only; change spec.vault.server.';
  }
  return (auth.clientCertificate.secretName ?? '') === '' && clientCertSecretRef === undefined
    ? 'spec.vault.auth.clientCertificate needs secretName, or the issuer a clientCertSecretRef.'
    : undefined;
}

function kubernetesMistake(kubernetes: VaultKubernetes | undefined): string | undefined {
  if (kubernetes === undefined) return undefined;
  if (kubernetes.role === '') return 'spec.vault.auth.kubernetes.role is empty; name the Vault role to assume.';
  const secret = (kubernetes.secretRef?.name ?? '') !== '';
  const account = (kubernetes.serviceAccountRef?.name ?? '') !== '';
  if (secret !== account) return undefined;
  return secret
    ? 'spec.vault.auth.kubernetes has secretRef and serviceAccountRef; keep one of them.'
    : 'spec.vault.auth.kubernetes needs secretRef.name or serviceAccountRef.name.';
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
