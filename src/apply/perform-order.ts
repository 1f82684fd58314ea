// Runs one effect of the order's state machine and feeds the answer back to it. The Order object is written twice: the intent before anything
// is asked of the CA, then its URLs and tokens; everything else is asked of the CA again after a crash.

import { authorization } from '../acme/authorization.ts';
import { download } from '../acme/certificate.ts';
import { answer, finalize, newOrder, readOrder } from '../acme/order.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import { orders } from '../api/resources.ts';
import type { CaAuthorization, CaOrder, CaProblem } from '../order/ca.ts';
import type { OrderEffect, OrderFact } from '../order/state.ts';
import { effectOf, step } from '../order/step.ts';
import { readCsr } from '../pki/csr.ts';
import { selfCheck } from '../solve/self-check.ts';
import { findOrder } from './find-order.ts';
import { issuerKey, issuerOf, secretNamespace } from './issuer-of.ts';
import { identifiersOf, recordedStatus, resume } from './order-object.ts';
import { type Done, onward, stopped, type Turn } from './perform.ts';
import { present } from './perform-route.ts';
import type { Ports } from './ports.ts';

type Performed = { readonly kind: 'fact'; readonly fact: OrderFact } | { readonly kind: 'stop'; readonly done: Done };

/** One effect: asks the CA or writes once, then steps. */
export async function advanceOrder(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt, seen } = turn;
  const issuer = issuerOf(ports, certificate);
  if (issuer === undefined || seen.order === undefined) return onward;
  const state = attempt.order ?? resume(seen.order, attempt.freshOrder);
  const effect = effectOf(state, ports.now());
  attempt.order = state;
  if (effect.kind === 'wait' || effect.kind === 'rest') return onward;
  const session = await ports.accounts.session(issuer, secretNamespace(ports, issuer));
  if (!session.ok) {
    if (session.problem.kind === 'kube') return stopped(turn, 'read account key', session.problem.problem);
    return withoutAccount(ports, issuer, session.problem.message);
  }
  const performed = await perform(turn, { issuer, order: seen.order, session: session.value }, effect);
  if (performed.kind === 'stop') return performed.done;
  const { fact: happened } = performed;
  if (happened.kind === 'problem' && isAccountUnknown(happened.problem)) {
    return withoutAccount(ports, issuer, happened.problem.detail);
  }
  attempt.order = step(state, happened, ports.now());
  if (attempt.order.kind === 'issued') attempt.signed = { chainPem: attempt.order.chainPem };
  return onward;
}

/** RFC 8555 §6.7: the order is not to blame; it goes on once the issuer has an account again. */
function isAccountUnknown(problem: CaProblem): boolean {
  return problem.kind === 'refused' && problem.type === 'accountDoesNotExist';
}

function withoutAccount(ports: Ports, issuer: Issuer, why: string): Done {
  ports.accounts.lose(issuer);
  ports.wakeIssuer(issuerKey(issuer));
  return { kind: 'stop', outcome: { kind: 'retry', why } };
}

interface Context {
  readonly issuer: Issuer;
  readonly order: Order;
  readonly session: AcmeSession;
}

async function perform(turn: Turn, context: Context, effect: OrderEffect): Promise<Performed> {
  const { order, session } = context;
  switch (effect.kind) {
    case 'find':
      return fact(await findOrder(turn.ports, session, order));
    case 'place': {
      delete turn.attempt.freshOrder;
      const profile = context.issuer.spec.acme?.profile;
      const terms = { identifiers: identifiersOf(order), ...(profile !== undefined && { profile }) };
      return orderFact(await newOrder(session, terms));
    }
    case 'readOrder':
      return orderFact(await readOrder(session, effect.url));
    case 'readAuthorizations':
      return fact(await readAuthorizations(session, effect.urls));
    case 'record':
      return record(turn, context, effect);
    case 'present':
      return present(turn, context.issuer, order, effect.hosts);
    case 'check':
      return fact(await check(turn, session, effect.proofs));
    case 'answer':
      return fact(await answerAll(session, effect.proofs));
    case 'finalize':
      return finalizeWith(turn, session, effect.order);
    case 'download': {
      const got = await download(session, effect.url);
      return fact(
        got.ok
          ? { kind: 'certificate', chainPem: got.value.resource.chainPem }
          : { kind: 'problem', problem: got.problem },
      );
    }
    case 'wait':
    case 'rest':
      return fact({ kind: 'done' });
    default:
      return effect satisfies never;
  }
}

function fact(value: OrderFact): Performed {
  return { kind: 'fact', fact: value };
}

type OrderReply = Awaited<ReturnType<typeof readOrder>>;

function orderFact(reply: OrderReply): Performed {
  return fact(reply.ok ? { kind: 'order', order: reply.value.resource } : { kind: 'problem', problem: reply.problem });
}

async function readAuthorizations(session: AcmeSession, urls: readonly string[]): Promise<OrderFact> {
  const replies = await Promise.all(urls.map((url) => authorization(session, url)));
  const authorizations: CaAuthorization[] = [];
  for (const reply of replies) {
    if (!reply.ok) return { kind: 'problem', problem: reply.problem };
    authorizations.push(reply.value.resource);
  }
  return { kind: 'authorizations', authorizations };
}

async function record(turn: Turn, context: Context, effect: OrderEffect & { kind: 'record' }): Promise<Performed> {
  const { ports } = turn;
  const status = recordedStatus(context.order, effect.order, effect.authorizations);
  if (status === undefined) return fact({ kind: 'done' });
  const reply = await ports.kube.replaceStatus(orders, { ...context.order, status });
  if (!reply.ok) return { kind: 'stop', done: stopped(turn, 'write Order status', reply.problem) };
  ports.stores.orders.note(reply.value);
  return fact({ kind: 'done' });
}

type Proofs = (OrderEffect & { kind: 'check' })['proofs'];

/** The CA is told only of names that answer over the very path that it will take: failures are its scarcest budget. */
async function check(turn: Turn, session: AcmeSession, proofs: Proofs): Promise<OrderFact> {
  const { ports } = turn;
  const { nameservers, port } = ports.settings.selfCheck;
  const thumbprint = await session.endpoint.thumbprint(session.key);
  const checks = proofs.map(({ host, token }) =>
    selfCheck({
      host,
      token,
      expected: `${token}.${thumbprint}`,
      nameservers,
      port,
      signal: AbortSignal.timeout(10_000),
    }),
  );
  for (const checked of await Promise.all(checks)) {
    if (!checked.ok) return { kind: 'unreachable', message: checked.problem };
  }
  return { kind: 'done' };
}

async function answerAll(session: AcmeSession, proofs: Proofs): Promise<OrderFact> {
  const replies = await Promise.all(proofs.map(({ challengeUrl }) => answer(session, challengeUrl)));
  for (const reply of replies) if (!reply.ok) return { kind: 'problem', problem: reply.problem };
  return { kind: 'done' };
}

async function finalizeWith(turn: Turn, session: AcmeSession, order: CaOrder): Promise<Performed> {
  const pem = Buffer.from(turn.seen.request?.object.spec.request ?? '', 'base64').toString('utf8');
  const csr = readCsr(pem);
  if (!csr.ok) {
    turn.attempt.failure = csr.problem.message;
    return { kind: 'stop', done: onward };
  }
  return orderFact(await finalize(session, order, csr.value.der));
}
