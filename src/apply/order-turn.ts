// One ACME order's turn: the request that it serves, and what this process holds in memory for it. Made by the reconcilers of Certificates and of
// requests that others make; everything about orders in this folder works on it alone.

import type { CertificateRequest, Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import type { OrderFact, OrderState } from '../order/state.ts';
import type { LastCertificate } from '../plan/renewal-class.ts';
import type { Attempt } from './attempt.ts';
import type { Ground } from './infra-sight.ts';
import type { Done, Task } from './perform.ts';

export interface OrderAttempt extends Pick<Attempt, 'forbidden' | 'refusal' | 'signed' | 'failure' | 'wait'> {
  order?: OrderState;
  /** UID of the Order that was created here while nothing has been asked of the CA for it yet. */
  freshOrder?: string;
  presentedAt?: number;
  look?: Look;
  ground?: Ground;
}

/** A look at the path of a proof that outlives a turn; `at` names what is looked at. */
export interface Look {
  readonly at: string;
  result?: OrderFact;
}

export interface RequestTurn extends Task {
  readonly request: CertificateRequest;
  readonly issuer: Issuer;
  readonly attempt: OrderAttempt;
  /** What the certificate takes the place of; undefined where these names had none before, as far as anybody knows. */
  readonly last?: () => LastCertificate | undefined;
  /** Puts the object that this turn is about back into its queue. */
  readonly wake: () => void;
}

export interface OrderTurn extends RequestTurn {
  readonly order: Order;
}

/** What an effect came to: a fact for the machine, or an end of the turn. */
export type Performed =
  | { readonly kind: 'fact'; readonly fact: OrderFact }
  | { readonly kind: 'stop'; readonly done: Done };

export function fact(value: OrderFact): Performed {
  return { kind: 'fact', fact: value };
}

export function stop(done: Done): Performed {
  return { kind: 'stop', done };
}
