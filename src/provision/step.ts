// One step of the reconcile as its caller sees it: gone through, waiting for an event, or held back by troubles; and how a list of wanted objects is
// made to stand. Called by infra.ts, system.ts, classes.ts and certificates.ts.

import type { Wanted } from '../infra/wanted.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type EnsurePorts, ensure, type ProvisionProblem, type Step } from './ensure.ts';
import { afterTrouble } from './outcome.ts';
import type { Trouble } from './status.ts';

export type StepResult =
  /** `at`: when to look again, epoch ms, where time alone changes something. */
  | { readonly kind: 'done'; readonly at?: number }
  /** An event, or the instant, ends it. A whole sentence. */
  | { readonly kind: 'waits'; readonly why: string; readonly at?: number }
  | { readonly kind: 'held'; readonly troubles: readonly Trouble[] };

/** In the order given; what follows a refused one is left, as it may build on it. */
export async function ensureAll(
  ports: EnsurePorts,
  wanted: readonly Wanted[],
  step: Step,
): Promise<ProvisionProblem | undefined> {
  for (const each of wanted) {
    const stands = await ensure(ports, each, step);
    if (!stands.ok) return stands.problem;
  }
  return undefined;
}

/** What is refused for what the spec asks for waits for an edit, which is an event; what the API server refuses is tried again. */
export function outcomeOf(results: readonly StepResult[], now: number): Outcome {
  const troubles = results.flatMap((each) => (each.kind === 'held' ? each.troubles : []));
  for (const each of troubles) if ('kube' in each) return afterTrouble(each.kube, now);
  const instants = results.flatMap((each) => (each.kind === 'held' || each.at === undefined ? [] : [each.at]));
  return instants.length === 0 ? { kind: 'settled' } : { kind: 'revisit', at: Math.min(...instants) };
}
