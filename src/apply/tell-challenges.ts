// Keeps the Challenge objects of an order in step with what it waits for. Called by order-writes.ts when a wait is worth telling; withdraw.ts deletes
// the last ones.

import type { Challenge } from '../api/challenge.ts';
import { challenges } from '../api/resources.ts';
import { keyOf } from '../kube/store.ts';
import { insideOf } from '../order/rehearsal.ts';
import type { Proof } from '../order/state.ts';
import { challengesFor, mirrors, type Progress, saysSame } from '../plan/challenges.ts';
import type { OrderTurn } from './order-turn.ts';
import { type Done, onward, stopped } from './perform.ts';
import { presentedRecord, recordKey } from './record-notes.ts';
import { keptFor, nameOf, wishFor } from './record-plan.ts';
import { wayTo } from './way.ts';
import { forgetChallenges } from './withdraw.ts';

export async function tellChallenges(turn: OrderTurn, thumbprint: string): Promise<Done> {
  const { ports, order, attempt, request, issuer } = turn;
  if (attempt.order === undefined) return onward;
  const wanted = challengesFor({
    order,
    state: attempt.order.kind === 'rehearsing' ? insideOf(attempt.order) : attempt.order,
    thumbprint,
    solverOf: (proof) => {
      const way = wayTo(ports, request, issuer, nameOf(proof), [proof.type]);
      return 'refusal' in way ? undefined : way.solver;
    },
    progressOf: (proof) => progressOf(turn, proof, thumbprint),
  });
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const standing = ports.stores.challenges.by('owner', order.metadata.uid ?? '').map(({ metadata }) => metadata.name);
  const forgotten = await forgetChallenges(
    turn,
    standing.filter((name) => !names.has(name)),
  );
  if (forgotten.kind === 'stop') return forgotten;
  for (const challenge of wanted) {
    const told = await tell(turn, challenge);
    if (told.kind === 'stop') return told;
  }
  return onward;
}

/** DNS-01 is looked at name by name; what HTTP-01 met stands in the wait alone. */
function progressOf(turn: OrderTurn, proof: Proof, thumbprint: string): Progress {
  const wish = proof.type === 'dns-01' ? wishFor(turn, proof, thumbprint) : undefined;
  const kept = wish === undefined || 'kind' in wish ? undefined : keptFor(turn, wish);
  const presented = kept === undefined ? undefined : presentedRecord(turn.ports.records, recordKey(turn.order, kept));
  if (presented === undefined) return { kind: 'open' };
  const { lack } = presented;
  return lack === undefined ? { kind: 'settled' } : { kind: 'open', reason: lack };
}

async function tell(turn: OrderTurn, wanted: Challenge): Promise<Done> {
  const { kube, stores } = turn.ports;
  let object = stores.challenges.get(keyOf(wanted));
  if (object !== undefined && !mirrors(object, wanted)) {
    const gone = await forgetChallenges(turn, [object.metadata.name]);
    if (gone.kind === 'stop') return gone;
    object = undefined;
  }
  if (object === undefined) {
    const { status: _, ...spec } = wanted;
    const made = await kube.create(challenges, spec);
    // One that its watch has not told yet: the next telling finds it.
    if (!made.ok)
      return made.problem.kind === 'alreadyExists' ? onward : stopped(turn, 'create Challenge', made.problem);
    object = made.value;
    stores.challenges.note(object);
  }
  const { status } = wanted;
  if (status === undefined || saysSame(object, wanted)) return onward;
  const told = await kube.replaceStatus(challenges, { ...object, status });
  if (!told.ok) return stopped(turn, 'write Challenge status', told.problem);
  stores.challenges.note(told.value);
  return onward;
}
