// Runs one effect of the order's state machine and feeds the answer back to it. The Order object is written twice: the intent before anything
// is asked of the CA, then its URLs and tokens; everything else is asked of the CA again after a crash.

import { authorization } from '../acme/authorization.ts';
import { answer, finalize, newOrder, readOrder } from '../acme/order.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { Issuer } from '../api/certmanager.ts';
import { orders } from '../api/resources.ts';
import type { CaAuthorization, CaOrder, CaProblem } from '../order/ca.ts';
import type { OrderEffect, OrderFact, OrderState, Proof } from '../order/state.ts';
import { effectOf, step } from '../order/step.ts';
import { canonicalIp } from '../pki/ip.ts';
import { doubtsAccount } from '../plan/account-doubt.ts';
import { believedProofs, retraced } from '../plan/retrace.ts';
import { credible } from './credible-order.ts';
import { fetchChain } from './fetch-chain.ts';
import { findOrder } from './find-order.ts';
import { forgetOrder, isOfFormerAccount } from './former-account.ts';
import { beforeMove, heldByMove, movedAway } from './infra-move.ts';
import { groundOf, moveHold } from './infra-sight.ts';
import { issuerKey, secretNamespace } from './issuer-of.ts';
import { apart } from './look.ts';
import { claim, noteClaim } from './order-claims.ts';
import { identifiersOf, recordedStatus, resume } from './order-object.ts';
import { fact, type OrderTurn, type Performed, stop } from './order-turn.ts';
import { type Done, onward, stopped } from './perform.ts';
import type { Ports } from './ports.ts';
import { check, preflight, present } from './prove.ts';
import { closeRehearsal, heardThere, rehearsalBehind, rehearse, stillRehearsing } from './rehearse.ts';
import { requestedCsr } from './request-csr.ts';
import { meansOf } from './way.ts';

/** One effect: asks the CA, looks at a path or writes once, then steps. */
export async function advanceOrder(turn: OrderTurn): Promise<Done> {
  const { ports, attempt, issuer } = turn;
  if (isOfFormerAccount(turn)) return forgetOrder(turn);
  const taken = stillRehearsing(
    turn,
    beforeMove(turn, attempt.order ?? takenUp(resume(turn.order, attempt.freshOrder))),
  );
  const state = onSameGround(turn, taken);
  const effect = effectOf(state, ports.now());
  attempt.order = state;
  if (effect.kind === 'wait' || effect.kind === 'rest') return onward;
  const session = await ports.accounts.session(issuer, secretNamespace(ports, issuer));
  if (!session.ok) {
    if (session.problem.kind === 'kube') return stopped(turn, 'read account key', session.problem.problem);
    return withoutAccount(ports, issuer, session.problem.message);
  }
  const performed = await perform(turn, session.value, effect);
  if (performed.kind === 'stop') return performed.done;
  const happened = credible(turn.order, performed.fact);
  const isDoubted =
    happened.kind === 'problem' &&
    state.kind !== 'rehearsing' &&
    doubtsAccount(happened.problem, ports.accounts.vouchedAt(issuer), ports.now());
  if (happened.kind === 'problem' && isDoubted) {
    return withoutAccount(ports, issuer, happened.problem.detail);
  }
  const next = step(state, happened, ports.now());
  if (state.kind === 'rehearsing') heardThere(turn, state, happened);
  else ports.budgets.happened(turn, state, happened, next);
  attempt.order = next;
  if (attempt.order.kind === 'issued') attempt.signed = { chainPem: attempt.order.chainPem };
  return onward;
}

/** A place in line is asked for anew: the line of the last process is gone, and this one may be shorter. So is the end of a move. */
function takenUp(state: OrderState): OrderState {
  if (!('wait' in state) || state.wait === undefined) return state;
  if (state.wait.inLine !== true && state.wait.reason !== movedAway) return state;
  const { wait: _, ...rest } = state;
  return rest;
}

/** What answered on the way to a Gateway that has another address since, or is being moved, may not answer there: the CA's failed look would be its owner's. */
function onSameGround({ ports, request, issuer, attempt }: OrderTurn, state: OrderState): OrderState {
  const hosts = believedProofs(state).map(({ host }) => host);
  if (hosts.length === 0) return state;
  const ground = groundOf(ports, request, issuer, hosts);
  const isSame = [...ground].every(([host, now]) => attempt.ground?.get(host) === now);
  return isSame && moveHold(ports, request, issuer, hosts) === undefined ? state : retraced(state);
}

/** The order is not to blame; it goes on once the issuer has an account again. */
function withoutAccount(ports: Ports, issuer: Issuer, why: string): Done {
  ports.accounts.lose(issuer);
  ports.wakeIssuer(issuerKey(issuer));
  return { kind: 'stop', outcome: { kind: 'retry', why } };
}

