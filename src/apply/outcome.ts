// What a problem with the API server means for a reconcile: wait for an event, come back at a moment, or back off.

import type { KubeProblem } from '../kube/problem.ts';
import type { Outcome } from '../queue/work-queue.ts';

/** The reconcile's answer to a refused read or write; the caller has logged what it was doing. */
export function afterProblem(problem: KubeProblem, now: number): Outcome {
  switch (problem.kind) {
    case 'contested':
      return { kind: 'settled' };
    case 'throttled':
      return { kind: 'revisit', at: now + problem.retryAfterMs };
    case 'conflict':
    case 'alreadyExists':
    case 'notFound':
    case 'gone':
    case 'forbidden':
    case 'unauthorized':
    case 'invalid':
    case 'unavailable':
    // Who is late by a moment with the renewal of its claim may write again without any event that says so; who has lost it ends.
    case 'notLeader':
      return { kind: 'retry', why: `${problem.kind}: ${problem.message}` };
    default:
      return problem satisfies never;
  }
}
