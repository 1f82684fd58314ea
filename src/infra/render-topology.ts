// The webhook by which Envoy Gateway tells proxies their zone: off, or asked only about Pods that are bound in hosting namespaces (R34). Its
// chart asks about every Pod of the cluster in Gateway Namespace Mode. Called by renderSystem.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { mutatingWebhookConfigurations } from '../api/resources.ts';
import { gatewayName, ports } from './eg-names.ts';
import { rendered } from './render-object.ts';
import type { WatchScope } from './render-watch.ts';
import type { Wanted } from './wanted.ts';

/** None before the CA is known: without it each call would fail, and be ignored only after a wait. */
export function topologyWebhook(
  { spec }: Pick<GatewayInfra, 'spec'>,
  uid: string,
  scope: WatchScope,
  hosting: readonly string[],
  authority: string | undefined,
): readonly Wanted[] {
  if (spec.topologyInjector !== 'HostingNamespaces' || authority === undefined) return [];
  const namespaces = (scope.kind === 'namespaces' ? scope.names : [...new Set(hosting)].sort()).filter(
    (name) => name !== spec.systemNamespace,
  );
  if (namespaces.length === 0) return [];
  const webhook = {
    name: 'topology.webhook.gateway.envoyproxy.io',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    // The binding of a Pod waits for it, in namespaces of tenants.
    timeoutSeconds: 3,
    clientConfig: {
      caBundle: Buffer.from(authority).toString('base64'),
      service: {
        name: gatewayName,
        namespace: spec.systemNamespace,
        path: '/inject-pod-topology',
        port: ports.webhook,
      },
    },
    rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/binding'] }],
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }],
    },
  };
  const name = `envoy-gateway-topology-injector.${spec.systemNamespace}`;
  return [rendered(mutatingWebhookConfigurations, uid, { name }, { webhooks: [webhook] })];
}
