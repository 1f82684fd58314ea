// Gets a login ready for the auth method that a Vault issuer names: from a Secret, or with a token of a ServiceAccount asked of the API server
// for this one login. Called by vault-session.ts whenever a token is needed.

import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { VaultIssuer, VaultKubernetes } from '../api/vault-issuer.ts';
import type { RequestToken } from '../kube/token-request.ts';
import { isToken, type Login } from '../vault/login.ts';
import { cannot, identityOf, type ReadEntry, type Unreadable } from './vault-material.ts';

export type Credentials =
  /** A token that somebody else made and renews. */
  | { readonly kind: 'token'; readonly value: string; readonly secret: string }
  | { readonly kind: 'login'; readonly prepare: () => Promise<Reply<Login, Unreadable>> };

export interface CredentialsSource {
  readonly issuer: Issuer;
  readonly vault: VaultIssuer;
  /** Where the issuer's Secrets and ServiceAccounts stand. */
  readonly namespace: string;
  readonly read: ReadEntry;
  readonly requestToken: RequestToken;
}

/** The spec must have passed vaultMistake. */
export async function credentialsOf(source: CredentialsSource): Promise<Reply<Credentials, Unreadable>> {
  const { auth } = source.vault;
  const { tokenSecretRef, appRole, clientCertificate, kubernetes } = auth;
  const { read } = source;
  if (tokenSecretRef !== undefined) {
    const { name } = tokenSecretRef;
    const value = await read(tokenSecretRef, 'token');
    if (!value.ok) return value;
    return isToken(value.value)
      ? { ok: true, value: { kind: 'token', value: value.value, secret: name } }
      : cannot('unusable', `Secret "${name}" holds no Vault token: a token is one word.`);
  }
  if (appRole !== undefined) {
    const secretId = await read(appRole.secretRef, '');
    if (!secretId.ok) return secretId;
    const mount = appRole.path === '' ? 'approle' : appRole.path;
    return fixed({ kind: 'appRole', mount, roleId: appRole.roleId.trim(), secretId: secretId.value });
  }
  if (clientCertificate !== undefined) {
    const { mountPath = '', secretName = '', name = '' } = clientCertificate;
    const mount = mountPath === '' ? 'cert' : mountPath;
    if (secretName === '') return fixed({ kind: 'clientCertificate', mount, name });
    const identity = await identityOf({ name: secretName }, { name: secretName }, read);
    return identity.ok ? fixed({ kind: 'clientCertificate', mount, name, identity: identity.value }) : identity;
  }
  return kubernetes === undefined
    ? cannot('unusable', 'spec.vault.auth names no method that Certway knows.')
    : byKubernetes(source, kubernetes);
}

function fixed(login: Login): { readonly ok: true; readonly value: Credentials } {
  return { ok: true, value: { kind: 'login', prepare: async () => ({ ok: true, value: login }) } };
}

async function byKubernetes(
  source: CredentialsSource,
  { mountPath = '', role, secretRef, serviceAccountRef }: VaultKubernetes,
): Promise<Reply<Credentials, Unreadable>> {
  const mount = mountPath === '' ? 'kubernetes' : mountPath;
  if (serviceAccountRef === undefined || serviceAccountRef.name === '') {
    const jwt = await source.read(secretRef ?? { name: '' }, 'token');
    return jwt.ok ? fixed({ kind: 'kubernetes', mount, role, jwt: jwt.value }) : jwt;
  }
  const { name, audiences = [] } = serviceAccountRef;
  const wish = { namespace: source.namespace, name, audiences: [...audiences, ...ownAudiences(source)] };
  const prepare = async (): Promise<Reply<Login, Unreadable>> => {
    const jwt = await source.requestToken(wish);
    if (jwt.ok) return { ok: true, value: { kind: 'kubernetes', mount, role, jwt: jwt.value } };
    const account = `${source.namespace}/${name}`;
    switch (jwt.problem.kind) {
      case 'forbidden':
        return cannot('failed', mayNotAsk(source.namespace, name));
      case 'notFound':
        return cannot('failed', `ServiceAccount "${account}" of spec.vault.auth.kubernetes does not exist; create it.`);
      default:
        return cannot('failed', `No token of ServiceAccount "${account}": ${jwt.problem.message}`);
    }
  };
  return { ok: true, value: { kind: 'login', prepare } };
}

/** cert-manager's two, which roles in Vault are bound to: one that names the issuer, and Vault's address as written. */
function ownAudiences({ issuer, vault }: CredentialsSource): readonly string[] {
  const { namespace, name } = issuer.metadata;
  return [namespace === undefined ? `vault://${name}` : `vault://${namespace}/${name}`, vault.server];
}

function mayNotAsk(namespace: string, account: string): string {
  const role = `certway-token-${account}`;
  return [
    `Certway may not request a token of ServiceAccount "${account}" in namespace "${namespace}". Run:`,
    `kubectl -n ${namespace} create role ${role} --verb=create --resource=serviceaccounts/token --resource-name=${account} &&`,
    `kubectl -n ${namespace} create rolebinding ${role} --role=${role} --serviceaccount=certway-system:certway-controller`,
  ].join(' ');
}
