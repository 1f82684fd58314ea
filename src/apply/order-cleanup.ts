// Removes the TXT records of orders that are over, or are being deleted: the one thing of an order that outlives the cluster's own garbage collection.
// A queue of its own, so that a DNS provider that is down never holds back a certificate. Called by the work queue in main.ts.

import { annotations, finalizers } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { orders } from '../api/resources.ts';
import type { DnsProblem } from '../dns/problem.ts';
import { refOf } from '../plan/object-ref.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { isUnfinished } from './order-object.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import { type KeptRecord, keptRecords } from './record-notes.ts';
import { solverProvider } from './solver-provider.ts';

/** A namespace that is being deleted takes its credentials along; it must not hang for ever on a record that nobody can remove any more. */
const patienceMs = 600_000;
const longestLookMs = 30_000;

/** Whether its records may go: nothing will be validated with them any more. */
export function isOver(order: Order): boolean {
  const isMarked = order.metadata.finalizers?.includes(finalizers.records) === true;
  return isMarked && (order.metadata.deletionTimestamp !== undefined || !isUnfinished(order));
}

/** The reconcile function for keys "namespace/name" of Orders. */
export function orderCleanup(ports: Ports): (key: string) => Promise<Outcome> {
  return async (key) => {
    const order = ports.stores.orders.get(key);
    if (order === undefined || !isOver(order)) return { kind: 'settled' };
    if (ports.presenting.has(order.metadata.uid ?? '')) return { kind: 'revisit', at: ports.now() + 500 };
    for (const kept of keptRecords(order)) {
      const problem = await remove(ports, order, kept);
      if (problem === undefined) continue;
      const isLost = mayLeave(order, problem, ports.now());
      const { name } = kept;
      const where = `the TXT record ${kept.record.fqdn} in zone ${kept.record.zone}`;
      ports.log.warn({ order: key, name, problem, left: isLost }, 'clean-up of a TXT record failed');
      const message = isLost
        ? `Gave up removing ${where}, remove it by hand: ${problem.message}`
        : `Cannot remove ${where} yet: ${problem.message}`;
      await ports.recorder.say({ about: refOf(order), type: 'Warning', reason: 'CleanUpError', message });
      if (!isLost) return { kind: 'retry', why: problem.message };
    }
    return release(ports, order);
  };
}

async function remove(ports: Ports, order: Order, kept: KeptRecord): Promise<DnsProblem | undefined> {
  const provider = await solverProvider(ports, order, kept.solver);
  if (!provider.ok) return provider.problem;
  const gone = await provider.value.cleanUp(kept.record, kept.note, AbortSignal.timeout(longestLookMs));
  return gone.ok ? undefined : gone.problem;
}

function mayLeave(order: Order, problem: DnsProblem, now: number): boolean {
  const since = order.metadata.deletionTimestamp;
  const isHopeless = problem.kind === 'misconfigured' || problem.kind === 'refused';
  return since !== undefined && isHopeless && now - Date.parse(since) > patienceMs;
}

async function release(ports: Ports, order: Order): Promise<Outcome> {
  const { [annotations.records]: _, ...noted } = order.metadata.annotations ?? {};
  const marks = (order.metadata.finalizers ?? []).filter((each) => each !== finalizers.records);
  const metadata = { ...order.metadata, annotations: noted, finalizers: marks };
  const reply = await ports.kube.replace(orders, { ...order, metadata });
  if (!reply.ok)
    return reply.problem.kind === 'notFound' ? { kind: 'settled' } : afterProblem(reply.problem, ports.now());
  if (order.metadata.deletionTimestamp === undefined) ports.stores.orders.note(reply.value);
  return { kind: 'settled' };
}
