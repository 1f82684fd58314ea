// The objects that one hosting namespace is given, in the order in which they are made: Certway's right to write Secrets before everything else.
// Pure; called by space-plan.ts for each look at a namespace.

import type { ConfigMap } from '../api/core.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { OwnerReference } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import { renderedConfigMaps, serviceAccounts, wholeRoleBindings } from '../api/resources.ts';
import { type Host, isHosting } from './hosting.ts';
import { gatewayAccess } from './render-access.ts';
import { rendered } from './render-object.ts';
import { certwayNamespace, extensionBinding, pullSecretWriter, trustBundleName, writerRole } from './space-names.ts';
import type { Wanted } from './wanted.ts';

export interface SpaceInput {
  readonly infra: GatewayInfra;
  readonly host: Host;
  /** The ConfigMap that spec.namespaceResources.trustBundle names. */
  readonly bundle: ConfigMap | 'absent' | 'reading';
  /** The certificate half's ServiceAccount. */
  readonly controllerAccount: string;
}

export function spaceObjects(namespace: string, input: SpaceInput): readonly Wanted[] {
  const { infra, host } = input;
  const access = isWatched(namespace, infra) ? gatewayAccess(infra, uidOf(infra), namespace) : [];
  // Only named to be watched: Envoy Gateway reads it, and nothing else is asked for.
  if (!isHosting(host)) return access;
  return [
    ...writer(namespace, input),
    ...pullWriter(namespace, infra),
    ...access,
    ...trustBundle(namespace, input),
    ...extension(namespace, input),
  ];
}

/** Whether Envoy Gateway has a RoleBinding there: with a selector it has the whole cluster, with a list what the list says. */
export function isWatched(namespace: string, { spec }: GatewayInfra): boolean {
  const { selector, namespaces } = spec.watch ?? {};
  return selector === undefined && (namespaces === undefined || namespaces.includes(namespace));
}

function writer(namespace: string, { infra, controllerAccount }: SpaceInput): readonly Wanted[] {
  if (infra.spec.namespaceResources?.certificateWriter === false) return [];
  const name = { namespace, name: writerRole, labels: { [labels.grant]: 'true' } };
  return [bound(infra, name, writerRole, { namespace: certwayNamespace, name: controllerAccount })];
}

/** Where pull Secrets are copied, the right of the account that copies them. */
export function pullWriter(namespace: string, infra: GatewayInfra): readonly Wanted[] {
  if ((infra.spec.namespaceResources?.pullSecrets ?? []).length === 0) return [];
  const { role, account } = pullSecretWriter;
  return [bound(infra, { namespace, name: role }, role, { namespace: certwayNamespace, name: account })];
}

function trustBundle(namespace: string, { infra, host, bundle }: SpaceInput): readonly Wanted[] {
  if (infra.spec.namespaceResources?.trustBundle === undefined || typeof bundle === 'string') return [];
  const map = rendered(
    renderedConfigMaps,
    uidOf(infra),
    { namespace, name: trustBundleName },
    { data: bundle.data ?? {} },
  );
  return [owned(map, host.owners)];
}

/** A sidecar's ServiceAccount and its rights in the namespace; absent unless the spec asks for one. */
function extension(namespace: string, { infra, host }: SpaceInput): readonly Wanted[] {
  const asked = infra.spec.namespaceResources?.extension;
  if (asked === undefined) return [];
  const account = rendered(serviceAccounts, uidOf(infra), { namespace, name: asked.serviceAccount });
  const subject = { namespace, name: asked.serviceAccount };
  const binding = bound(infra, { namespace, name: extensionBinding }, asked.role, subject);
  return [owned(account, host.owners), owned(binding, host.owners)];
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

function bound(
  infra: GatewayInfra,
  name: Named & { readonly labels?: Readonly<Record<string, string>> },
  role: string,
  subject: Named,
): Wanted {
  return rendered(wholeRoleBindings, uidOf(infra), name, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', ...subject }],
  });
}

/**
 * The backstop where infra is gone: the garbage collector takes it with the last of them. Never on a binding that grants the removal of others, since
 * the collector knows no order.
 */
export function owned({ of, object }: Wanted, owners: readonly OwnerReference[]): Wanted {
  if (owners.length === 0) return { of, object };
  return { of, object: { ...object, metadata: { ...object.metadata, ownerReferences: owners } } };
}

export function uidOf({ metadata }: GatewayInfra): string {
  return metadata.uid ?? '';
}
