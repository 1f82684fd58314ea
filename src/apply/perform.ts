// What every action of the certificate reconcile works with, and how it ends: go on planning, or stop with an outcome.

import type { Certificate } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { CertificateSeen } from '../plan/seen.ts';
import type { Outcome } from '../queue/work-queue.ts';
import type { Attempt } from './attempt.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';

export interface Turn {
  readonly ports: Ports;
  readonly certificate: Certificate;
  readonly seen: CertificateSeen;
  readonly attempt: Attempt;
}

export type Done = { readonly kind: 'onward' } | { readonly kind: 'stop'; readonly outcome: Outcome };

export const onward: Done = { kind: 'onward' };

/** The authorizer learns of a RoleBinding a little later than our watch does. */
const grantLagMs = 15_000;

/** Ends the reconcile because the API server refused `what`. */
export function stopped(turn: Turn, what: string, problem: KubeProblem): Done {
  if (problem.kind === 'forbidden' && what.endsWith('Secret')) {
    // A state, not a failure: it is told in a condition, and left when a right is granted in the namespace.
    const { ports, certificate, attempt } = turn;
    const now = ports.now();
    const granted = ports.secrets.grantedAt(certificate.metadata.namespace ?? '');
    if (now - granted < grantLagMs) return { kind: 'stop', outcome: { kind: 'retry', why: problem.message } };
    attempt.forbidden = { message: problem.message, since: now };
    return onward;
  }
  const { ports, certificate } = turn;
  const { namespace, name } = certificate.metadata;
  // A conflict means that a newer object is on its way through the watch; it is not worth a line.
  if (problem.kind !== 'conflict') ports.log.warn({ namespace, name, what, problem }, 'the API server refused');
  return { kind: 'stop', outcome: afterProblem(problem, ports.now()) };
}

/** Notes the answer of a good write in its cache and goes on, else stops. */
export async function write<T>(
  turn: Turn,
  what: string,
  reply: Promise<Reply<T, KubeProblem>>,
  note: (value: T) => void,
): Promise<Done> {
  const answer = await reply;
  if (!answer.ok) return stopped(turn, what, answer.problem);
  note(answer.value);
  return onward;
}
