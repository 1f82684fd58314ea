// Keeps the Challenge objects of an order in step with its open proofs. Called by order-writes.ts when a wait is worth telling; withdraw.ts deletes them.

import type { Challenge } from '../api/challenge.ts';
import { challenges } from '../api/resources.ts';
import { challengesFor } from '../plan/challenges.ts';
import type { OrderTurn } from './order-turn.ts';
import { type Done, onward, stopped } from './perform.ts';
import { wayTo } from './way.ts';

export async function tellChallenges(turn: OrderTurn, thumbprint: string): Promise<Done> {
  const { ports, order, attempt, request, issuer } = turn;
  if (attempt.order === undefined) return onward;
  const wanted = challengesFor({
    order,
    state: attempt.order,
    thumbprint,
    solverOf: ({ type, host, wildcard }) => {
      const way = wayTo(ports, request, issuer, wildcard ? `*.${host}` : host, [type]);
      return 'refusal' in way ? undefined : way.solver;
    },
  });
  for (const { status, ...spec } of wanted) {
    const challenge: Challenge = spec;
    const key = `${challenge.metadata.namespace}/${challenge.metadata.name}`;
    const known = ports.stores.challenges.get(key);
    const made = known === undefined ? await ports.kube.create(challenges, challenge) : undefined;
    if (made?.ok === false && made.problem.kind !== 'alreadyExists')
      return stopped(turn, 'create Challenge', made.problem);
    const object = made?.ok === true ? made.value : known;
    if (object === undefined || status === undefined || object.status?.reason === status.reason) continue;
    const told = await ports.kube.replaceStatus(challenges, { ...object, status });
    if (!told.ok) return stopped(turn, 'write Challenge status', told.problem);
    ports.stores.challenges.note(told.value);
  }
  return onward;
}
