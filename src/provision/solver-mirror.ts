// Keeps the Service that challenge routes point to, and the addresses behind it, in the namespace of Envoy Gateway. Called by spaces-shared.ts when the
// EndpointSlices of the controller's own Service change, or when something here was edited.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { type SolverService, solverObjects } from '../infra/space-solver.ts';
import { ensure, type ProvisionProblem } from './ensure.ts';
import type { InfraPorts } from './ports.ts';
import { prune } from './prune.ts';

type MirrorPorts = Pick<InfraPorts, 'kube' | 'stores' | 'settled' | 'log'> & {
  readonly settings: { readonly solverService: SolverService };
};

/** Slices of replicas that are gone go last: at no moment is there an address less than there should be. */
export async function mirrorSolver(ports: MirrorPorts, infra: GatewayInfra): Promise<ProvisionProblem | undefined> {
  const { stores, settings } = ports;
  const wanted = solverObjects(infra, settings.solverService, [...stores.solverSlices.list()]);
  for (const each of wanted) {
    const stands = await ensure(ports, each, 'solver');
    if (!stands.ok) return stands.problem;
  }
  const pruned = await prune(ports, 'solver', wanted);
  return pruned.ok ? undefined : pruned.problem;
}
