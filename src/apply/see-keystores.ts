// Says whether the keystores in the target Secret are right, or why they cannot be made. Called by observe-certificate.ts.
// The files and passwords are read only when the Secret, a password's Secret or the spec has changed since the last time.

import type { Certificate } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { passwordSecrets, wantedKeystores } from '../plan/keystores-wanted.ts';
import type { KeystoresSeen } from '../plan/secret-drift.ts';
import type { Attempt } from './attempt.ts';
import { gatherKeystores, missingSecret } from './keystore-passwords.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';
import type { SecretWatch } from './secret-watches.ts';

/** The last answer, and of which objects it was given. */
export interface KeystoreCheck {
  readonly stamp: string;
  readonly seen: KeystoresSeen;
}

/** What of an Attempt is looked at and written here. */
export type KeystoreMemory = Pick<Attempt, 'secret'> & { keystores?: KeystoreCheck };

export const noKeystores: KeystoresSeen = { kind: 'judged', unfit: [] };

/** `waiting`: the Secrets with the passwords are still being listed; their watch wakes the key. */
export async function seeKeystores(
  ports: Ports,
  certificate: Certificate,
  attempt: KeystoreMemory,
): Promise<Reply<KeystoresSeen | 'waiting', KubeProblem>> {
  const { spec } = certificate;
  const { namespace = '' } = certificate.metadata;
  if (wantedKeystores(spec).length === 0) return { ok: true, value: noKeystores };
  const versions: string[] = [];
  for (const name of passwordSecrets(spec)) {
    const watch = watchOf(ports, namespace, name);
    if (watch.kind === 'waiting') return { ok: true, value: 'waiting' };
    const known = watch.kind === 'ready' ? watch.store.get(`${namespace}/${name}`) : undefined;
    if (watch.kind === 'ready' && known === undefined) return { ok: true, value: missingSecret(spec, namespace, name) };
    versions.push(known?.metadata.resourceVersion ?? '');
  }
  const content = attempt.secret?.kind === 'content' ? attempt.secret.content : undefined;
  const stamp = keystoreStamp(certificate, content?.resourceVersion, versions);
  if (attempt.keystores?.stamp === stamp) return { ok: true, value: attempt.keystores.seen };
  const target = content?.shape === undefined ? 'without a pair' : 'with a pair';
  const seen = await look(ports, certificate, target);
  if (seen.ok) attempt.keystores = { stamp, seen: seen.value };
  return seen;
}

/** A Secret that bears our label is in the namespace's own watch already. */
function watchOf({ secrets: watches }: Ports, namespace: string, name: string): SecretWatch {
  const ours = watches.ours(namespace);
  const isSeen = ours.kind === 'ready' && ours.store.get(`${namespace}/${name}`) !== undefined;
  return isSeen ? ours : watches.named(namespace, name);
}

/** The same for the same Secrets and spec; `versions` in the order of `passwordSecrets`. */
export function keystoreStamp(
  { metadata }: Certificate,
  target: string | undefined,
  versions: readonly string[],
): string {
  return JSON.stringify([metadata.generation, target, versions]);
}

async function look(
  ports: Ports,
  { metadata, spec }: Certificate,
  target: 'with a pair' | 'without a pair',
): Promise<Reply<KeystoresSeen, KubeProblem>> {
  const { namespace = '' } = metadata;
  const gathered = await gatherKeystores(ports.kube, namespace, spec);
  if (!gathered.ok) return gathered;
  if (gathered.value.kind === 'obstacle') return { ok: true, value: gathered.value };
  if (target === 'without a pair') return { ok: true, value: noKeystores };
  const secret = await ports.kube.get(secrets, { namespace, name: spec.secretName });
  if (!secret.ok) return secret.problem.kind === 'notFound' ? { ok: true, value: noKeystores } : secret;
  const unfit = await ports.keystores.unfit(gathered.value.terms, chainOf(secret.value), filesOf(secret.value));
  return { ok: true, value: { kind: 'judged', unfit } };
}

/** The certificates in a Secret, as keystores are made of them. */
export function chainOf(secret: Secret): { readonly chainPem: string; readonly caPem?: string } {
  const [chainPem, caPem] = [decode(secret, 'tls.crt'), decode(secret, 'ca.crt')];
  return { chainPem, ...(caPem !== '' && { caPem }) };
}

export function filesOf({ data = {} }: Secret): ReadonlyMap<string, Buffer> {
  return new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}
