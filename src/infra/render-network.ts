// Who may talk to Envoy Gateway, and to whom it talks. Its xDS server is one for all tenants: it is open to the proxies' Pods of hosting
// namespaces and to nobody else. Called by renderSystem; spec.networkPolicy None leaves them out.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { networkPolicies as networkPolicyResource } from '../api/resources.ts';
import { controllerSelector, gatewayName, healthPort, ports, proxySelector, rateLimitSelector } from './eg-names.ts';
import { rendered } from './render-object.ts';
import { watchScope } from './render-watch.ts';
import type { Wanted } from './wanted.ts';

const tcp = (...numbers: readonly number[]) => numbers.map((port) => ({ protocol: 'TCP', port }));

export function networkPolicies(
  infra: Pick<GatewayInfra, 'spec'>,
  uid: string,
  hosting: readonly string[],
): readonly Wanted[] {
  const { spec } = infra;
  if (spec.networkPolicy === 'None') return [];
  const name = { name: gatewayName, namespace: spec.systemNamespace };
  const body = {
    podSelector: { matchLabels: controllerSelector },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      ...proxyIngress(infra, hosting),
      { from: [{ podSelector: { matchLabels: rateLimitSelector } }], ports: tcp(ports.ratelimit) },
      // Prometheus and the kubelet stand where the platform put them.
      { ports: tcp(ports.metrics, healthPort) },
      ...(spec.topologyInjector === 'HostingNamespaces' ? [{ ports: tcp(ports.webhook) }] : []),
    ],
    egress: egressRules(),
  };
  return [rendered(networkPolicyResource, uid, name, { spec: body })];
}

/** A rule without `from` admits everybody: where nobody hosts there is no rule at all. */
function proxyIngress(infra: Pick<GatewayInfra, 'spec'>, hosting: readonly string[]): readonly unknown[] {
  const system = infra.spec.systemNamespace;
  const scope = watchScope(infra, hosting);
  const names = (scope.kind === 'namespaces' ? scope.names : [...new Set(hosting)].sort()).filter((n) => n !== system);
  if (names.length === 0) return [];
  const from = {
    namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }] },
    podSelector: { matchLabels: proxySelector },
  };
  return [{ from: [from], ports: tcp(ports.grpc, ports.wasm) }];
}

/**
 * DNS; and HTTPS to anywhere, for a NetworkPolicy cannot name the API server: its address differs by cluster and may change. Images of Wasm
 * modules and the keys of token issuers are fetched by HTTPS too.
 */
function egressRules(): readonly unknown[] {
  return [{ ports: [{ protocol: 'UDP', port: 53 }, ...tcp(53)] }, { ports: tcp(443, 6443) }];
}
