// Gathers the keystores of a spec with their passwords, each Secret read once and let go. Called when keystores are written or tried.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { KeystoreTerms } from '../keystore/keystores.ts';
import { readPassword } from '../keystore/password.ts';
import type { Kube } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { keystoreMistake, passwordSecrets, type WantedKeystore, wantedKeystores } from '../plan/keystores-wanted.ts';
import type { KeystoresSeen } from '../plan/secret-drift.ts';

export type Obstacle = Extract<KeystoresSeen, { kind: 'obstacle' }>;

export type Gathered =
  | {
      readonly kind: 'gathered';
      readonly terms: readonly KeystoreTerms[];
      /** resourceVersions of the password Secrets, in the order of `passwordSecrets`. */
      readonly versions: readonly string[];
    }
  | Obstacle;

/** The obstacle's sentence names the Secret and its key, never what stands there. */
export async function gatherKeystores(
  kube: Pick<Kube, 'get'>,
  namespace: string,
  spec: CertificateSpec,
): Promise<Reply<Gathered, KubeProblem>> {
  const mistake = keystoreMistake(spec);
  if (mistake !== undefined) return { ok: true, value: obstacle('InvalidSpec', mistake) };
  const read = new Map<string, Secret>();
  for (const name of passwordSecrets(spec)) {
    const secret = await kube.get(secrets, { namespace, name });
    if (secret.ok) read.set(name, secret.value);
    else if (secret.problem.kind === 'notFound') return { ok: true, value: missingSecret(spec, namespace, name) };
    else return secret;
  }
  const terms: KeystoreTerms[] = [];
  for (const wanted of wantedKeystores(spec)) {
    const password = passwordOf(wanted, read);
    if (typeof password !== 'string') return { ok: true, value: password };
    terms.push({ ...wanted, password });
  }
  const versions = [...read.values()].map(({ metadata }) => metadata.resourceVersion ?? '');
  return { ok: true, value: { kind: 'gathered', terms, versions } };
}

/** What is said while a password's Secret does not exist; cert-manager's reason for the same. */
export function missingSecret(spec: CertificateSpec, namespace: string, name: string): Obstacle {
  const fields = wantedKeystores(spec)
    .filter(({ password }) => password.kind === 'secret' && password.name === name)
    .map(({ kind }) => `spec.keystores.${kind}`);
  return obstacle(
    'KeystorePasswordSecretNotFound',
    `Secret "${name}" with the password of ${fields.join(' and ')} does not exist in namespace "${namespace}": create it.`,
  );
}

function passwordOf({ kind, password: source }: WantedKeystore, read: ReadonlyMap<string, Secret>): string | Obstacle {
  if (source.kind === 'literal') return source.password;
  const { name, key } = source;
  const found = Buffer.from(read.get(name)?.data?.[key] ?? '', 'base64');
  const password = readPassword(found);
  if (password.ok) return password.value;
  const what = `key "${key}" of Secret "${name}", the password of spec.keystores.${kind}`;
  return obstacle('KeystorePasswordMissing', `Set ${what}: ${password.problem}.`);
}

function obstacle(reason: string, message: string): Obstacle {
  return { kind: 'obstacle', reason, message };
}
