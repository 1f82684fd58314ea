// What every action of a reconcile works with, and how it ends: go on planning, or stop with an outcome. Called by every perform-*.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { CertificateSeen } from '../plan/seen.ts';
import type { Outcome } from '../queue/work-queue.ts';
import type { Attempt } from './attempt.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';

/** One object's reconcile, as far as a refused write concerns it. */
export interface Task {
  readonly ports: Ports;
  readonly about: KubeObject;
  readonly attempt: Pick<Attempt, 'forbidden' | 'refusal'>;
}

export interface Turn extends Task {
  readonly certificate: Certificate;
  readonly seen: CertificateSeen;
  readonly attempt: Attempt;
}

export type Done = { readonly kind: 'onward' } | { readonly kind: 'stop'; readonly outcome: Outcome };

export const onward: Done = { kind: 'onward' };

/** The authorizer learns of a RoleBinding a little later than our watch does. */
const grantLagMs = 15_000;

/** What a refused write means: told in the status where somebody must act or it may pass, else tried again or left to the next event. */
export function stopped(task: Task, what: string, problem: KubeProblem): Done {
  const { ports, about, attempt } = task;
  const { namespace = '', name, generation } = about.metadata;
  const now = ports.now();
  // A conflict means that a newer object is on its way through the watch; it is not worth a line.
  if (problem.kind !== 'conflict') ports.log.warn({ namespace, name, what, problem }, 'the API server refused');
  if (isTerminating(problem)) return { kind: 'stop', outcome: { kind: 'settled' } };
  if (lacksRight(problem) && what.endsWith('Secret')) {
    // A state, not a failure: it is left when a right is granted in the namespace.
    const isFresh = now - ports.secrets.grantedAt(namespace) < grantLagMs;
    if (isFresh) return { kind: 'stop', outcome: { kind: 'retry', why: problem.message } };
    attempt.forbidden = { message: problem.message, since: now };
    return onward;
  }
  const mayPass = problem.kind === 'forbidden' || problem.kind === 'invalid' || problem.kind === 'notFound';
  if (!mayPass || what === statusWrite) return { kind: 'stop', outcome: afterProblem(problem, now) };
  const count = (attempt.refusal?.count ?? 0) + 1;
  const until = now + Math.min(longestRefusalMs, 15_000 * 2 ** Math.min(count - 1, 6));
  attempt.refusal = { message: `The API server refuses to ${what}: ${problem.message}`, until, count, generation };
  return onward;
}

/** The write by which refusals are told; its own refusal cannot be. */
export const statusWrite = 'write Certificate status';
const longestRefusalMs = 600_000;

/** The words of the RBAC authorizer; quota and admission refuse with the same status, and no grant helps against them. */
function lacksRight(problem: KubeProblem): boolean {
  return problem.kind === 'forbidden' && /\bcannot \w+ resource\b/.test(problem.message);
}

function isTerminating(problem: KubeProblem): boolean {
  return problem.kind === 'forbidden' && problem.message.includes('because it is being terminated');
}

/** Notes the answer of a good write in its cache and goes on, else stops. */
export async function write<T>(
  task: Task,
  what: string,
  reply: Promise<Reply<T, KubeProblem>>,
  note: (value: T) => void,
): Promise<Done> {
  const answer = await reply;
  if (!answer.ok) return stopped(task, what, answer.problem);
  note(answer.value);
  return onward;
}
