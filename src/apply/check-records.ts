// Whether a CA that asks any nameserver of the zone finds the TXT records that were presented. Called by prove.ts, inside looks, before the CA is told.

import type { Reply } from '../api/reply.ts';
import { challengeName, challengeValue } from '../dns/names.ts';
import type { DnsProblem } from '../dns/problem.ts';
import { lookForRecord } from '../dns/propagation.ts';
import { viewFor } from '../dns/view.ts';
import type { OrderFact, Proof } from '../order/state.ts';
import { parseGoDuration } from '../pki/renewal.ts';
import { longestDelayMs } from '../solve/path.ts';
import type { OrderTurn } from './order-turn.ts';
import { type PresentedRecord, presentedRecord, recordKey } from './record-notes.ts';
import { dnsSolver, keptFor, laterBy, stuck, type Wish, wishFor } from './record-plan.ts';

const done: OrderFact = { kind: 'done' };

/** The first name whose record is not everywhere decides; the others are looked at side by side all the same, for their Challenges. */
export async function checkRecords(
  turn: OrderTurn,
  proofs: readonly Proof[],
  thumbprint: string,
  signal: AbortSignal,
): Promise<OrderFact> {
  const order = turn.ports.stores.orders.get(`${turn.order.metadata.namespace}/${turn.order.metadata.name}`);
  const current = { ...turn, order: order ?? turn.order };
  const seen = await Promise.all(
    proofs.map(async (proof) => {
      const wish = wishFor(current, proof, thumbprint);
      return 'kind' in wish ? wish : checkOne(current, wish, signal);
    }),
  );
  return seen.find(({ kind }) => kind !== 'done') ?? done;
}

async function checkOne(turn: OrderTurn, wish: Wish, signal: AbortSignal): Promise<OrderFact> {
  const { ports, order } = turn;
  const kept = keptFor(turn, wish);
  const key = kept === undefined ? '' : recordKey(order, kept);
  const presented = presentedRecord(ports.records, key);
  // Planned anew, or presented by a process that is gone: it is presented first.
  if (presented === undefined) return lacking(turn, 'The TXT record has not been presented yet.', undefined);
  const seen = delayed(turn, wish, presented) ?? (await lookAt(turn, wish, presented, signal));
  // Cleaned up meanwhile: its order was deleted.
  if (!ports.records.has(key)) return seen.fact;
  const { lack: _, doubted: __, failure, ...rest } = presented;
  if (seen.fact.kind !== 'unreachable') {
    ports.records.set(key, rest);
    return seen.fact;
  }
  const message = failure === undefined ? seen.fact.message : `${seen.fact.message} ${failure}`;
  ports.records.set(key, { ...rest, lack: message, ...(seen.isMissing === true && { doubted: true }) });
  return { ...seen.fact, message };
}

interface Seen {
  readonly fact: OrderFact;
  /** A nameserver has answered without the record. */
  readonly isMissing?: true;
}

/** A CA passes over nameservers that are silent for it too, but they may only be slow to wake. */
const silenceMs = 30_000;
/** To find out costs five seconds each time. */
const silentMs = { first: 6_000, most: 30_000 };

async function lookAt(turn: OrderTurn, wish: Wish, presented: PresentedRecord, signal: AbortSignal): Promise<Seen> {
  const { provider, note, at } = presented;
  const settled = await provider.settled(note, signal);
  if (!settled.ok) return { fact: stuck(turn, settled.problem, 'PresentError') };
  if (settled.value === 'not yet') {
    const message = `The DNS provider has not brought the record of ${wish.name} to its servers yet.`;
    return { fact: lacking(turn, message, at) };
  }
  const seen = await find(turn, wish, signal);
  if (!seen.ok) return { fact: stuck(turn, seen.problem, 'DNSLookupFailed') };
  switch (seen.value.kind) {
    case 'everywhere':
      return { fact: done };
    case 'lacking':
      return { fact: lacking(turn, seen.value.message, at), isMissing: true };
    case 'silent': {
      const patient = at + silenceMs;
      if (patient <= turn.ports.now()) return { fact: done };
      const until = Math.min(laterBy(turn, silentMs), patient);
      return { fact: { ...lacking(turn, seen.value.message, at), until } };
    }
    default:
      return seen.value satisfies never;
  }
}

async function find(turn: OrderTurn, { name, keyAuthorization, solver }: Wish, signal: AbortSignal) {
  const view = viewFor(solver, turn.ports.dns.view);
  if (!view.ok) return view satisfies Reply<never, DnsProblem>;
  return lookForRecord(view.value, { name: challengeName(name), value: challengeValue(keyAuthorization) }, signal);
}

/** cert-manager 1.21's waitInsteadOfSelfCheck. */
function delayed(turn: OrderTurn, { name }: Wish, { at }: PresentedRecord): Seen | undefined {
  const text = dnsSolver(turn, name)?.waitInsteadOfSelfCheck;
  const delayMs = text === undefined ? undefined : parseGoDuration(text);
  if (delayMs === undefined) return undefined;
  const until = at + Math.min(delayMs, longestDelayMs);
  if (until <= turn.ports.now()) return { fact: done };
  const message = 'The issuer’s solver asks for a delay instead of a self-check (waitInsteadOfSelfCheck).';
  return { fact: { kind: 'unreachable', reason: 'WaitInsteadOfSelfCheck', message, until } };
}

/** Secondaries of a zone take seconds to minutes; what takes longer has stopped, and waits for a person. */
const freshMs = { first: 100, most: 30_000 };
const staleMs = { first: 100, most: 300_000 };
const staleAfterMs = 600_000;

function lacking(turn: OrderTurn, message: string, since: number | undefined) {
  const isStale = since !== undefined && turn.ports.now() - since > staleAfterMs;
  const until = laterBy(turn, isStale ? staleMs : freshMs);
  return { kind: 'unreachable', reason: 'NotPropagated', message, until } as const;
}
