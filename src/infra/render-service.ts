// What stands around Envoy Gateway's Deployment: its ServiceAccount, its Service, and how many of it must stay. Called by renderSystem.

import type { GatewayInfra, GatewayInfraSpec } from '../api/gateway-infra.ts';
import { podDisruptionBudgets, serviceAccounts, services } from '../api/resources.ts';
import { controllerSelector, gatewayName, ports } from './eg-names.ts';
import { rendered } from './render-object.ts';
import type { Wanted } from './wanted.ts';

/** HA has two; one where a Single topology or the user says so. */
export function replicasOf({ availability }: Pick<GatewayInfraSpec, 'availability'>): number {
  return availability?.replicas ?? (availability?.topology === 'Single' ? 1 : 2);
}

/** Pods that need its token ask for it themselves. */
export function gatewayAccount({ spec }: Pick<GatewayInfra, 'spec'>, uid: string): Wanted {
  const body = { automountServiceAccountToken: false };
  return rendered(serviceAccounts, uid, { name: gatewayName, namespace: spec.systemNamespace }, body);
}

export function gatewayService({ spec }: Pick<GatewayInfra, 'spec'>, uid: string): Wanted {
  const name = { name: gatewayName, namespace: spec.systemNamespace, labels: controllerLabels };
  return rendered(services, uid, name, {
    spec: {
      type: 'ClusterIP',
      selector: controllerSelector,
      ports: servedPorts(spec).map(([port, number]) => ({
        name: port,
        port: number,
        targetPort: number,
        protocol: 'TCP',
      })),
    },
  });
}

/** What the chart's objects carry too, so that one selector finds either. */
export const controllerLabels = controllerSelector;

/** The webhook's port only where the webhook is. */
export function servedPorts({ topologyInjector }: Pick<GatewayInfraSpec, 'topologyInjector'>) {
  return Object.entries(ports).filter(([port]) => port !== 'webhook' || topologyInjector === 'HostingNamespaces');
}

/** None for a single replica, which a budget would keep from ever being moved off its node. */
export function disruptionBudget({ spec }: Pick<GatewayInfra, 'spec'>, uid: string): readonly Wanted[] {
  if (spec.availability?.topology === 'Single' || replicasOf(spec) < 2) return [];
  const name = { name: gatewayName, namespace: spec.systemNamespace };
  const body = { spec: { minAvailable: 1, selector: { matchLabels: controllerSelector } } };
  return [rendered(podDisruptionBudgets, uid, name, body)];
}
