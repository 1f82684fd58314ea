// Hands over and removes what legacy-plan.ts has put in order, one after the other, and stops at the first that fails: what is later in the order
// may be what the earlier ones need. Called by legacy.ts. What is gone already counts as done.

import type { LegacyObject } from '../infra/legacy-kinds.ts';
import type { LegacyPlan } from '../infra/legacy-plan.ts';
import { nameOf } from '../infra/wanted.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { ProvisionProblem } from './ensure.ts';
import type { InfraPorts } from './ports.ts';

type Hands = Pick<InfraPorts, 'kube' | 'log'>;

export async function performLegacy(ports: Hands, plan: LegacyPlan): Promise<ProvisionProblem | undefined> {
  for (const each of plan.handOver) {
    // With the resourceVersion that it was read with: an edit meanwhile is a conflict, and the next look sees it.
    const answer = await ports.kube.replace(each.of, each.object);
    if (!answer.ok && answer.problem.kind !== 'notFound') return problemWith(each, answer.problem);
    ports.log.info({ step: 'legacy', object: nameOf(each) }, 'handed over');
  }
  for (const each of plan.remove) {
    const { uid } = each.object.metadata;
    const answer = await ports.kube.delete(each.of, each.object.metadata, uid === undefined ? {} : { uid });
    if (!answer.ok && answer.problem.kind !== 'notFound') return problemWith(each, answer.problem);
    ports.log.info({ step: 'legacy', object: nameOf(each) }, 'removed');
  }
  return undefined;
}

function problemWith(each: LegacyObject, kube: KubeProblem): ProvisionProblem {
  return { step: 'legacy', object: nameOf(each), kube };
}
