// Performs what a rehearsal asks for (order/rehearsal.ts): the steps of an order at another directory by the issuer's own paths, and the note on the
// Order that outlives this process. Called by perform-order.ts.

import { deactivateAuthorization } from '../acme/authorization.ts';
import { newOrder } from '../acme/order.ts';
import type { AcmeSession } from '../acme/session.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { orders } from '../api/resources.ts';
import { endOf, hostOf, insideOf } from '../order/rehearsal.ts';
import type { OrderEffect, OrderFact, OrderState, Rehearsing } from '../order/state.ts';
import { step } from '../order/step.ts';
import { doubtsAccount } from '../plan/account-doubt.ts';
import { refOf } from '../plan/object-ref.ts';
import { isRehearsing, isToBeRehearsed, notedRehearsal, type RehearsalNote, rehearsalNote } from '../plan/rehearsal.ts';
import { isEnding, standingBefore } from '../plan/renewal-class.ts';
import { retraced } from '../plan/retrace.ts';
import { apart } from './look.ts';
import { hostsOf, identifiersOf, rehearsedStatus } from './order-object.ts';
import { fact, type OrderTurn, type Performed, stop } from './order-turn.ts';
import { stopped } from './perform.ts';
import { countedThere, forgetAccount, issuerThere, learnAccount, placeFor, sessionThere } from './rehearsal-turn.ts';

type Perform = (turn: OrderTurn, session: AcmeSession, effect: OrderEffect) => Promise<Performed>;

/** What a preflight came to, with where the order is to be rehearsed, if it is. */
export async function rehearsalBehind(turn: OrderTurn, performed: Performed): Promise<Performed> {
  if (performed.kind !== 'fact' || performed.fact.kind !== 'cleared') return performed;
  const place = placeFor(turn.ports, turn.issuer);
  if (place.kind === 'none' || !isNeeded(turn, place.kind === 'at' ? place.directory : '')) {
    return withoutRehearsal(turn, performed);
  }
  if (place.kind === 'unreadable') {
    return fact({ kind: 'unreachable', reason: 'RehearsalUnreadable', message: place.message });
  }
  const { directory } = place;
  const note = notedRehearsal(turn.order);
  const isOpen = note?.state === 'open' && note.directory === directory && note.url !== undefined;
  return fact({ ...performed.fact, rehearse: { directory, ...(isOpen && { url: note.url }) } });
}

/** A rehearsal that nobody wants any more, or that a certificate has no time for, ends where it stands: the order is before its preflight again. */
export function stillRehearsing(turn: OrderTurn, state: OrderState): OrderState {
  if (state.kind !== 'rehearsing' || endOf(state) !== undefined) return state;
  const place = placeFor(turn.ports, turn.issuer);
  const { directory } = state;
  if (place.kind === 'at' && place.directory === directory && isNeeded(turn, directory)) return state;
  turn.ports.budgets.left(countedThere(turn, directory));
  return retraced(state);
}

/** Its own CA hears of it next: an order that still says that it is rehearsed would be taken for one that no CA was asked for. */
async function withoutRehearsal(turn: OrderTurn, performed: Performed): Promise<Performed> {
  if (!isRehearsing(turn.order)) return performed;
  const noted = await note(turn, undefined);
  return 'kind' in noted ? noted : performed;
}

function isNeeded({ ports, order, request, last }: OrderTurn, directory: string): boolean {
  const identifiers = identifiersOf(order).map(({ value }) => value);
  const before = last?.();
  const now = ports.now();
  const since = Date.parse(order.metadata.creationTimestamp ?? '') || now;
  const { urgency } = standingBefore({ identifiers, since, last: before, replaces: 'none' }, now);
  const { namespace, ownerReferences = [] } = request.metadata;
  const owner = ownerReferences.find(({ kind }) => kind === 'Certificate')?.name;
  const { status } = ports.stores.certificates.get(`${namespace}/${owner}`) ?? {};
  const { failedIssuanceAttempts = 0, notBefore = '', notAfter = '' } = status ?? {};
  // Where the last request is gone its certificate is known to nobody else.
  if (isEnding({ notBefore: Date.parse(notBefore), notAfter: Date.parse(notAfter) }, now)) return false;
  const equals = ports.stores.orders.by('host', hostsOf(order)[0] ?? '').filter((each) => isEqual(each, order));
  return isToBeRehearsed({ directory, order, urgency, last: before, failedAttempts: failedIssuanceAttempts, equals });
}

function isEqual(other: Order, order: Order): boolean {
  const issuer = ({ metadata, spec }: Order) => {
    const { kind, name } = fullRef(spec.issuerRef);
    return kind === 'ClusterIssuer' ? [kind, name] : [kind, name, metadata.namespace];
  };
  const asked = (of: Order) => JSON.stringify([issuer(of), identifiersOf(of)]);
  return other.metadata.uid !== order.metadata.uid && asked(other) === asked(order);
}

