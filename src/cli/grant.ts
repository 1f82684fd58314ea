// Decides what `certway grant NAMESPACE…` prints: one RoleBinding per namespace that lets the certificate half write Secrets there.
// Called by main.ts; printed for `kubectl apply -f -`, so that whoever grants sees it, and does it with rights of their own.

import { stringify } from 'yaml';
import { labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';

/** The ClusterRole in deploy/rbac.yaml, and the name of each binding to it. */
const role = 'certway-secret-writer';
const reserved: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

export interface GrantOptions {
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** YAML of the RoleBindings, each namespace once and in the order given; else every mistake, one line each. */
export function grantManifests(namespaces: readonly string[], options: GrantOptions): Reply<string, string> {
  const wanted = [...new Set(namespaces)];
  const mistakes =
    wanted.length === 0 ? ['Name at least one namespace: certway grant NAMESPACE…'] : wanted.flatMap(mistakesIn);
  if (mistakes.length > 0) return { ok: false, problem: mistakes.join('\n') };
  return { ok: true, value: wanted.map((namespace) => stringify(binding(namespace, options))).join('---\n') };
}

function mistakesIn(namespace: string): readonly string[] {
  if (reserved.has(namespace))
    return [`${namespace} is reserved for Kubernetes itself: Certway writes no Secrets there.`];
  // RFC 1123 §2.1, as Kubernetes asks it of namespaces: no dots, at most 63 characters.
  if (namespace.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace)) return [];
  return [
    `${JSON.stringify(namespace)} cannot be a namespace: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends.`,
  ];
}

function binding(namespace: string, { serviceAccount }: GrantOptions): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: role, namespace, labels: { 'app.kubernetes.io/part-of': 'certway', [labels.grant]: 'true' } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', namespace: serviceAccount.namespace, name: serviceAccount.name }],
  };
}

/** Prints the manifests, or what is wrong with the namespaces; answers the exit code. */
export function printGrant(
  wanted: GrantOptions & { readonly namespaces: readonly string[] },
  to: Pick<NodeJS.Process, 'stdout' | 'stderr'>,
): number {
  const manifests = grantManifests(wanted.namespaces, wanted);
  if (manifests.ok) to.stdout.write(manifests.value);
  else to.stderr.write(`${manifests.problem}\n`);
  return manifests.ok ? 0 : 2;
}
