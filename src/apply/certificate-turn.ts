// A Certificate's turn seen as the turn of its request, and of that request's order. Called by certificate.ts.

import { keyOf } from '../kube/store.ts';
import { issuerOf } from './issuer-of.ts';
import type { OrderTurn, RequestTurn } from './order-turn.ts';
import type { Turn } from './perform.ts';
import { lastCertificate } from './renewal-info-last.ts';

/** Undefined while there is no request, or its issuer has gone. */
export function requestTurn(turn: Turn): RequestTurn | undefined {
  const { ports, certificate, seen } = turn;
  const issuer = issuerOf(ports, certificate);
  const request = seen.request?.object;
  if (issuer === undefined || request === undefined) return undefined;
  const { about, attempt } = turn;
  const wake = () => ports.wakeCertificate(keyOf(certificate));
  const last = () => lastCertificate(ports, certificate, seen.secret, attempt);
  return { ports, about, attempt, request, issuer, wake, last };
}

export function orderTurn(turn: Turn): OrderTurn | undefined {
  const requested = requestTurn(turn);
  const { order } = turn.seen;
  return requested === undefined || order === undefined ? undefined : { ...requested, order };
}
