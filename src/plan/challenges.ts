// The Challenge objects that mirror an order's open proofs, for `kubectl get challenges` and cmctl. Called by apply/tell-challenges.ts once an order is
// not settled at its first try. Nothing reads them back: the Order is the memory.

import { createHash } from 'node:crypto';
import type { AcmeSolver } from '../api/certmanager.ts';
import type { Challenge } from '../api/challenge.ts';
import type { Order } from '../api/order.ts';
import { apiVersion, challenges, orders } from '../api/resources.ts';
import type { OrderState, Proof } from '../order/state.ts';

export interface ChallengeFacts {
  readonly order: Order;
  readonly state: OrderState;
  /** RFC 7638, of the account key. */
  readonly thumbprint: string;
  readonly solverOf: (proof: Proof) => AcmeSolver | undefined;
}

export function challengesFor({ order, state, thumbprint, solverOf }: ChallengeFacts): readonly Challenge[] {
  const proofs = 'proofs' in state ? state.proofs : [];
  const reason = 'wait' in state ? state.wait?.message : undefined;
  return proofs.flatMap((proof) => {
    const solver = solverOf(proof);
    return solver === undefined ? [] : [mirror(order, proof, solver, thumbprint, reason)];
  });
}

function mirror(
  order: Order,
  proof: Proof,
  solver: AcmeSolver,
  thumbprint: string,
  reason: string | undefined,
): Challenge {
  const { name, namespace = '', uid = '', labels } = order.metadata;
  const owner = { apiVersion: apiVersion(orders), kind: orders.kind, name, uid };
  return {
    apiVersion: apiVersion(challenges),
    kind: challenges.kind,
    metadata: {
      name: challengeName(name, proof),
      namespace,
      ...(labels !== undefined && { labels }),
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      url: proof.challengeUrl,
      authorizationURL: proof.authorizationUrl,
      dnsName: proof.host,
      wildcard: proof.wildcard,
      type: proof.type === 'http-01' ? 'HTTP-01' : 'DNS-01',
      token: proof.token,
      key: keyOf(proof, thumbprint),
      issuerRef: order.spec.issuerRef,
      solver,
    },
    status: { state: 'pending', processing: true, presented: true, ...(reason !== undefined && { reason }) },
  };
}

/** RFC 8555 §8.3 and §8.4. */
function keyOf({ type, token }: Proof, thumbprint: string): string {
  const authorization = `${token}.${thumbprint}`;
  return type === 'http-01' ? authorization : createHash('sha256').update(authorization).digest('base64url');
}

function challengeName(order: string, { host, wildcard }: Proof): string {
  const hash = createHash('sha256').update(`${wildcard} ${host}`).digest('hex').slice(0, 10);
  return `${order.slice(0, 242)}-${hash}`;
}
