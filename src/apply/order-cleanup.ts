// Removes the TXT records of orders that are over, or are being deleted: the one thing of an order that outlives the cluster's own garbage collection.
// A queue of its own, so that a DNS provider that is down never holds back a certificate. Called by the work queue in main.ts.

import { annotations, finalizers } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { apiVersion, namespaces, orders } from '../api/resources.ts';
import { bare } from '../dns/names.ts';
import type { DnsProblem } from '../dns/problem.ts';
import type { DnsProvider } from '../dns/provider.ts';
import { refOf } from '../plan/object-ref.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { isUnfinished } from './order-object.ts';
import { standingOf } from './order-standing.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import { longestRemovalMs } from './record-limits.ts';
import { type KeptRecord, keptRecords, presentedRecord, recordKey } from './record-notes.ts';
import { solverProvider } from './solver-provider.ts';
import { withdraw } from './withdraw.ts';

/** Between looks for credentials that may come back, while somebody waits for the Order to go. */
const pauseMs = 30_000;
/** How much longer than for credentials is waited for a provider that does not answer. */
const outageFactor = 6;

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
    if (!ports.dns.mayChange()) return { kind: 'retry', why: 'this process does not lead for now' };
    if (order.metadata.deletionTimestamp !== undefined) {
      // Held by our finalizer, it would keep up what the garbage collector takes down with it otherwise.
      const done = await withdraw({ ports, about: order, attempt: {} }, standingOf(ports.stores, order));
      if (done.kind === 'stop') return done.outcome;
    }
    const left: Left[] = [];
    for (const kept of keptRecords(order)) {
      if (isNeeded(ports, order, kept)) continue;
      const problem = await remove(ports, order, kept);
      if (problem !== undefined) left.push({ kept, problem });
    }
    const until = Math.max(0, ...left.map(({ problem }) => patience(ports, order, problem)));
    const isLost = until <= ports.now();
    for (const each of left) await tell(ports, order, each, isLost ? 'lost' : 'standing');
    return isLost ? release(ports, order) : again(ports, order, left, until);
  };
}

interface Left {
  readonly kept: KeptRecord;
  readonly problem: DnsProblem;
}

/** A CA may hand one pending authorization to two orders, which then prove its name by one value: the last of them removes it. */
function isNeeded({ stores }: Ports, { metadata: { uid } }: Order, { name, record }: KeptRecord): boolean {
  return stores.orders.by('host', name).some((other) => {
    const isAtWork = other.metadata.uid !== uid && !isOver(other);
    const { fqdn, value } = record;
    return isAtWork && keptRecords(other).some((each) => each.record.fqdn === fqdn && each.record.value === value);
  });
}

async function remove(ports: Ports, order: Order, kept: KeptRecord): Promise<DnsProblem | undefined> {
  const key = recordKey(order, kept);
  if (ports.records.get(key)?.kind === 'planned') return undefined;
  const presented = presentedRecord(ports.records, key);
  const cleanUp = async (provider: DnsProvider) => {
    const gone = await provider.cleanUp(kept.record, presented?.note, AbortSignal.timeout(longestRemovalMs));
    return gone.ok ? undefined : gone.problem;
  };
  const provider = await solverProvider(ports, order, kept.solver);
  const problem = provider.ok ? await cleanUp(provider.value) : provider.problem;
  if (problem === undefined || presented === undefined || !isHopeless(problem)) return problem;
  // The Secret has gone with its namespace, or was changed: what presented the record may still remove it.
  return (await cleanUp(presented.provider)) === undefined ? undefined : problem;
}

function isHopeless({ kind }: DnsProblem): boolean {
  return kind === 'misconfigured' || kind === 'refused';
}

/** Until when (epoch ms) the Order is held. A namespace that is being deleted must not hang for ever on a record that nobody can remove. */
function patience({ settings }: Ports, { metadata }: Order, problem: DnsProblem): number {
  if (metadata.deletionTimestamp === undefined) return Number.POSITIVE_INFINITY;
  const factor = isHopeless(problem) ? 1 : outageFactor;
  return Date.parse(metadata.deletionTimestamp) + settings.recordPatienceMs * factor;
}

function again(ports: Ports, { metadata }: Order, left: readonly Left[], until: number): Outcome {
  const limits = left.flatMap(({ problem }) => (problem.kind === 'rateLimited' ? [problem.retryAt] : []));
  if (limits.length > 0) return { kind: 'revisit', at: Math.min(until, Math.max(...limits)) };
  const isAwaited = metadata.deletionTimestamp !== undefined && left.every(({ problem }) => isHopeless(problem));
  if (isAwaited) return { kind: 'revisit', at: Math.min(until, ports.now() + pauseMs) };
  return { kind: 'retry', why: left[0]?.problem.message ?? '' };
}

/** Nothing can be said in a namespace that is being deleted, but about it. */
async function tell(ports: Ports, order: Order, { kept, problem }: Left, as: 'lost' | 'standing'): Promise<void> {
  const { namespace = '', name } = order.metadata;
  const { record } = kept;
  const where = `the TXT record ${bare(record.fqdn)} in zone ${bare(record.zone)} (value ${record.value})`;
  ports.log.warn({ namespace, order: name, name: kept.name, problem, as }, 'clean-up of a TXT record failed');
  const home = ports.stores.namespaces.get(namespace);
  const about = home?.metadata.deletionTimestamp === undefined ? refOf(order) : refOf({ ...home, ...namespaceKind });
  const message =
    as === 'lost'
      ? `Gave up removing ${where}; remove it by hand. ${problem.message}`
      : `Cannot remove ${where} yet. ${problem.message}`;
  await ports.recorder.say({ about, type: 'Warning', reason: 'CleanUpError', message });
}

const namespaceKind = { apiVersion: apiVersion(namespaces), kind: namespaces.kind };

async function release(ports: Ports, order: Order): Promise<Outcome> {
  const { [annotations.records]: _, ...noted } = order.metadata.annotations ?? {};
  const marks = (order.metadata.finalizers ?? []).filter((each) => each !== finalizers.records);
  const metadata = { ...order.metadata, annotations: noted, finalizers: marks };
  const reply = await ports.kube.replace(orders, { ...order, metadata });
  if (!reply.ok && reply.problem.kind !== 'notFound') return afterProblem(reply.problem, ports.now());
  for (const kept of keptRecords(order)) ports.records.delete(recordKey(order, kept));
  if (reply.ok && order.metadata.deletionTimestamp === undefined) ports.stores.orders.note(reply.value);
  return { kind: 'settled' };
}
