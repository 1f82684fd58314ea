// What is written about an order: the Order that announces it, how long it waits, and how it ended. Called by both reconcilers that make orders.

import { annotations } from '../api/names.ts';
import { orders } from '../api/resources.ts';
import { placedBy } from './former-account.ts';
import { waitNote } from './order-note.ts';
import { orderObject } from './order-object.ts';
import type { OrderTurn, RequestTurn } from './order-turn.ts';
import { type Done, onward, stopped, write } from './perform.ts';
import { requestedCsr } from './request-csr.ts';
import { tellChallenges } from './tell-challenges.ts';

/** `replaces`: the ARI identifier of the certificate that this one takes the place of (RFC 9773 §4.1). */
export async function createOrder(turn: RequestTurn, replaces?: string): Promise<Done> {
  const { ports, attempt, request } = turn;
  const csr = requestedCsr(request);
  if (!csr.ok) {
    attempt.failure = csr.problem.message;
    return onward;
  }
  const order = placedBy(orderObject(request, csr.value.names, replaces), turn.issuer);
  const created = await ports.kube.create(orders, order);
  if (!created.ok) return stopped(turn, 'create Order', created.problem);
  attempt.freshOrder = created.value.metadata.uid ?? '';
  delete attempt.order;
  ports.budgets.made(created.value);
  ports.stores.orders.note(created.value);
  return onward;
}

export async function recordOrder(
  turn: OrderTurn,
  phase: 'valid' | 'invalid' | 'expired' | 'errored',
  reason: string,
): Promise<Done> {
  const { ports, order } = turn;
  const failure = phase === 'valid' ? {} : { reason, failureTime: new Date(ports.now()).toISOString() };
  const { reason: _, ...last } = order.status ?? {};
  const status = { ...last, state: phase, ...failure };
  return write(turn, 'write Order status', ports.kube.replaceStatus(orders, { ...order, status }), (value) =>
    ports.stores.orders.note(value),
  );
}

/** Tells what an order waits for, and keeps a long wait across a restart, so that the CA is not asked sooner than it said. */
export async function noteWait(turn: OrderTurn): Promise<Done> {
  const { ports, attempt, issuer, order } = turn;
  const wait = attempt.order !== undefined && 'wait' in attempt.order ? attempt.order.wait : undefined;
  if (wait === undefined) return onward;
  const thumbprint = issuer.metadata.annotations?.[annotations.accountThumbprint];
  const told = thumbprint === undefined ? onward : await tellChallenges(turn, thumbprint);
  if (told.kind === 'stop') return told;
  if (order.status?.reason !== wait.message) {
    const status = { ...order.status, reason: wait.message };
    return write(turn, 'write Order status', ports.kube.replaceStatus(orders, { ...order, status }), (value) =>
      ports.stores.orders.note(value),
    );
  }
  const noted = { ...order.metadata.annotations, [annotations.state]: waitNote(wait, issuer) };
  const metadata = { ...order.metadata, annotations: noted };
  return write(turn, 'note the wait on the Order', ports.kube.replace(orders, { ...order, metadata }), (value) =>
    ports.stores.orders.note(value),
  );
}
