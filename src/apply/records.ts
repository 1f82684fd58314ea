// Presents the TXT records of an order's DNS-01 proofs and looks whether all nameservers have them. Called by prove.ts, inside looks: DNS is slow.

import { annotations, finalizers } from '../api/names.ts';
import { orders } from '../api/resources.ts';
import { challengeName } from '../dns/names.ts';
import type { DnsProblem } from '../dns/problem.ts';
import { lookForRecord } from '../dns/propagation.ts';
import { recordFor } from '../dns/record.ts';
import { viewFor } from '../dns/view.ts';
import type { OrderFact, Proof } from '../order/state.ts';
import type { OrderTurn } from './order-turn.ts';
import { type KeptRecord, keptRecords, spellRecords } from './record-notes.ts';
import { solverProvider } from './solver-provider.ts';
import { wayTo } from './way.ts';

const done: OrderFact = { kind: 'done' };

/** The plan of every record is durable, and the Order held by our finalizer, before the first one is presented. */
export async function presentRecords(
  turn: OrderTurn,
  proofs: readonly Proof[],
  thumbprint: string,
  signal: AbortSignal,
): Promise<OrderFact> {
  const planned: KeptRecord[] = [];
  for (const proof of proofs) {
    const record = await plan(turn, proof, thumbprint, signal);
    if ('kind' in record) return record;
    planned.push(record);
  }
  const held = await hold(turn, planned);
  if (held !== undefined) return held;
  for (const kept of planned) {
    const provider = await solverProvider(turn.ports, turn.order, kept.solver);
    if (!provider.ok) return unreachable(turn, provider.problem);
    const presented = await provider.value.present(kept.record, signal);
    if (!presented.ok) return unreachable(turn, presented.problem);
    turn.attempt.presented = { ...turn.attempt.presented, [kept.name]: presented.value };
  }
  return done;
}

async function plan(
  turn: OrderTurn,
  proof: Proof,
  thumbprint: string,
  signal: AbortSignal,
): Promise<KeptRecord | OrderFact> {
  const name = `${proof.wildcard ? '*.' : ''}${proof.host}`;
  const known = keptRecords(turn.order).find((each) => each.name === name);
  if (known !== undefined) return known;
  const way = wayTo(turn.ports, turn.request, turn.issuer, name, ['dns-01']);
  const solver = 'refusal' in way || way.type !== 'dns-01' ? undefined : way.solver.dns01;
  if (solver === undefined) {
    return {
      kind: 'unreachable',
      reason: 'NoChallengePath',
      message: `No DNS-01 solver of the issuer is for ${name}.`,
    };
  }
  const view = viewFor(solver, turn.ports.dns.view);
  if (!view.ok) return unreachable(turn, view.problem);
  const wish = { dnsName: name, keyAuthorization: `${proof.token}.${thumbprint}`, cnameStrategy: solver.cnameStrategy };
  const record = await recordFor(wish, view.value, signal);
  return record.ok ? { name, record: record.value, solver } : unreachable(turn, record.problem);
}

/** Writes what is about to be presented into the Order, with the finalizer. */
async function hold(turn: OrderTurn, planned: readonly KeptRecord[]): Promise<OrderFact | undefined> {
  const { ports, order } = turn;
  const text = spellRecords(planned);
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
    return undefined;
  }
  const message = 'The Order cannot be marked with the records that it needs; trying again.';
  return { kind: 'unreachable', reason: 'PresentError', message };
}

/** Whether a CA that asks any nameserver of the zone finds every value. */
export async function checkRecords(
  turn: OrderTurn,
  proofs: readonly Proof[],
  thumbprint: string,
  signal: AbortSignal,
): Promise<OrderFact> {
  const looks = proofs.map(async (proof): Promise<OrderFact> => {
    const kept = await plan(turn, proof, thumbprint, signal);
    if ('kind' in kept) return kept;
    const settled = await isSettled(turn, kept, signal);
    if (settled !== undefined) return settled;
    const view = viewFor(kept.solver, turn.ports.dns.view);
    if (!view.ok) return unreachable(turn, view.problem);
    const wanted = { name: challengeName(kept.name), value: kept.record.value };
    const seen = await lookForRecord(view.value, wanted, signal);
    if (!seen.ok) return unreachable(turn, seen.problem);
    if (seen.value.kind !== 'lacking') return done;
    return { kind: 'unreachable', reason: 'NotPropagated', message: seen.value.message, ...next(turn, propagationMs) };
  });
  const seen = await Promise.all(looks);
  return seen.find(({ kind }) => kind !== 'done') ?? done;
}

async function isSettled(turn: OrderTurn, kept: KeptRecord, signal: AbortSignal): Promise<OrderFact | undefined> {
  const note = turn.attempt.presented?.[kept.name];
  if (note === undefined) return undefined;
  const provider = await solverProvider(turn.ports, turn.order, kept.solver);
  if (!provider.ok) return unreachable(turn, provider.problem);
  const settled = await provider.value.settled(note, signal);
  if (!settled.ok) return unreachable(turn, settled.problem);
  if (settled.value === 'yes') return undefined;
  const message = `The DNS provider has not brought the record of ${kept.name} to its servers yet.`;
  return { kind: 'unreachable', reason: 'NotPropagated', message, ...next(turn, propagationMs) };
}

/** Secondaries of one zone take seconds to minutes: look soon, then every half minute. */
const propagationMs = { first: 100, most: 30_000 };
const failureMs = { first: 1_000, most: 600_000 };

function next(turn: OrderTurn, { first, most }: typeof propagationMs): { readonly until: number } {
  const { order } = turn.attempt;
  const tried = order !== undefined && 'wait' in order ? (order.wait?.attempts ?? 0) : 0;
  return { until: turn.ports.now() + Math.min(most, first * 2 ** Math.min(tried, 20)) };
}

function unreachable(turn: OrderTurn, problem: DnsProblem): OrderFact {
  const { message } = problem;
  if (problem.kind === 'rateLimited')
    return { kind: 'unreachable', reason: 'PresentError', message, until: problem.retryAt };
  return { kind: 'unreachable', reason: 'PresentError', message, ...next(turn, failureMs) };
}
