// What a move of the Gateways, and the state of a namespace, mean for one issuance: an order step is answered with a wait instead of being taken.
// Called by perform-order.ts and by both reconcilers' observations; infra-triggers.ts wakes what waits here.

import type { Certificate, CertificateRequest } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import { claimOn, holdIn } from '../infra/contract.ts';
import { keyOf } from '../kube/store.ts';
import type { OrderEffect, OrderFact, OrderState } from '../order/state.ts';
import { isBeforeItsPlace, retraced } from '../plan/retrace.ts';
import type { CertificateSeen } from '../plan/seen.ts';
import { contractIn, goesThroughGateway, moveHold } from './infra-sight.ts';
import { type Asking, issuerOf } from './issuer-of.ts';
import { identifiersOf } from './order-object.ts';
import type { OrderTurn } from './order-turn.ts';
import type { Ports } from './ports.ts';

/** By what waits, so that none is here twice. */
export type AwaitingMove = Map<
  string,
  {
    readonly wake: () => void;
    /** UID of the Order whose wait ends with the move. */
    readonly order?: string;
  }
>;

/** The reason of such a wait; who has not seen the end of the move asks again. */
export const movedAway = 'InfraNotReady';
/** Nobody need look sooner: the end of the move wakes. */
const longMs = 600_000;

/** A place in the line is not kept through a move: the order is before its look at the paths again, which is held. */
export function beforeMove(turn: OrderTurn, state: OrderState): OrderState {
  if (!isBeforeItsPlace(state) || moveOf(turn) === undefined) return state;
  turn.ports.budgets.left(turn);
  return retraced(state);
}

function moveOf({ ports, order, request, issuer }: OrderTurn): string | undefined {
  const names = identifiersOf(order).map(({ value }) => value);
  return moveHold(ports, request, issuer, names);
}

/** The fact that keeps the order where it is, for a step by which the CA would come to look at a Gateway; undefined where nothing is moved. */
export function heldByMove(turn: OrderTurn, effect: OrderEffect): OrderFact | undefined {
  if (!looking.has(effect.kind)) return undefined;
  const { ports, order, wake } = turn;
  const message = moveOf(turn);
  if (message === undefined) return undefined;
  const { uid = '' } = order.metadata;
  ports.awaitingMove.set(`order ${uid}`, { wake, order: uid });
  return { kind: 'unreachable', reason: movedAway, message, until: ports.now() + longMs };
}

const looking: ReadonlySet<OrderEffect['kind']> = new Set(['preflight', 'present', 'check']);

type InfraSeen = Pick<CertificateSeen, 'infra' | 'move'>;

/** For a Certificate: its Secrets are what a namespace's state is about. */
export function seeInfra(
  ports: Ports,
  about: Asking,
  names: readonly string[],
  order: Order | undefined,
  wake: (key: string) => void = ports.wakeCertificate,
): InfraSeen {
  const contract = contractIn(ports.stores);
  const infra = holdIn(contract, about.metadata.namespace ?? '');
  const issuer = contract.move === undefined || order !== undefined ? undefined : issuerOf(ports, about);
  const move = issuer?.spec.acme === undefined ? undefined : moveHold(ports, about, issuer, names);
  const key = keyOf(about);
  if (move !== undefined) ports.awaitingMove.set(`${about.kind} ${key}`, { wake: () => wake(key) });
  return { ...(infra !== undefined && { infra }), ...(move !== undefined && { move }) };
}

/** The place that the Certificate asks for is infra's. */
export function seeClaim({ stores }: Ports, { metadata, spec }: Certificate): Pick<CertificateSeen, 'claimedSecret'> {
  const claimedSecret = claimOn(contractIn(stores), metadata.namespace ?? '', spec.secretName);
  return claimedSecret === undefined ? {} : { claimedSecret };
}

/** For a request that no Certificate stands behind: no Secret is written for it, and what is not proven through a Gateway goes on. */
export function seeInfraOfRequest(
  ports: Ports,
  request: CertificateRequest,
  names: readonly string[],
  order: Order | undefined,
): InfraSeen {
  const issuer = issuerOf(ports, request);
  const isProven = issuer?.spec.acme !== undefined && goesThroughGateway(ports, request, issuer, names);
  return isProven ? seeInfra(ports, request, names, order, ports.wakeRequest) : {};
}
