// Envoy Gateway may not read certway-system, where account keys stand; so the Service that challenge routes point to stands in systemNamespace, without
// a selector, with the addresses of the controller's replicas as its EndpointSlices. Called by provision/solver-mirror.ts.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { endpointSlices, type Rendered, services } from '../api/resources.ts';
import { rendered } from './render-object.ts';
import { uidOf } from './space.ts';
import type { Wanted } from './wanted.ts';

const serviceLabel = 'kubernetes.io/service-name';
/** Whoever keeps a slice says so, or the EndpointSlice controller takes it for its own. */
const keeperLabel = 'endpointslice.kubernetes.io/managed-by';
const portName = 'http01';

export interface SolverService {
  readonly name: string;
  readonly port: number;
}

/** The Service, then one slice for each of `slices`, by the same names. */
export function solverObjects(
  infra: GatewayInfra,
  service: SolverService,
  slices: readonly Rendered[],
): readonly Wanted[] {
  const namespace = infra.spec.systemNamespace;
  const ports = [
    { name: portName, port: service.port, targetPort: service.port, protocol: 'TCP', appProtocol: 'http' },
  ];
  return [
    rendered(services, uidOf(infra), { namespace, name: service.name }, { spec: { type: 'ClusterIP', ports } }),
    ...slices.map((slice) => mirrored(infra, service, slice)).sort(byName),
  ];
}

function mirrored(infra: GatewayInfra, service: SolverService, slice: Rendered): Wanted {
  const labels = { [serviceLabel]: service.name, [keeperLabel]: 'certway-infra' };
  const name = { namespace: infra.spec.systemNamespace, name: slice.metadata.name, labels };
  const endpoints = (Array.isArray(slice.endpoints) ? slice.endpoints : []).map(endpointOf);
  const ports = (Array.isArray(slice.ports) ? slice.ports : []).filter((port) => port?.name === portName);
  return rendered(endpointSlices, uidOf(infra), name, { addressType: slice.addressType, endpoints, ports });
}

/** Without the Pod that it names, which is of another namespace. */
function endpointOf(endpoint: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { targetRef: _, ...rest } = endpoint;
  return rest;
}

function byName(a: Wanted, b: Wanted): number {
  return a.object.metadata.name < b.object.metadata.name ? -1 : 1;
}
