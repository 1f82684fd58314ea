// Which names of an order are still to be proven, and by which challenge: made of its authorizations once they are read (RFC 8555 §7.1.4). Called by
// step.ts.

import type { CaAuthorization } from './ca.ts';
import { carry } from './problem.ts';
import type { Means, OrderState, Proof } from './state.ts';

/** The order with the proofs that its authorizations still want, or its end where one of them cannot be given. */
export function open(
  state: OrderState & { kind: 'placed' },
  authorizations: readonly CaAuthorization[],
  means: readonly Means[],
): OrderState {
  const { order } = state;
  if (order.status === 'invalid') {
    return { kind: 'failed', phase: 'invalid', reason: 'The CA calls the order invalid.' };
  }
  const proofs: Proof[] = [];
  for (const [index, authorization] of authorizations.entries()) {
    if (authorization.status === 'valid') continue;
    const proof = proofOf(authorization, means[index]);
    if ('refusal' in proof) return { kind: 'failed', phase: 'errored', reason: proof.refusal };
    proofs.push(proof);
  }
  return { kind: 'opened', order, authorizations, proofs, ...carry(state) };
}

function proofOf(authorization: CaAuthorization, means: Means | undefined): Proof | { readonly refusal: string } {
  const { identifier, wildcard, url: authorizationUrl, challenges } = authorization;
  const name = `${wildcard ? '*.' : ''}${identifier.value}`;
  if (means === undefined) return { refusal: `The CA asks for ${name}, which the order does not name.` };
  if ('refusal' in means) return means;
  const { type } = means;
  const challenge = challenges.find((each) => each.type === type && each.token !== undefined);
  if (challenge?.token === undefined) {
    const other = type === 'http-01' ? 'DNS-01' : 'HTTP-01';
    return { refusal: `The CA offers no ${type} challenge for ${name}; use an issuer with a solver for ${other}.` };
  }
  const { url: challengeUrl, token } = challenge;
  const looking = { ...(authorization.retryAt !== undefined && { retryAt: authorization.retryAt }) };
  return {
    type,
    host: identifier.value,
    wildcard,
    authorizationUrl,
    challengeUrl,
    token,
    ...(challenge.status === 'processing' && { looking }),
  };
}
