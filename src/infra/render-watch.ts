// Which namespaces Envoy Gateway reads. A list is the default, and each of its namespaces has the RoleBindings before it is listed: Envoy
// Gateway is not ready while it may not read one of them. Called by the configuration, the bindings and the webhook.

import type { GatewayInfra } from '../api/gateway-infra.ts';

export type WatchScope =
  | { readonly kind: 'namespaces' /** Ascending, each once; never empty. */; readonly names: readonly string[] }
  | { readonly kind: 'selector'; readonly labels: Readonly<Record<string, string>> };

/**
 * `hosting`: the namespaces where the bindings stand now (status.namespaces in Provisioned). With spec.watch.namespaces, those of them that it
 * lists; it cannot add one whose bindings are missing. The system namespace is always read: the EnvoyProxies of classes stand there.
 */
export function watchScope({ spec }: Pick<GatewayInfra, 'spec'>, hosting: readonly string[]): WatchScope {
  const { selector, namespaces } = spec.watch ?? {};
  if (selector !== undefined) return { kind: 'selector', labels: selector.matchLabels };
  const wished = namespaces === undefined ? hosting : hosting.filter((name) => namespaces.includes(name));
  return { kind: 'namespaces', names: [...new Set([spec.systemNamespace, ...wished])].sort() };
}
