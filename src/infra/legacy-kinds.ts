// What tells an install of Envoy Gateway by its chart from everything else in the same namespace, and of which kinds its parts are. Called by
// legacy-install.ts, which sorts what was seen, and by provision/legacy-look.ts, which reads it.

import { infraUidLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import * as resources from '../api/resources.ts';
import type { Wanted } from './wanted.ts';

/** An object of an earlier install, as it stands. */
export type LegacyObject = Wanted;

/** `app.kubernetes.io/name` of the chart's objects and of the controller's Pods. */
export const chartName = 'gateway-helm';
export const chartSelector = `${labels.name}=${chartName}`;
export const releaseLabel = 'app.kubernetes.io/instance';

/** Where it stands unless spec.legacy.namespace says otherwise: the namespace that its documentation installs to. */
export const usualNamespace = 'envoy-gateway-system';

/** Of its leader election, by the identifier that stands in its code. */
export const leaderLease = '5b9825d2.gateway.envoyproxy.io';

/** The RoleBinding by which an administrator lets infra clean a namespace that is not its own; the last thing that goes there. */
export const cleanerBinding = 'certway-infra-legacy';

/** Read in the namespace of the install, all of them: some parts are known by name or selector alone. */
export const insideKinds = [
  resources.deployments,
  resources.daemonSets,
  resources.replicaSets,
  resources.pods,
  resources.services,
  resources.renderedConfigMaps,
  resources.serviceAccounts,
  resources.jobs,
  resources.autoscalers,
  resources.podDisruptionBudgets,
] as const;

/** Read in the whole cluster by the chart's label: rights reach where the install does not stand. */
export const everywhereKinds = [
  resources.roles,
  resources.wholeRoleBindings,
  resources.clusterRoles,
  resources.clusterRoleBindings,
  resources.mutatingWebhookConfigurations,
] as const;

/** By the chart's labels, and not ours by now. */
export function isOfChart({ metadata }: KubeObject): boolean {
  const own = metadata.labels ?? {};
  if (own[infraUidLabel] !== undefined) return false;
  return own[labels.name] === chartName || (own['helm.sh/chart'] ?? '').startsWith(`${chartName}-`);
}

/** What an Envoy Gateway makes beside itself: `proxy` for Gateways, `ratelimit` for all of them. */
export function componentOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.[labels.managedBy] === 'envoy-gateway'
    ? metadata.labels['app.kubernetes.io/component']
    : undefined;
}

export function isKind({ of }: LegacyObject, kind: { readonly kind: string }): boolean {
  return of.kind === kind.kind;
}
