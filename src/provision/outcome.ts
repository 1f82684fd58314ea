// What a refused read or write means for a reconcile of the infra half. Called by every reconciler of this folder after it has reported the trouble.

import { afterProblem } from '../apply/outcome.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Outcome } from '../queue/work-queue.ts';

/** Somebody else undoes what we do: a minute apart, the two of us do no harm. */
const contestedMs = 60_000;

/** Everything else is tried again with a growing back-off: a right that is granted, or an admission policy that changes, is no event to us. */
export function afterTrouble(problem: KubeProblem, now: number): Outcome {
  return problem.kind === 'contested' ? { kind: 'revisit', at: now + contestedMs } : afterProblem(problem, now);
}
