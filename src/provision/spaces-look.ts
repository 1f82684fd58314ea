// Gathers what a look at one namespace is decided on, from the caches and, where it has to be left, from the certificate half's Lease. Called by
// spaces.ts for every key.

import { drainedAnnotation, type GatewayInfra } from '../api/gateway-infra.ts';
import { deployments, renderedConfigMaps } from '../api/resources.ts';
import { configName, gatewayName } from '../infra/eg-names.ts';
import { hostIn, isHosting } from '../infra/hosting.ts';
import { isReserved } from '../infra/space-names.ts';
import type { Acknowledgement, SpaceSeen } from '../infra/space-plan.ts';
import { watchedStill } from '../infra/space-watched.ts';
import type { InfraPorts } from './ports.ts';
import type { Partner } from './spaces-partner.ts';
import { boundAccounts } from './spaces-shared.ts';
import { hostingWorld, liveIn } from './spaces-world.ts';
import { renderedStore } from './stores.ts';

export function look(ports: InfraPorts, infra: GatewayInfra, namespace: string, partner: Partner): SpaceSeen {
  const { stores, references, settings } = ports;
  const bundle = infra.spec.namespaceResources?.trustBundle;
  const still = stillWatched(ports, infra, namespace);
  const labels = stores.namespaces.get(namespace)?.metadata.labels;
  return {
    namespace,
    infra,
    host: hostIn(namespace, hostingWorld(stores, infra)),
    bundle: bundle === undefined ? 'absent' : references.configMap(bundle.configMapRef),
    controllerAccount: settings.controllerAccount,
    live: liveIn(namespace, stores, infra),
    subjects: boundAccounts(ports),
    acknowledged: acknowledgementOf(infra, namespace, partner),
    ...(labels !== undefined && { labels }),
    ...(still !== undefined && { watchedStill: still }),
  };
}

/** Whether the certificate half has to be asked for: something of ours stands where nothing is hosted any more. */
export function isLeft(ports: InfraPorts, infra: GatewayInfra, namespace: string): boolean {
  const host = hostIn(namespace, hostingWorld(ports.stores, infra));
  return (
    (!isHosting(host) || isReserved(namespace, infra.spec)) &&
    host.standing === 'present' &&
    liveIn(namespace, ports.stores, infra).length > 0
  );
}

function acknowledgementOf(infra: GatewayInfra, namespace: string, partner: Partner): Acknowledgement {
  if (partner.kind === 'nobody') return 'nobody';
  // An old word, from before the namespace hosted for the last time, is none.
  const isAsked = infra.status?.namespaces?.some(({ name, state }) => name === namespace && state === 'Draining');
  return isAsked === true && isDrained(infra, namespace) ? 'given' : 'awaited';
}

/** Whether the certificate half lists it. */
export function isDrained({ metadata }: GatewayInfra, namespace: string): boolean {
  return (metadata.annotations?.[drainedAnnotation] ?? '').split(',').includes(namespace);
}

/** Once all of it goes, Envoy Gateway goes too. */
function stillWatched({ stores }: InfraPorts, infra: GatewayInfra, namespace: string): string | undefined {
  if (infra.metadata.deletionTimestamp !== undefined || infra.spec.watch?.selector !== undefined) return undefined;
  const system = infra.spec.systemNamespace;
  return watchedStill(namespace, {
    config: renderedStore(stores, renderedConfigMaps).get(`${system}/${configName}`),
    deployment: renderedStore(stores, deployments).get(`${system}/${gatewayName}`),
  });
}