async function perform(turn: OrderTurn, session: AcmeSession, effect: OrderEffect): Promise<Performed> {
  const { uid } = turn.order.metadata;
  const held = heldByMove(turn, effect);
  if (held !== undefined) return fact(held);
  switch (effect.kind) {
    case 'find':
      return apart(turn, `find ${uid}`, () => findOrder(turn.ports, session, turn.order));
    case 'preflight':
      return await rehearsalBehind(turn, await preflight(turn, session));
    case 'admit':
      return apart(turn, `admit ${uid} ${effect.replacing}`, () => turn.ports.budgets.ask(turn, effect.replacing));
    case 'place':
      return apart(turn, `place ${uid} ${effect.replacing}`, () => place(turn, session, effect.replacing));
    case 'readOrder':
      return apart(turn, `read ${effect.url}`, async () => orderFact(await readOrder(session, effect.url)));
    case 'readAuthorizations':
      return apart(turn, `read ${effect.urls.join()}`, () => readAuthorizations(turn, session, effect.urls));
    case 'record':
      return record(turn, effect);
    case 'present':
      return present(turn, session, effect.proofs);
    case 'check':
      return check(turn, session, effect.proofs);
    case 'answer':
      return apart(turn, `answer ${uid}`, () => answerAll(session, effect.proofs));
    case 'finalize':
      return finalizeWith(turn, session, effect.order);
    case 'download':
      return apart(turn, `fetch ${effect.url}`, () => fetchChain(turn, session, effect.url));
    case 'rehearse':
      return rehearse(turn, effect, perform);
    case 'closeRehearsal':
      return closeRehearsal(turn, effect);
    case 'wait':
    case 'rest':
      return fact({ kind: 'done' });
    default:
      return effect satisfies never;
  }
}

type OrderReply = Awaited<ReturnType<typeof readOrder>>;

function orderFact(reply: OrderReply): OrderFact {
  return reply.ok ? { kind: 'order', order: reply.value.resource } : { kind: 'problem', problem: reply.problem };
}

async function place(turn: OrderTurn, session: AcmeSession, replacing: 'asWished' | 'no'): Promise<OrderFact> {
  delete turn.attempt.freshOrder;
  const { profile } = turn.issuer.spec.acme ?? {};
  const replaces = replacing === 'asWished' ? await replaced(turn, session) : undefined;
  const terms = {
    identifiers: identifiersOf(turn.order),
    ...(profile !== undefined && { profile }),
    ...(replaces !== undefined && { replaces }),
  };
  const reply = await newOrder(session, terms);
  if (reply.ok && !claim(turn.ports, turn.order, reply.value.resource.url)) return claimed(turn.ports.now());
  const isOnlyThat = !reply.ok && replaces !== undefined && refusesReplacement(reply.problem);
  return isOnlyThat ? { kind: 'notReplaceable' } : orderFact(reply);
}

/** CAs may answer with a pending order for the same names (RFC 8555 §7.4 leaves it to them): it is its first owner's. */
function claimed(now: number): OrderFact {
  const detail = 'The CA answers with the order of another Certificate for the same names; it is waited for.';
  return { kind: 'problem', problem: { kind: 'unavailable', status: 200, detail, retryAt: now + 15_000 } };
}

/** Only CAs that tell about renewals understand it. */
async function replaced({ order }: OrderTurn, { endpoint }: AcmeSession): Promise<string | undefined> {
  const { replaces } = order.spec;
  if (replaces === undefined) return undefined;
  const directory = await endpoint.directory();
  return directory.ok && directory.value.renewalInfo !== undefined ? replaces : undefined;
}

/** RFC 9773 §5: replaced already, or not a certificate of this account and these names. */
function refusesReplacement(problem: CaProblem): boolean {
  if (problem.kind !== 'refused') return false;
  return problem.type === 'alreadyReplaced' || (problem.status < 429 && /replac/i.test(problem.detail));
}

async function readAuthorizations(turn: OrderTurn, session: AcmeSession, urls: readonly string[]): Promise<OrderFact> {
  const replies = await Promise.all(urls.map((url) => authorization(session, url)));
  const authorizations: CaAuthorization[] = [];
  for (const reply of replies) {
    if (!reply.ok) return { kind: 'problem', problem: reply.problem };
    authorizations.push(reply.value.resource);
  }
  const named = new Set(identifiersOf(turn.order).map(({ value }) => value));
  const means = authorizations.map((each) => {
    const { identifier, wildcard } = each;
    const name = `${wildcard ? '*.' : ''}${canonicalIp(identifier.value) ?? identifier.value.toLowerCase()}`;
    // Nothing is put up for a name that nobody asked for, whoever would like to have it proven.
    if (!named.has(name)) return { refusal: 'The CA asks for a name that the order does not have.' };
    return meansOf(turn.ports, turn.request, turn.issuer, each);
  });
  return { kind: 'authorizations', authorizations, means };
}

async function record(turn: OrderTurn, effect: OrderEffect & { kind: 'record' }): Promise<Performed> {
  const { ports, order } = turn;
  const status = recordedStatus(order, effect.order, effect.authorizations);
  if (status === undefined) return fact({ kind: 'done' });
  const reply = await ports.kube.replaceStatus(orders, { ...order, status });
  if (!reply.ok) return stop(stopped(turn, 'write Order status', reply.problem));
  ports.stores.orders.note(reply.value);
  noteClaim(ports, effect.order.url);
  return fact({ kind: 'done' });
}

/** A challenge that is answered twice is refused by most CAs. */
async function answerAll(session: AcmeSession, proofs: readonly Proof[]): Promise<OrderFact> {
  const untold = proofs.filter(({ looking }) => looking === undefined);
  const replies = await Promise.all(untold.map(({ challengeUrl }) => answer(session, challengeUrl)));
  for (const reply of replies) if (!reply.ok) return { kind: 'problem', problem: reply.problem };
  return { kind: 'done' };
}

async function finalizeWith(turn: OrderTurn, session: AcmeSession, order: CaOrder): Promise<Performed> {
  const csr = requestedCsr(turn.request);
  if (!csr.ok) {
    turn.attempt.failure = csr.problem.message;
    return stop(onward);
  }
  const { der } = csr.value;
  return apart(turn, `finalize ${order.url}`, async () => orderFact(await finalize(session, order, der)));
}
