// Decides what happens next to a CertificateRequest that somebody else made for one of our issuers (a CSI driver, istio-csr, a person). Called after
// every action by apply/request.ts until it answers `rest`. Conditions and reasons are cert-manager's.

import type { CertificateRequest } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { OrderState, Wait } from '../order/state.ts';
import { effectOf } from '../order/step.ts';
import { approvalOf } from './approval.ts';
import { conditionOf } from './conditions.ts';
import type { InfraHold } from './infra-hold.ts';
import { failureOf } from './request-end.ts';
import type { IssuerSeen, NotAllowed } from './seen.ts';
import { isStanding, type Standing } from './standing.ts';

export interface RequestSeenAlone {
  readonly request: CertificateRequest;
  readonly approver: 'ours' | 'theirs';
  readonly issuer: IssuerSeen;
  /** Why nothing can come of the CSR, as a sentence; it will not change, for the spec cannot. */
  readonly hopeless?: string;
  /** Names or an issuer that the namespace may not have. */
  readonly notAllowed?: NotAllowed;
  /** What a SelfSigned issuer still needs: the private key that the request's annotation names. */
  readonly lacksKey?: string;
  readonly order?: Order;
  readonly standing: Standing;
  readonly attempt: {
    readonly signed: boolean;
    readonly failure?: string;
    readonly order?: OrderState;
    readonly wait?: Wait;
  };
  /** Of what is proven through a Gateway: what the infrastructure half says of the namespace, and of the Gateways' addresses. */
  readonly infra?: InfraHold;
  readonly move?: string;
  /** A write that the API server refused; tried again at `until`, epoch ms. */
  readonly refusal?: { readonly message: string; readonly until: number };
}

export type RequestAction =
  | { readonly kind: 'approve' }
  | { readonly kind: 'deny'; readonly message: string }
  | { readonly kind: 'sign' }
  | { readonly kind: 'createOrder' }
  | { readonly kind: 'advanceOrder' }
  | { readonly kind: 'noteWait' }
  | { readonly kind: 'withdraw'; readonly standing: Standing }
  | {
      readonly kind: 'recordOrder';
      readonly phase: 'valid' | 'invalid' | 'expired' | 'errored';
      readonly reason: string;
    }
  | { readonly kind: 'issue' }
  | { readonly kind: 'fail'; readonly reason: 'Failed' | 'Denied'; readonly message: string }
  | { readonly kind: 'tellPending'; readonly message: string }
  | { readonly kind: 'rest'; readonly revisitAt?: number };

/** A wait shorter than this (ms) is not worth a status write. */
const worthTelling = 5_000;

/** The next action; `rest` carries when (epoch ms) to look again. */
export function planRequest(seen: RequestSeenAlone, now: number): RequestAction {
  const { request, issuer } = seen;
  if (request.metadata.deletionTimestamp !== undefined || issuer.kind === 'external') return { kind: 'rest' };
  if (isOver(request))
    return isStanding(seen.standing) ? { kind: 'withdraw', standing: seen.standing } : { kind: 'rest' };
  const approval = approvalOf(request, seen.approver);
  if (approval.kind === 'denied') return close(seen) ?? { kind: 'fail', reason: 'Denied', message: approval.message };
  if (seen.notAllowed !== undefined) return { kind: 'deny', message: seen.notAllowed.message };
  // An approver of another kind may be slow: the request says nothing until it has spoken.
  if (approval.kind === 'open' && approval.approver === 'theirs') return { kind: 'rest' };
  if (seen.hopeless !== undefined) return { kind: 'fail', reason: 'Failed', message: seen.hopeless };
  if (seen.attempt.signed) return finish(seen);
  if (seen.attempt.failure !== undefined) {
    return close(seen) ?? { kind: 'fail', reason: 'Failed', message: seen.attempt.failure };
  }
  if (seen.infra?.kind === 'draining') return close(seen) ?? tell(seen, seen.infra.message);
  const obstacle = obstacleOf(seen);
  if (obstacle !== undefined) return tell(seen, obstacle);
  if (seen.refusal !== undefined && seen.refusal.until > now) return { kind: 'rest', revisitAt: seen.refusal.until };
  return waiting(seen, now) ?? obtain(seen);
}

/** Final by cert-manager's rule: Ready with one of these reasons is never changed again. */
function isOver(request: CertificateRequest): boolean {
  return conditionOf(request.status?.conditions, 'Ready')?.status === 'True' || failureOf(request) !== undefined;
}

function obstacleOf(seen: RequestSeenAlone): string | undefined {
  const { issuer, request } = seen;
  const { kind, name } = fullRef(request.spec.issuerRef);
  switch (issuer.kind) {
    case 'missing':
      return `${kind} "${name}" does not exist; create it, or make a new request with another issuerRef.`;
    case 'notReady':
      return `${kind} "${name}" is not ready: ${issuer.message}`;
    case 'unseen':
      return `${kind} "${name}" has not been looked at yet.`;
    case 'acme':
      if (seen.order !== undefined) return undefined;
      return issuer.path.kind === 'closed' ? issuer.path.message : seen.move;
    case 'local':
      return seen.lacksKey;
    case 'remote':
    case 'external':
      return undefined;
    default:
      return issuer satisfies never;
  }
}

function tell(seen: RequestSeenAlone, message: string): RequestAction {
  const said = conditionOf(seen.request.status?.conditions, 'Ready')?.message;
  return said === message || seen.issuer.kind === 'unseen' ? { kind: 'rest' } : { kind: 'tellPending', message };
}

function waiting(seen: RequestSeenAlone, now: number): RequestAction | undefined {
  const { order: state, wait: signing } = seen.attempt;
  const isWaiting = state !== undefined && effectOf(state, now).kind === 'wait';
  const wait =
    signing !== undefined && signing.until > now ? signing : isWaiting && 'wait' in state ? state.wait : undefined;
  if (wait === undefined) return undefined;
  const rest: RequestAction = { kind: 'rest', revisitAt: wait.until };
  if (wait.until - now < worthTelling || wait.reason === 'Processing') return rest;
  const told = tell(seen, wait.message);
  if (told.kind !== 'rest') return told;
  const noted = seen.order?.metadata.annotations?.[annotations.state];
  const isKept = seen.order === undefined || noted?.includes(new Date(wait.until).toISOString()) === true;
  return isKept ? rest : { kind: 'noteWait' };
}

function obtain(seen: RequestSeenAlone): RequestAction {
  const { issuer, order, attempt } = seen;
  if (issuer.kind !== 'acme') return { kind: 'sign' };
  if (order === undefined) return { kind: 'createOrder' };
  const state = attempt.order;
  if (state?.kind !== 'failed') return { kind: 'advanceOrder' };
  if (isStanding(seen.standing)) return { kind: 'withdraw', standing: seen.standing };
  if (order.status?.state !== state.phase) {
    return { kind: 'recordOrder', phase: state.phase, reason: state.reason };
  }
  return { kind: 'fail', reason: 'Failed', message: state.reason };
}

/** The certificate is there: the paths go, the order is closed, the request gets it. */
function finish(seen: RequestSeenAlone): RequestAction {
  if (isStanding(seen.standing)) return { kind: 'withdraw', standing: seen.standing };
  if (seen.order !== undefined && seen.order.status?.state !== 'valid') {
    return { kind: 'recordOrder', phase: 'valid', reason: '' };
  }
  return { kind: 'issue' };
}

/** Denied, or failed for a reason of ours, while an order was under way. */
function close(seen: RequestSeenAlone): RequestAction | undefined {
  return isStanding(seen.standing) ? { kind: 'withdraw', standing: seen.standing } : undefined;
}
