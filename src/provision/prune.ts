// Takes away what a step rendered once and renders no longer: after an upgrade, an edit of the spec, or a class that was dropped. Called at the end
// of a step, when all that is wanted stands. Judges by labels in the cluster, so a restart forgets nothing.

import { stepLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import type { Resource } from '../api/resources.ts';
import * as resources from '../api/resources.ts';
import { nameOf, type Wanted } from '../infra/wanted.ts';
import { type EnsurePorts, type ProvisionProblem, remove, type Step } from './ensure.ts';
import { type InfraStores, kindKey } from './ports.ts';
import { infraOf, isOurs, isPlausible, renderedEverywhere, renderedInSystem, renderedStore } from './stores.ts';

interface Cache {
  readonly of: Resource<KubeObject>;
  readonly list: () => Iterable<KubeObject>;
}

/** What depends on another goes before it: workloads, then what they read, then their rights. */
const order: readonly Resource<KubeObject>[] = [
  resources.mutatingWebhookConfigurations,
  resources.gatewayClasses,
  resources.envoyProxies,
  resources.deployments,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
  resources.services,
  resources.endpointSlices,
  resources.secrets,
  resources.renderedConfigMaps,
  resources.serviceAccounts,
  resources.clusterRoleBindings,
  resources.wholeRoleBindings,
  resources.admissionPolicyBindings,
  resources.admissionPolicies,
];

export interface Standing {
  readonly of: Resource<KubeObject>;
  readonly object: KubeObject;
}

/** Everything of ours that a cache holds, in the order in which it may be taken away. */
export function standing(stores: InfraStores, uid: string): readonly Standing[] {
  const caches: readonly Cache[] = [
    { of: resources.gatewayClasses, list: () => stores.gatewayClasses.list() },
    { of: resources.envoyProxies, list: () => stores.envoyProxies.list() },
    { of: resources.secrets, list: () => stores.systemSecrets.list() },
    ...[...renderedEverywhere, ...renderedInSystem].map((of) => ({ of, list: () => renderedStore(stores, of).list() })),
  ];
  const system = infraOf(stores)?.spec.systemNamespace;
  const place = ({ of }: Cache) => order.findIndex((each) => kindKey(each) === kindKey(of));
  return caches
    .toSorted((a, b) => place(a) - place(b))
    .flatMap(({ of, list }) =>
      [...list()]
        .filter((object) => isOurs(object, uid) && isPlausible({ ...object, kind: of.kind }, system))
        .map((object) => ({ of, object })),
    );
}

/** Removes what stands of that step (and namespace) and is not in `wanted`; stops at the first refusal. */
export async function prune(
  ports: EnsurePorts,
  step: Step,
  wanted: readonly Wanted[],
  namespace?: string,
): Promise<Reply<number, ProvisionProblem>> {
  const uid = infraOf(ports.stores)?.metadata.uid ?? '';
  const kept = new Set(wanted.map(nameOf));
  const stale = standing(ports.stores, uid).filter(
    (each) =>
      each.object.metadata.labels?.[stepLabel] === step &&
      (namespace === undefined || each.object.metadata.namespace === namespace) &&
      !kept.has(nameOf(each)),
  );
  for (const { of, object } of stale) {
    const gone = await remove(ports, of, object.metadata, uid, step);
    if (!gone.ok) return gone;
  }
  return { ok: true, value: stale.length };
}
