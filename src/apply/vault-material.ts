// What a Vault issuer needs from Secrets: seen by their watches (so that a change wakes the issuer), read by GET, put into a connection and a
// way to log in. Called by vault-session.ts. Nothing read here is ever part of a message.

import type { Issuer, SecretKeySelector } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { VaultIssuer } from '../api/vault-issuer.ts';
import { openCertificate, splitPem } from '../pki/certificate.ts';
import { keyFromPem } from '../pki/keys.ts';
import { vaultSecretNames } from '../plan/issuer-vault.ts';
import type { ClientIdentity, VaultConnection } from '../vault/http.ts';
import { readServer } from '../vault/paths.ts';
import { secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';

export type SecretsSeen =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'absent' | 'forbidden'; readonly message: string }
  /** `versions` changes whenever one of them does. */
  | { readonly kind: 'there'; readonly versions: string };

/** Looks at the watches alone; the first look starts them. */
export function seeSecrets(
  ports: Pick<Ports, 'secrets' | 'settings'>,
  issuer: Issuer,
  vault: VaultIssuer,
): SecretsSeen {
  const namespace = secretNamespace(ports, issuer);
  const watches = vaultSecretNames(vault).map((name) => ({ name, watch: ports.secrets.named(namespace, name) }));
  const versions: string[] = [];
  for (const { name, watch } of watches) {
    if (watch.kind === 'waiting') return watch;
    if (watch.kind === 'forbidden') return { kind: 'forbidden', message: mayNotRead(namespace, name) };
    const metadata = watch.store.get(`${namespace}/${name}`)?.metadata;
    if (metadata === undefined) {
      return { kind: 'absent', message: `${described(namespace, name)} does not exist; create it.` };
    }
    versions.push(metadata.resourceVersion ?? '');
  }
  return { kind: 'there', versions: versions.join(' ') };
}

/** `unusable`: until the Secret is another; `failed`: the API server may answer otherwise later. */
export interface Unreadable {
  readonly kind: 'unusable' | 'failed';
  readonly message: string;
}

/** A key of one of the issuer's Secrets, trimmed; never empty. */
export type ReadEntry = (ref: SecretKeySelector, fallback: string) => Promise<Reply<string, Unreadable>>;

/** Reads each Secret once, however many of its keys are asked for. */
export function entryReader(ports: Pick<Ports, 'kube' | 'settings'>, issuer: Issuer): ReadEntry {
  const namespace = secretNamespace(ports, issuer);
  const read = new Map<string, ReturnType<typeof ports.kube.get<Secret>>>();
  return async ({ name, key }, fallback) => {
    const pending = read.get(name) ?? ports.kube.get(secrets, { namespace, name });
    read.set(name, pending);
    const secret = await pending;
    const entry = key === undefined || key === '' ? fallback : key;
    if (!secret.ok) {
      const { kind, message } = secret.problem;
      const what = kind === 'notFound' ? 'does not exist; create it.' : `cannot be read: ${message}`;
      return cannot(
        'failed',
        kind === 'forbidden' ? mayNotRead(namespace, name) : `${described(namespace, name)} ${what}`,
      );
    }
    const value = decode(secret.value, entry).trim();
    return value === ''
      ? cannot('unusable', `Secret "${namespace}/${name}" holds nothing under "${entry}".`)
      : { ok: true, value };
  };
}

/** Whom to trust and who we are on the wire. The spec must have passed vaultMistake. */
export async function connectionOf(vault: VaultIssuer, read: ReadEntry): Promise<Reply<VaultConnection, Unreadable>> {
  const server = readServer(vault.server);
  if (server === undefined) return cannot('unusable', 'spec.vault.server is no address.');
  const bundle = await bundleOf(vault, read);
  if (!bundle.ok) return bundle;
  const { clientCertSecretRef: certificate, clientKeySecretRef: key, namespace, serverName } = vault;
  const identity =
    certificate === undefined || key === undefined ? undefined : await identityOf(certificate, key, read);
  if (identity?.ok === false) return identity;
  return {
    ok: true,
    value: {
      server,
      ...(namespace !== undefined && { namespace }),
      ...(serverName !== undefined && serverName !== '' && { serverName }),
      ...(bundle.value !== undefined && { caBundle: bundle.value }),
      ...(identity !== undefined && { identity: identity.value }),
    },
  };
}

async function bundleOf(vault: VaultIssuer, read: ReadEntry): Promise<Reply<string | undefined, Unreadable>> {
  const { caBundle = '', caBundleSecretRef: ref } = vault;
  const found =
    ref === undefined
      ? { ok: true as const, value: Buffer.from(caBundle, 'base64').toString('utf8') }
      : await read(ref, 'ca.crt');
  if (!found.ok) return found;
  if (found.value === '') return { ok: true, value: undefined };
  const roots = splitPem(found.value).filter((pem) => openCertificate(pem) !== undefined);
  const where = ref === undefined ? 'spec.vault.caBundle' : `The Secret "${ref.name}" of spec.vault.caBundleSecretRef`;
  return roots.length === 0
    ? cannot('unusable', `${where} holds no PEM certificate.`)
    : { ok: true, value: roots.join('') };
}

/** A client certificate and its key, known to belong together. */
export async function identityOf(
  certificateRef: SecretKeySelector,
  keyRef: SecretKeySelector,
  read: ReadEntry,
): Promise<Reply<ClientIdentity, Unreadable>> {
  const certificate = await read(certificateRef, 'tls.crt');
  if (!certificate.ok) return certificate;
  const key = await read(keyRef, 'tls.key');
  if (!key.ok) return key;
  const leaf = openCertificate(certificate.value);
  const parsed = keyFromPem(key.value);
  if (leaf === undefined) return cannot('unusable', `Secret "${certificateRef.name}" holds no PEM certificate.`);
  if (!parsed.ok) return cannot('unusable', `Secret "${keyRef.name}": ${parsed.problem.message}`);
  return leaf.checkPrivateKey(parsed.value)
    ? { ok: true, value: { certificate: certificate.value, key: key.value } }
    : cannot(
        'unusable',
        `The key in Secret "${keyRef.name}" does not belong to the certificate in "${certificateRef.name}".`,
      );
}

export function cannot(
  kind: Unreadable['kind'],
  message: string,
): { readonly ok: false; readonly problem: Unreadable } {
  return { ok: false, problem: { kind, message } };
}

function described(namespace: string, name: string): string {
  return `Secret "${namespace}/${name}" of spec.vault`;
}

function mayNotRead(namespace: string, name: string): string {
  return `Certway may not read Secret "${name}" in namespace "${namespace}"; run: certway grant ${namespace} | kubectl apply -f -`;
}
