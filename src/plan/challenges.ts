// The Challenge objects that mirror what an order waits for, for `kubectl get challenges` and cmctl: one for each open proof that is not settled, none
// for those that are. Called by apply/tell-challenges.ts. Nothing reads them back: the Order is the memory.

import { createHash } from 'node:crypto';
import type { AcmeSolver } from '../api/certmanager.ts';
import type { Challenge } from '../api/challenge.ts';
import type { Order } from '../api/order.ts';
import { apiVersion, challenges, orders } from '../api/resources.ts';
import type { OrderState, Proof, Wait } from '../order/state.ts';

export interface ChallengeFacts {
  readonly order: Order;
  readonly state: OrderState;
  /** RFC 7638, of the account key. */
  readonly thumbprint: string;
  /** Undefined where the issuer has none for it any more. */
  readonly solverOf: (proof: Proof) => AcmeSolver | undefined;
  /** What is known of one proof besides what the order waits for. */
  readonly progressOf: (proof: Proof) => Progress;
}

export type Progress =
  /** Its path or record stands, and everybody sees it: it does not keep the order waiting. */
  { readonly kind: 'settled' } | { readonly kind: 'open'; readonly reason?: string };

/** The challenges that should stand while the order waits; none when it does not. */
export function challengesFor({
  order,
  state,
  thumbprint,
  solverOf,
  progressOf,
}: ChallengeFacts): readonly Challenge[] {
  if (!('proofs' in state) || state.wait === undefined) return [];
  const { wait } = state;
  return state.proofs.flatMap((proof) => {
    const solver = solverOf(proof);
    const progress = progressOf(proof);
    const isInnocent = proof.type === 'http-01' && ofRecords.has(wait.reason);
    if (solver === undefined || progress.kind === 'settled' || isInnocent) return [];
    return [mirror(order, proof, { solver, thumbprint, wait, reason: progress.reason ?? wait.message })];
  });
}

interface Facts {
  readonly solver: AcmeSolver;
  readonly thumbprint: string;
  readonly wait: Wait;
  readonly reason: string;
}

function mirror(order: Order, proof: Proof, { solver, thumbprint, wait, reason }: Facts): Challenge {
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
    status: { state: 'pending', processing: true, presented: !unpresented.has(wait.reason), reason },
  };
}

/** What keeps an order waiting for DNS-01 alone. */
const ofRecords: ReadonlySet<string> = new Set(['PresentError', 'DNSLookupFailed', 'NotPropagated']);

/** What an order waits for before anything stands. */
const unpresented: ReadonlySet<string> = new Set(['PresentError', 'DNSLookupFailed', 'NoChallengePath', 'NameTaken']);

/** RFC 8555 §8.3 and §8.4. */
function keyOf({ type, token }: Proof, thumbprint: string): string {
  const authorization = `${token}.${thumbprint}`;
  return type === 'http-01' ? authorization : createHash('sha256').update(authorization).digest('base64url');
}

function challengeName(order: string, { host, wildcard }: Proof): string {
  const hash = createHash('sha256').update(`${wildcard} ${host}`).digest('hex').slice(0, 10);
  return `${order.slice(0, 242).replace(/[^a-z0-9]+$/, '')}-${hash}`;
}

/** Whether what stands under its name says which proof it is: specs of Challenges cannot be changed, and a new order has new tokens. */
export function mirrors(standing: Challenge, wanted: Challenge): boolean {
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const owners = ({ metadata }: Challenge) => (metadata.ownerReferences ?? []).map(({ uid }) => uid);
  const { url, token, key, solver } = wanted.spec;
  const { spec } = standing;
  return (
    isSame(owners(standing), owners(wanted)) &&
    spec.url === url &&
    spec.token === token &&
    spec.key === key &&
    isSame(spec.solver, solver)
  );
}

/** Whether its status says the same already. */
export function saysSame({ status: standing }: Challenge, { status: wanted }: Challenge): boolean {
  return standing?.reason === wanted?.reason && standing?.presented === wanted?.presented;
}
