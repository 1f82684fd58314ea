// Whether the Secrets that an issuer's DNS-01 solvers name are there and hold what they should, before anybody waits for them. Called by issuer.ts; which
// Secrets those are is told by whoever knows the solvers.

import type { Issuer, SecretKeySelector } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Held } from './issuer-held.ts';
import { secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';

/** Entries of Secrets in the namespace of the issuer's Secrets; without a key the Secret must only be there. */
export type SolverSecrets = (issuer: Issuer) => readonly SecretKeySelector[];

/** What is missing, as a sentence; undefined: nothing. Read once per version of the Secrets. */
export async function solverLack(
  ports: Ports,
  issuer: Issuer,
  held: Held,
  wanted: readonly SecretKeySelector[],
): Promise<Reply<string | undefined, KubeProblem>> {
  if (wanted.length === 0) return { ok: true, value: undefined };
  const namespace = secretNamespace(ports, issuer);
  const versions = JSON.stringify(wanted.map(({ name, key }) => [name, key, versionOf(ports, namespace, name)]));
  if (held.solvers?.versions === versions) return { ok: true, value: held.solvers.lack };
  for (const each of wanted) {
    const lack = await lackOf(ports, namespace, each);
    if (!lack.ok) return lack;
    if (lack.value === undefined) continue;
    held.solvers = { versions, lack: lack.value };
    return lack;
  }
  held.solvers = { versions, lack: undefined };
  return { ok: true, value: undefined };
}

function versionOf(ports: Ports, namespace: string, name: string): string {
  const watch = ports.secrets.named(namespace, name);
  if (watch.kind !== 'ready') return watch.kind;
  return watch.store.get(`${namespace}/${name}`)?.metadata.resourceVersion ?? 'absent';
}

async function lackOf(
  ports: Ports,
  namespace: string,
  { name, key }: SecretKeySelector,
): Promise<Reply<string | undefined, KubeProblem>> {
  const what = `Secret "${namespace}/${name}" of a DNS-01 solver`;
  const read = await ports.kube.get(secrets, { namespace, name });
  if (read.ok) {
    const isThere = key === undefined || (read.value.data?.[key] ?? '') !== '';
    return { ok: true, value: isThere ? undefined : `${what} holds nothing under "${key}".` };
  }
  switch (read.problem.kind) {
    case 'notFound':
      return {
        ok: true,
        value: `${what} does not exist; create it${key === undefined ? '' : ` with the key "${key}"`}.`,
      };
    case 'forbidden': {
      const grant = `run: certway grant ${namespace} | kubectl apply -f -`;
      return { ok: true, value: `Certway may not read ${what}; ${grant}` };
    }
    default:
      return read;
  }
}
