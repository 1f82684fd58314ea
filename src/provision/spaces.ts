// One reconcile of one namespace: what it hosts decides what it is given, or how it is left. Called by the queue of namespaces in main-infra.ts; one
// namespace's change touches its own objects alone, and the empty key stands for what none of them owns.

import type { GatewayInfra, InfraNamespace } from '../api/gateway-infra.ts';
import { isHosting } from '../infra/hosting.ts';
import { lineOf, planSpace, type SpaceSeen } from '../infra/space-plan.ts';
import type { Outcome } from '../queue/work-queue.ts';
import type { ProvisionProblem } from './ensure.ts';
import { afterTrouble } from './outcome.ts';
import type { InfraPorts } from './ports.ts';
import type { PullSecrets } from './pull-secrets.ts';
import { leave } from './spaces-leave.ts';
import { isLeft, look } from './spaces-look.ts';
import { type LookForPartner, lookForPartner, type Partner } from './spaces-partner.ts';
import { provide } from './spaces-provide.ts';
import { reconcileShared } from './spaces-shared.ts';
import { infraOf } from './stores.ts';
import { sharedSpace } from './triggers.ts';

export interface SpacePorts extends InfraPorts {
  readonly pull: PullSecrets;
  readonly partner: LookForPartner;
}

/** What a turn came to: the line for the status, what went wrong, and what it waits for. */
export interface Turn {
  readonly line: InfraNamespace | undefined;
  readonly problem?: ProvisionProblem;
  readonly waitsFor?: string;
  /** When nothing tells that the waiting is over. */
  readonly lookAgainAt?: number;
}

/** The reconcile function for keys that are namespaces. */
export function spaceReconciler(
  given: InfraPorts,
  pull: PullSecrets,
  blind: () => readonly unknown[],
): (namespace: string) => Promise<Outcome> {
  const partner = lookForPartner({ ...given, uptime: () => performance.now() });
  const ports: SpacePorts = { ...given, pull, partner };
  return async (namespace) => {
    const infra = infraOf(ports.stores);
    if (infra === undefined || infra.spec.suspend === true) return { kind: 'settled' };
    // What is not seen is not absent; infra.ts tells it, and wakes every namespace when it is seen again.
    if (blind().length > 0) return { kind: 'settled' };
    if (namespace === sharedSpace) return reconcileShared(ports, infra);
    const seen: Partner = isLeft(ports, infra, namespace) ? await ports.partner() : { kind: 'atWork' };
    const turn = await take(ports, look(ports, infra, namespace, seen), seen);
    return told(ports, infra, namespace, turn);
  };
}

async function take(ports: SpacePorts, seen: SpaceSeen, partner: Partner): Promise<Turn> {
  const { namespace, host } = seen;
  const plan = planSpace(seen);
  // The garbage collector may have been before us: a subject without its account would be anybody's who makes one of that name.
  const isNamed = [...seen.subjects].some((each) => each.startsWith(`${namespace}/`));
  if (isNamed && plan.kind !== 'provision') ports.wake.space(sharedSpace);
  switch (plan.kind) {
    case 'none':
      ports.pull.release(namespace);
      return { line: undefined };
    case 'reserved':
      return { line: lineOf(namespace, host, 'Reserved', [plan.why]) };
    case 'provision':
      return provide(ports, seen, plan);
    case 'drain': {
      const left = await leave(ports, namespace, plan.steps);
      switch (left.kind) {
        case 'done':
          ports.pull.release(namespace);
          // Whoever waits for the last of them, or shows what Envoy Gateway may read.
          ports.wake.infra();
          // Reserved while it hosts: its line comes next.
          if (isHosting(host)) ports.wake.space(namespace);
          return { line: undefined };
        case 'again':
          return { line: lineOf(namespace, host, 'Draining'), lookAgainAt: ports.now() };
        case 'waits': {
          const line = lineOf(namespace, host, 'Draining', [left.why]);
          const doubt = partner.kind === 'doubtful' ? { lookAgainAt: ports.now() + partner.lookAgainMs } : {};
          return { line, waitsFor: left.why, ...doubt };
        }
        case 'failed': {
          const why = `${left.problem.object}: ${left.problem.kube.message}`;
          return { line: lineOf(namespace, host, 'Draining', [why]), problem: left.problem };
        }
        default:
          return left satisfies never;
      }
    }
    default:
      return plan satisfies never;
  }
}

/** A namespace without a line is behind no generation that is still to come. */
const forEver = Number.POSITIVE_INFINITY;

function told(ports: SpacePorts, infra: GatewayInfra, namespace: string, turn: Turn): Outcome {
  const { line, problem, waitsFor, lookAgainAt } = turn;
  const { status, now } = ports;
  const generation = line === undefined ? forEver : (infra.metadata.generation ?? 0);
  status.namespace(namespace, line);
  status.trouble('namespace', problem === undefined ? [] : [problem], namespace);
  status.progress('namespace', { generation, ...(waitsFor !== undefined && { waitsFor }) }, namespace);
  if (problem !== undefined) return afterTrouble(problem.kube, now());
  return lookAgainAt === undefined ? { kind: 'settled' } : { kind: 'revisit', at: lookAgainAt };
}