/** One step there. `perform` does those that are the same at any CA. */
export async function rehearse(
  turn: OrderTurn,
  { directory, effect }: OrderEffect & { readonly kind: 'rehearse' },
  perform: Perform,
): Promise<Performed> {
  const { ports, issuer } = turn;
  const { uid } = turn.order.metadata;
  const session = await sessionThere(ports, issuer, directory);
  if (session === undefined) {
    return apart(turn, `account ${directory} ${uid}`, async () => {
      const problem = await learnAccount(turn, directory);
      return problem === undefined ? { kind: 'prepared' } : { kind: 'problem', problem };
    });
  }
  if (!session.ok) return fact({ kind: 'problem', problem: session.problem });
  switch (effect.kind) {
    case 'admit':
      return apart(turn, `admit ${directory} ${uid}`, () => ports.budgets.ask(countedThere(turn, directory), 'no'));
    case 'place':
      return apart(turn, `place ${directory} ${uid}`, () => place(turn, session.value));
    case 'record':
      return record(turn, directory, effect);
    default:
      return perform({ ...turn, issuer: issuerThere(ports, issuer, directory) }, session.value, effect);
  }
}

/** Whose order it is need not be claimed: equal needs rehearse one after the other, by the line of that directory. */
async function place({ order, issuer }: OrderTurn, session: AcmeSession): Promise<OrderFact> {
  const { profile } = issuer.spec.acme ?? {};
  const terms = { identifiers: identifiersOf(order), ...(profile !== undefined && { profile }) };
  const reply = await newOrder(session, terms);
  return reply.ok ? { kind: 'order', order: reply.value.resource } : { kind: 'problem', problem: reply.problem };
}

/** The note first: whoever finds it goes on with the order that it names, and records the tokens again. */
async function record(
  turn: OrderTurn,
  directory: string,
  effect: OrderEffect & { readonly kind: 'record' },
): Promise<Performed> {
  const { ports } = turn;
  const noted = await note(turn, { directory, state: 'open', url: effect.order.url, at: ports.now() });
  if ('kind' in noted) return noted;
  const status = rehearsedStatus(noted.order, effect.authorizations);
  if (status === undefined) return fact({ kind: 'done' });
  const reply = await ports.kube.replaceStatus(orders, { ...noted.order, status });
  if (!reply.ok) return stop(stopped(turn, 'write Order status', reply.problem));
  ports.stores.orders.note(reply.value);
  return fact({ kind: 'done' });
}

/** Its end: told, noted, and what was proven there is to be proven anew by the next one. */
export async function closeRehearsal(
  turn: OrderTurn,
  { end, authorizations }: OrderEffect & { readonly kind: 'closeRehearsal' },
): Promise<Performed> {
  const { ports, issuer, order, about } = turn;
  const { directory, failure } = end;
  const state = failure === undefined ? 'passed' : 'failed';
  const last = notedRehearsal(order);
  if (last?.state !== state || last.directory !== directory) {
    const noted = await note(turn, { directory, state, at: ports.now() });
    if ('kind' in noted) return noted;
    const said = failure === undefined ? 'passed; now the issuer’s own CA is asked.' : `failed: ${failure}`;
    const [type, reason] = failure === undefined ? ['Normal', 'Rehearsed'] : ['Warning', 'RehearsalFailed'];
    const message = `The rehearsal at ${hostOf(directory)} ${said}`;
    await ports.recorder.say({
      about: refOf(about),
      type: type === 'Normal' ? 'Normal' : 'Warning',
      reason: reason ?? '',
      message,
    });
  }
  return apart(turn, `close ${directory} ${order.metadata.uid}`, async () => {
    const session = await sessionThere(ports, issuer, directory);
    if (session?.ok === true) {
      await Promise.all(authorizations.map((url) => deactivateAuthorization(session.value, url)));
    }
    return { kind: 'done' };
  });
}

async function note(turn: OrderTurn, what: RehearsalNote | undefined): Promise<{ readonly order: Order } | Performed> {
  const { ports, order } = turn;
  const { [annotations.rehearsal]: _, ...others } = order.metadata.annotations ?? {};
  const noted = what === undefined ? others : { ...others, [annotations.rehearsal]: rehearsalNote(what) };
  const reply = await ports.kube.replace(orders, { ...order, metadata: { ...order.metadata, annotations: noted } });
  if (!reply.ok) return stop(stopped(turn, 'note the rehearsal on the Order', reply.problem));
  ports.stores.orders.note(reply.value);
  return { order: reply.value };
}

/** What a step there means for the limits there, and for the account. */
export function heardThere(turn: OrderTurn, state: Rehearsing, happened: OrderFact): void {
  const { ports, issuer } = turn;
  const counted = countedThere(turn, state.directory);
  if (endOf(state) !== undefined) {
    if (happened.kind === 'done') ports.budgets.left(counted);
    return;
  }
  if (happened.kind === 'problem' && doubtsAccount(happened.problem, undefined, ports.now())) {
    forgetAccount(ports, issuer, state.directory);
  }
  // Who has no account there has asked for no order: the account's own limit is counted where it is made.
  if (counted.issuer.status?.acme?.uri === '') return;
  const before = insideOf(state);
  ports.budgets.happened(counted, before, happened, step(before, happened, ports.now()));
}
