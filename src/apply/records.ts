// Presents the TXT records of an order's DNS-01 proofs. Called by prove.ts, inside looks: DNS is slow. check-records.ts looks for them afterwards,
// order-cleanup.ts removes them.

import { annotations, finalizers } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { orders } from '../api/resources.ts';
import type { DnsProblem } from '../dns/problem.ts';
import type { DnsProvider } from '../dns/provider.ts';
import { keyOf } from '../kube/store.ts';
import type { OrderFact, Proof } from '../order/state.ts';
import type { OrderTurn } from './order-turn.ts';
import {
  type KeptRecord,
  keptRecords,
  type PresentedRecord,
  presentedRecord,
  recordKey,
  spellRecords,
  withRecords,
} from './record-notes.ts';
import { dnsSolver, planRecord, stuck, type Unreachable, type Wish, wishFor } from './record-plan.ts';
import { solverProviders } from './solver-provider.ts';

const done: OrderFact = { kind: 'done' };

/** Before an order is made: whether a zone holds each name, and its provider can be used. Nothing is written. */
export async function foreseeRecords(
  turn: OrderTurn,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Unreachable | undefined> {
  const providerFor = solverProviders(turn.ports, turn.order);
  const met = await Promise.all(
    names.map(async (name) => {
      const solver = dnsSolver(turn, name)?.dns01;
      // Its way was there a moment ago; what has become of it is told when the order is looked at next.
      if (solver === undefined) return undefined;
      const planned = await planRecord(turn, { name, keyAuthorization: '', solver }, signal);
      if (!planned.ok) return stuck(turn, planned.problem, 'DNSLookupFailed');
      const provider = await providerFor(solver);
      return provider.ok ? undefined : stuck(turn, provider.problem, 'PresentError');
    }),
  );
  return met.find((each) => each !== undefined);
}

/** Every record is durable in the Order, which our finalizer holds, before the first one is presented. What stands already is not asked for again. */
export async function presentRecords(
  turn: OrderTurn,
  proofs: readonly Proof[],
  thumbprint: string,
  signal: AbortSignal,
): Promise<OrderFact> {
  const current = newest(turn);
  if ('kind' in current) return current;
  const planned: KeptRecord[] = [];
  const plans = await Promise.all(proofs.map((proof) => plan(current, wishFor(current, proof, thumbprint), signal)));
  for (const each of plans) {
    if ('kind' in each) return each;
    planned.push(each);
  }
  const held = await hold(current, planned);
  if (held !== undefined) return held;
  // One after the other: some providers read and rewrite all values of a name, as of a wildcard and its apex.
  const providerFor = solverProviders(turn.ports, current.order);
  for (const kept of planned) {
    const failed = await presentOne(current, kept, providerFor, signal);
    if (failed !== undefined) return failed;
  }
  return done;
}

/** The turn with the Order as it is now: the look may have waited for its slot. Nothing is presented for an Order that is going. */
function newest(turn: OrderTurn): OrderTurn | Unreachable {
  const order = turn.ports.stores.orders.get(keyOf(turn.order));
  const isSame = order?.metadata.uid === turn.order.metadata.uid;
  if (order !== undefined && isSame && order.metadata.deletionTimestamp === undefined) return { ...turn, order };
  return { kind: 'unreachable', reason: 'PresentError', message: 'The Order is being deleted.' };
}

async function plan(turn: OrderTurn, wish: Wish | Unreachable, signal: AbortSignal): Promise<KeptRecord | Unreachable> {
  if ('kind' in wish) return wish;
  const record = await planRecord(turn, wish, signal);
  return record.ok ? record.value : stuck(turn, record.problem, 'DNSLookupFailed');
}

/** Writes what is about to be presented into the Order, with the finalizer. */
async function hold({ ports, order }: OrderTurn, planned: readonly KeptRecord[]): Promise<Unreachable | undefined> {
  const text = spellRecords(withRecords(order, planned));
  const { annotations: noted = {}, finalizers: marks = [] } = order.metadata;
  if (noted[annotations.records] === text && marks.includes(finalizers.records)) return undefined;
  const metadata = {
    ...order.metadata,
    annotations: { ...noted, [annotations.records]: text },
    finalizers: [...new Set([...marks, finalizers.records])],
  };
  const reply = await ports.kube.replace(orders, { ...order, metadata });
  if (reply.ok) {
    ports.stores.orders.note(reply.value);
    const known = new Set(keptRecords(order).map((each) => recordKey(order, each)));
    for (const key of planned.map((each) => recordKey(order, each)))
      if (!known.has(key)) ports.records.set(key, { kind: 'planned' });
    return undefined;
  }
  const message = 'The Order cannot be marked with the records that it needs; trying again.';
  return { kind: 'unreachable', reason: 'PresentError', message };
}

async function presentOne(
  turn: OrderTurn,
  kept: KeptRecord,
  providerFor: ReturnType<typeof solverProviders>,
  signal: AbortSignal,
): Promise<Unreachable | undefined> {
  const { ports, order } = turn;
  const key = recordKey(order, kept);
  const standing = presentedRecord(ports.records, key);
  if (standing !== undefined && standing.doubted !== true) return undefined;
  if (!ports.dns.mayChange())
    return { kind: 'unreachable', reason: 'PresentError', message: 'Another replica leads now.' };
  const provider = await providerFor(kept.solver);
  const tried = provider.ok ? await attempt(provider.value, kept, standing, ports.now(), signal) : provider;
  if (tried.ok) {
    ports.records.set(key, tried.value);
    return undefined;
  }
  if (standing !== undefined) {
    // It was presented before: whether it stands is for the nameservers to say, not for a provider that is down now.
    ports.records.set(key, { ...standing, failure: tried.problem.message });
    return undefined;
  }
  // What was asked for may have happened.
  if (tried.problem.kind === 'network' || tried.problem.kind === 'unavailable') ports.records.delete(key);
  return stuck(turn, tried.problem, 'PresentError');
}

async function attempt(
  provider: DnsProvider,
  { record }: KeptRecord,
  standing: PresentedRecord | undefined,
  now: number,
  signal: AbortSignal,
): Promise<Reply<PresentedRecord, DnsProblem>> {
  const reply = await provider.present(record, signal);
  if (!reply.ok) return reply;
  return { ok: true, value: { kind: 'presented', provider, note: reply.value, at: standing?.at ?? now } };
}
