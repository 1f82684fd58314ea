// Everything that issues, behind one door: it runs while this replica leads and Certway is who issues, and none of its writes leaves the
// process otherwise. Made by main.ts; who issues is watched by ownership.ts, and said here in the log and in events.

import type { EventDraft, KubeObject, ObjectRef } from '../api/meta.ts';
import { apiVersion, customResourceDefinitions, leases, type Resource } from '../api/resources.ts';
import { guardedKube } from '../kube/guarded.ts';
import type { LeadershipConfig } from '../kube/leadership.ts';
import type { Session } from '../kube/session.ts';
import { decidingCrd, type OwnershipDecision } from '../plan/ownership.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type Ownership, type OwnershipConfig, type Standing, watchOwnership } from './ownership.ts';
import { issuanceGate, wakeIssuance } from './ownership-gate.ts';
import type { Ports } from './ports.ts';
import type { StampQueues } from './stamp-wakes.ts';

type Reconcile = (key: string) => Promise<Outcome>;

export interface IssuanceOptions {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly config: OwnershipConfig;
  readonly lease: LeadershipConfig;
  readonly ports: Ports;
  readonly queues: StampQueues;
  onBug(error: unknown): void;
}

export interface Issuance extends Pick<Ownership, 'mode' | 'why' | 'mayIssue' | 'rival' | 'lead'>, AsyncDisposable {
  /** A reconciler that runs while Certway issues, made anew with ports whose writes end when that does. */
  through(make: (ports: Ports) => Reconcile): Reconcile;
}

export function startIssuance(options: IssuanceOptions): Issuance {
  const { ports, queues, config } = options;
  const gate = issuanceGate();
  const owner = watchOwnership({
    ...options,
    idle: gate.idle,
    onProblem: (problem) => ports.log.warn({ problem }, "cert-manager's Lease"),
    onChange: (standing) => {
      gate.shut();
      tell(ports, config, standing);
      if (standing.mode !== 'issuing') return;
      gate.open();
      wakeIssuance(ports.stores, queues);
    },
  });
  const guarded: Ports = {
    ...ports,
    kube: guardedKube(ports.kube, () => (owner.mayIssue() ? undefined : 'Certway does not issue here')),
  };
  // We write neither while we leave it: whoever does issues.
  ports.stores.requests.subscribe(({ origin }) => origin === 'watch' && owner.disturbed());
  ports.stores.orders.subscribe(({ origin }) => origin === 'watch' && owner.disturbed());
  return {
    get mode() {
      return owner.mode;
    },
    get why() {
      return owner.why;
    },
    mayIssue: () => owner.mayIssue(),
    rival: () => owner.rival(),
    lead: () => owner.lead(),
    through: (make) => gate.through(() => make(guarded)),
    [Symbol.asyncDispose]: () => owner[Symbol.asyncDispose](),
  };
}

function tell({ log, recorder }: Ports, { lease }: OwnershipConfig, { mode, decision }: Standing): void {
  switch (decision.kind) {
    case 'issue':
      log.info({ mode }, 'Certway issues');
      return;
    case 'seek':
      log.debug({ mode, why: decision.why }, 'Certway does not issue yet');
      return;
    case 'leave':
      log.info({ mode, why: decision.why }, 'Certway does not issue');
      break;
    case 'stop':
      log.error({ mode, why: decision.why }, 'two issuers: Certway has stopped issuing');
      break;
    default:
      decision satisfies never;
  }
  const event = eventOf(decision, lease);
  // Looked for first: a restart that changes nothing says nothing.
  if (event !== undefined) void recorder.say(event, { once: 'look' });
}

function eventOf(decision: OwnershipDecision, lease: OwnershipConfig['lease']): EventDraft | undefined {
  if (decision.kind === 'stop') {
    return { about: ref(leases, decision.holder), type: 'Warning', reason: 'TwoIssuers', message: decision.why };
  }
  if (decision.kind !== 'leave') return undefined;
  const said = { type: 'Normal', reason: 'NotIssuing', message: decision.why } as const;
  if (decision.about === 'crd') return { ...said, about: ref(customResourceDefinitions, { name: decidingCrd }) };
  return decision.about === 'lease' ? { ...said, about: ref(leases, lease) } : undefined;
}

function ref(
  of: Resource<KubeObject>,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): ObjectRef {
  return { apiVersion: apiVersion(of), kind: of.kind, name, ...(namespace !== undefined && { namespace }) };
}
