// Everything of Envoy Gateway in its own namespace and in the cluster, for one GatewayInfra: the list that provision/ applies in this order.
// Pure and byte-stable: the same input gives the same text, whatever the order of what was read.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { configMaps } from '../api/resources.ts';
import { mergeConfig } from './config-merge.ts';
import { digestOf } from './digest.ts';
import { configKey, configName } from './eg-names.ts';
import { releaseOf } from './eg-release.ts';
import type { InfraRefusal } from './refusal.ts';
import { systemAccess } from './render-access.ts';
import { configDigest, gatewayDeployment } from './render-deployment.ts';
import { networkPolicies } from './render-network.ts';
import { rendered } from './render-object.ts';
import { disruptionBudget, gatewayAccount, gatewayService } from './render-service.ts';
import { topologyWebhook } from './render-topology.ts';
import { watchScope } from './render-watch.ts';
import type { Wanted } from './wanted.ts';

export interface SystemInput {
  readonly infra: GatewayInfra;
  /** Of the GatewayInfra: the label on everything. */
  readonly uid: string;
  /** Namespaces where Envoy Gateway's bindings stand: Provisioned, not Draining, not being deleted. */
  readonly hosting: readonly string[];
  /** The text under envoy-gateway.yaml in the referenced ConfigMap. */
  readonly userConfig?: string;
  /** Changes when a certificate of the controller changes, which then starts anew. */
  readonly certificatesDigest: string;
  /** PEM of the CA that signed the controller's certificate: for the webhook, which is left out until it is known. */
  readonly authority?: string;
}

export interface System {
  /** In the order to apply: rights before the Deployment that needs them. */
  readonly wanted: readonly Wanted[];
  /** What of the user's configuration is not followed, and why; nothing is degraded by it. */
  readonly overridden: readonly InfraRefusal[];
  /** Of all objects: status.rendered.digest. */
  readonly digest: string;
  readonly version: string;
}

/** Refuses a version that may not run, and a configuration that cannot be read: what stands then stays as it is. */
export function renderSystem(input: SystemInput): Reply<System, InfraRefusal> {
  const { infra, uid, hosting, certificatesDigest, authority } = input;
  const release = releaseOf(infra.spec.version);
  if (!release.ok) return release;
  const scope = watchScope(infra, hosting);
  const config = mergeConfig(infra, release.value, scope, input.userConfig);
  if (!config.ok) return config;
  const { text, overridden } = config.value;
  const namespace = infra.spec.systemNamespace;
  const wanted = [
    gatewayAccount(infra, uid),
    ...systemAccess(infra, uid),
    rendered(configMaps, uid, { name: configName, namespace }, { data: { [configKey]: text } }),
    gatewayService(infra, uid),
    ...networkPolicies(infra, uid, hosting),
    ...disruptionBudget(infra, uid),
    gatewayDeployment(infra, uid, release.value, { config: configDigest(text), certificates: certificatesDigest }),
    ...topologyWebhook(infra, uid, scope, hosting, authority),
  ];
  const digest = digestOf(wanted.map(({ object }) => object));
  return { ok: true, value: { wanted, overridden, digest, version: release.value.version } };
}
