// The whole status of a GatewayInfra from what every step has told, and what is worth an event when it changes. Called by provision/status.ts.
// What nobody has told since the process began stays as it stands: a restart takes nothing from the other half's eyes.

import type { GatewayInfraStatus, InfraCrd, InfraNamespace } from '../api/gateway-infra.ts';
import type { Condition } from '../api/meta.ts';
import { withCondition, withoutCondition } from '../plan/conditions.ts';
import { conditionsOf, type InfraCondition, type Work } from './infra-conditions.ts';

export interface Told extends Work {
  readonly observedGeneration: number | undefined;
  readonly crds: readonly InfraCrd[] | undefined;
  /** undefined: it is to be listed no longer. */
  readonly namespaces: ReadonlyMap<string, InfraNamespace | undefined>;
  /** By type; 'absent' takes it away. */
  readonly conditions: ReadonlyMap<InfraCondition['type'], InfraCondition | 'absent'>;
  readonly rendered: GatewayInfraStatus['rendered'];
}

export function statusOf(told: Told, now: number): GatewayInfraStatus {
  const before = told.infra.status ?? {};
  const observedGeneration = told.observedGeneration ?? before.observedGeneration;
  const crds = told.crds ?? before.crds;
  const rendered = told.rendered ?? before.rendered;
  return {
    ...before,
    ...(observedGeneration !== undefined && { observedGeneration }),
    conditions: conditions(told, before.conditions ?? [], now),
    ...(crds !== undefined && { crds }),
    namespaces: namespacesOf(told.namespaces, before.namespaces ?? []),
    ...(rendered !== undefined && { rendered }),
  };
}

function conditions(told: Told, before: readonly Condition[], now: number): readonly Condition[] {
  const observedGeneration = told.observedGeneration ?? told.infra.status?.observedGeneration;
  const observed = observedGeneration === undefined ? {} : { observedGeneration };
  let list = before;
  for (const each of conditionsOf(told)) list = withCondition(list, { ...each, ...observed }, now);
  for (const [type, each] of told.conditions) {
    list = each === 'absent' ? withoutCondition(list, type) : withCondition(list, { ...each, ...observed }, now);
  }
  return list;
}

/** What was told over what stands. */
export function namespacesOf(told: Told['namespaces'], before: readonly InfraNamespace[]): readonly InfraNamespace[] {
  const all = new Map<string, InfraNamespace | undefined>([
    ...before.map((each) => [each.name, each] as const),
    ...told,
  ]);
  return [...all.values()].filter((each) => each !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}
