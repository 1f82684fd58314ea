// The Secret of an account key: what it holds, and the writes that keep a rollover durable. While one is under way it holds two keys, the one in use and,
// under the same entry with `.next`, the one to come. Called by issuer-account.ts, rollover.ts and accounts.ts.

import { createHash, type KeyObject } from 'node:crypto';
import { thumbprint } from '../acme/jws.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { annotations, fieldManager, labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { keyFromPem, keyToPem } from '../pki/keys.ts';
import type { KeyFacts } from '../plan/issuer-seen.ts';
import { stampLabels, templateOf } from '../plan/stamp.ts';
import { decode, encode } from './secret-content.ts';

export interface AccountKey extends KeyFacts {
  readonly key: KeyObject;
}

export interface NextKey extends AccountKey {
  /** The key (issuerKey) of the issuer that rolls over: issuers may share a Secret. */
  readonly by: string;
}

export interface KeySecret {
  readonly resourceVersion: string;
  readonly current: AccountKey;
  readonly next?: NextKey;
  readonly rolledOver?: string;
  /** Another controller that writes this Secret, as "Kind/name". */
  readonly keeper?: string;
}

export type KeyProblem =
  | { readonly kind: 'kube'; readonly problem: KubeProblem }
  /** The Secret does not hold what it should. */
  | { readonly kind: 'key'; readonly message: string };

/** Where the issuer's key stands. */
export function keyPlace(issuer: Issuer): { readonly name: string; readonly entry: string } {
  const { name = '', key: entry = 'tls.key' } = issuer.spec.acme?.privateKeySecretRef ?? {};
  return { name, entry };
}

/** Undefined where there is no such Secret. */
export async function readKeySecret(
  kube: Pick<Kube, 'get'>,
  issuer: Issuer,
  namespace: string,
): Promise<Reply<KeySecret | undefined, KeyProblem>> {
  const { name, entry } = keyPlace(issuer);
  const read = await kube.get(secrets, { namespace, name });
  if (!read.ok && read.problem.kind === 'notFound') return { ok: true, value: undefined };
  if (!read.ok) return { ok: false, problem: { kind: 'kube', problem: read.problem } };
  return keysIn(read.value, entry);
}

async function keysIn(secret: Secret, entry: string): Promise<Reply<KeySecret, KeyProblem>> {
  const { metadata } = secret;
  const current = keyFromPem(decode(secret, entry));
  if (!current.ok) {
    const message = `Secret "${metadata.namespace}/${metadata.name}" holds no private key under "${entry}".`;
    return { ok: false, problem: { kind: 'key', message } };
  }
  const next = keyFromPem(decode(secret, nextEntry(entry)));
  const rolledOver = metadata.annotations?.[annotations.rolledOverAccountKey];
  const by = metadata.annotations?.[annotations.rollingOverFor] ?? '';
  const keeper = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return {
    ok: true,
    value: {
      resourceVersion: metadata.resourceVersion ?? '',
      current: await accountKey(current.value),
      // What cannot be read was never told to a CA: it is written only whole.
      ...(next.ok && { next: { ...(await accountKey(next.value)), by } }),
      ...(rolledOver !== undefined && { rolledOver }),
      ...(keeper !== undefined && { keeper: `${keeper.kind}/${keeper.name}` }),
    },
  };
}

/** The hash is cert-manager's: over PKCS#1 for RSA. */
export async function accountKey(key: KeyObject): Promise<AccountKey> {
  const der =
    key.asymmetricKeyType === 'rsa'
      ? key.export({ type: 'pkcs1', format: 'der' })
      : key.export({ type: 'pkcs8', format: 'der' });
  const hash = createHash('sha256').update(der).digest('base64');
  return { key, hash, thumbprint: await thumbprint(key) };
}

/** That of a stamped Issuer is found by its labels when the Issuer is gone. */
export function newKeySecret(issuer: Issuer, namespace: string, { key }: AccountKey): Secret {
  const { name, entry } = keyPlace(issuer);
  const template = issuer.metadata.namespace === undefined ? undefined : templateOf(issuer.metadata.name);
  const marks = template === undefined ? { [labels.managedBy]: 'cert-manager' } : stampLabels(template);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name, namespace, labels: marks },
    data: { [entry]: pemOf(key) },
  };
}

export interface KeyWrite {
  readonly current: AccountKey;
  /** Absent: the Secret holds one key from now on. */
  readonly next?: NextKey;
  readonly rolledOver?: string;
}

/** Writes both entries at once, if the Secret is still the one that was read. Takes the entries over from whoever wrote them. */
export function writeKeySecret(
  kube: Pick<Kube, 'apply'>,
  issuer: Issuer,
  at: { readonly namespace: string; readonly resourceVersion: string },
  { current, next, rolledOver }: KeyWrite,
): Promise<Reply<Secret, KubeProblem>> {
  const { name, entry } = keyPlace(issuer);
  const notes = {
    ...(rolledOver !== undefined && { [annotations.rolledOverAccountKey]: rolledOver }),
    ...(next !== undefined && { [annotations.rollingOverFor]: next.by }),
  };
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, ...at, annotations: notes },
    data: {
      [entry]: pemOf(current.key),
      ...(next !== undefined && { [nextEntry(entry)]: pemOf(next.key) }),
    },
  };
  return kube.apply(secrets, secret, { fieldManager: `${fieldManager}-account`, force: true });
}

function nextEntry(entry: string): string {
  return `${entry}.next`;
}

function pemOf(key: KeyObject): string {
  return encode(keyToPem(key, 'PKCS1'));
}
