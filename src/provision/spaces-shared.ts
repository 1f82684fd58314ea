// What no single namespace owns: the ClusterRoleBinding of an extension's sidecars, and the mirror of the solver Service. Called by spaces.ts for the
// shared key.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { clusterRoleBindings, serviceAccounts } from '../api/resources.ts';
import { hostIn, isHosting } from '../infra/hosting.ts';
import { sharedBinding, subjectsOf } from '../infra/space-extension.ts';
import { extensionBinding, isReserved } from '../infra/space-names.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { ensure, type ProvisionProblem } from './ensure.ts';
import { afterTrouble } from './outcome.ts';
import type { InfraPorts } from './ports.ts';
import { prune } from './prune.ts';
import { mirrorSolver } from './solver-mirror.ts';
import { hostingWorld, liveIn } from './spaces-world.ts';
import { renderedStore } from './stores.ts';

export async function reconcileShared(ports: InfraPorts, infra: GatewayInfra): Promise<Outcome> {
  const { status, now } = ports;
  const generation = infra.metadata.generation ?? 0;
  // On its way out the whole is taken back by whoever holds the finalizer.
  const leaving = infra.metadata.deletionTimestamp !== undefined;
  const mirrored = leaving ? undefined : await mirrorSolver(ports, infra);
  const bound = await bindExtension(ports, infra);
  status.trouble('solver', listOf(mirrored));
  status.trouble('shared', listOf(bound));
  status.progress('solver', { generation });
  status.progress('shared', { generation });
  const problem = mirrored ?? bound;
  return problem === undefined ? { kind: 'settled' } : afterTrouble(problem.kube, now());
}

/** Its subjects, as they are in the cluster now. */
export function boundAccounts({ stores }: Pick<InfraPorts, 'stores'>): ReadonlySet<string> {
  return subjectsOf(renderedStore(stores, clusterRoleBindings).get(extensionBinding));
}

async function bindExtension(ports: InfraPorts, infra: GatewayInfra): Promise<ProvisionProblem | undefined> {
  const before = boundAccounts(ports);
  const wanted = listOf(sharedBinding(infra, accountsOf(ports, infra)));
  for (const each of wanted) {
    const stands = await ensure(ports, each, 'shared');
    if (!stands.ok) return stands.problem;
  }
  const pruned = await prune(ports, 'shared', wanted);
  if (!pruned.ok) return pruned.problem;
  // Namespaces that waited for their account to be named no longer.
  const after = boundAccounts(ports);
  for (const account of before) if (!after.has(account)) ports.wake.space(account.split('/')[0] ?? '');
  return undefined;
}

/** Hosting namespaces in which the account stands. */
function accountsOf({ stores }: InfraPorts, infra: GatewayInfra): readonly string[] {
  const name = infra.spec.namespaceResources?.extension?.serviceAccount;
  const world = hostingWorld(stores, infra);
  return [...renderedStore(stores, serviceAccounts).list()]
    .filter(({ metadata }) => metadata.name === name)
    .map(({ metadata }) => metadata.namespace ?? '')
    .filter((namespace) => {
      if (isReserved(namespace, infra.spec)) return false;
      const host = hostIn(namespace, world);
      const ours = liveIn(namespace, stores, infra).some(({ of }) => of.kind === serviceAccounts.kind);
      return ours && host.standing === 'present' && isHosting(host);
    });
}

function listOf<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
