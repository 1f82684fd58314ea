// What `certway check` says of the infrastructure half: where it has Certway hold still, and what is wrong there. Certificates go on without it and
// beside it, so nothing here is a fault of Certway's. Pure; called by check-view.ts.

import { infraName } from '../api/gateway-infra.ts';
import { contractOf, holdIn, type InfraContract } from '../infra/contract.ts';
import { conditionOf } from '../plan/conditions.ts';
import type { CheckScene } from './check-scene.ts';
import { asOne } from './status-blame.ts';
import type { ViewNode } from './status-node.ts';

export function infraNodes({ infra }: Pick<CheckScene, 'infra'>): readonly ViewNode[] {
  const node = { what: 'GatewayInfra', name: infraName };
  if (infra.kind === 'hidden') return [{ ...node, mark: 'hidden', says: infra.why }];
  if (infra.kind === 'absent') {
    // Without its kind there is no such half here, and nothing to say.
    const says = 'InfraAbsent: Gateways are run by somebody else, and rights on Secrets come from `certway grant`';
    return infra.what === 'kind' ? [] : [{ ...node, mark: 'note', says }];
  }
  const contract = contractOf(infra.value);
  const { move, degraded } = contract;
  const crds = conditionOf(infra.value.status?.conditions, 'CRDsReady');
  const missing = crds?.status === 'False' ? [`CRDsReady is False, ${crds.reason}: ${asOne(crds.message ?? '')}`] : [];
  const said = [
    ...(move === undefined ? [] : [asOne(move)]),
    ...(degraded === undefined ? [] : [`Degraded, ${asOne(degraded)}`]),
  ];
  const words = [...said, ...missing];
  const under = heldNamespaces(contract);
  const isCalm = words.length === 0 && under.length === 0;
  const counted = `${contract.namespaces.size} namespaces, ${under.length === 0 ? 'none' : under.length} held back`;
  return [{ ...node, mark: isCalm ? 'good' : 'note', says: [counted, ...words].join('; '), under }];
}

/** In the words of the conditions that stand there. */
function heldNamespaces(contract: InfraContract): readonly ViewNode[] {
  return [...contract.namespaces.values()].flatMap(({ name, state }): readonly ViewNode[] => {
    const hold = holdIn(contract, name);
    if (hold === undefined) return [];
    const mark = state === 'Reserved' ? 'note' : 'busy';
    return [{ mark, what: 'Namespace', name, says: `${reasons[hold.kind]}: ${asOne(hold.message)}` }];
  });
}

const reasons = { pending: 'InfraNotReady', draining: 'NamespaceDraining', reserved: 'NamespaceReserved' } as const;
