// What an issuer's reconcile has seen and what it may do next, as plain values. apply/issuer.ts gathers the one and performs the other; issuer.ts and
// rollover.ts decide.

import type { Issuer } from '../api/certmanager.ts';
import type { CaProblem } from '../order/ca.ts';

export type SignerSeen =
  /** `notAfter`: when its certificate ends, epoch ms. */
  | { readonly kind: 'ready'; readonly notAfter: number }
  | { readonly kind: 'absent' | 'unusable' | 'forbidden'; readonly message: string };

/** A key of an account by what can be told of it: SHA-256 of the private key, as cert-manager notes it, and RFC 7638's thumbprint. */
export interface KeyFacts {
  readonly hash: string;
  readonly thumbprint: string;
}

/**
 * Whom the CA knows the account by, as far as this process has asked: `unknown` not yet, `unused` the old key, `inForce` the next one, `foreign` the
 * next key has another account. `theirs`: another issuer with the same Secret rolls over.
 */
export interface NextKeySeen extends KeyFacts {
  readonly standing: 'unknown' | 'unused' | 'inForce' | 'foreign' | 'theirs';
}

export type AccountKeySeen =
  | { readonly kind: 'unread' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable' | 'forbidden'; readonly message: string }
  | ({
      readonly kind: 'held';
      /** The key that a rollover has made durable and not finished with. */
      readonly next?: NextKeySeen;
      /** The last rollover of this Secret, by the value that asked for it. */
      readonly rolledOver?: string;
    } & KeyFacts);

/** Something asked of the CA that did not work; `at` in epoch ms. */
export interface Failure {
  readonly problem: CaProblem;
  readonly attempts: number;
  readonly at: number;
}

export type RegistrationSeen =
  | { readonly kind: 'none' }
  | { readonly kind: 'done'; readonly url: string; readonly email: string }
  /** Something that the registration needs is not there; the CA has not been asked. */
  | { readonly kind: 'blocked'; readonly message: string }
  /** The CA has closed the account for good; only another key helps. */
  | { readonly kind: 'closed'; readonly message: string }
  | ({ readonly kind: 'problem'; readonly step: 'register' | 'update' } & Failure);

export interface RolloverSeen {
  /** Requests and validations under the old key: going on, being waited for until a look at `lookAt` (epoch ms), or over. */
  readonly traffic:
    | { readonly kind: 'flowing' }
    | { readonly kind: 'draining'; readonly lookAt: number }
    | { readonly kind: 'quiet' };
  /** Why this key cannot be rolled over, as a sentence. */
  readonly obstacle?: string;
  readonly failure?: Failure;
}

export interface Verdict {
  readonly readiness: Readiness;
  /** When to look again, epoch ms. */
  readonly revisitAt?: number;
}

export interface IssuerSeen {
  readonly issuer: Issuer;
  /** For a CA issuer: its Secret. */
  readonly signer?: SignerSeen;
  /** For an issuer of a kind that another part of the program judges. */
  readonly verdict?: Verdict;
  /** What the solvers' Secrets lack, as a sentence. */
  readonly solverLack?: string;
  readonly accountKey: AccountKeySeen;
  /** `lost`: the CA has refused the account, or its key is gone, since the status was written. */
  readonly account: 'asTold' | 'lost';
  readonly registration: RegistrationSeen;
  readonly rollover: RolloverSeen;
  /** The last attempt to close the account. */
  readonly closing?: Failure;
}

export type IssuerAction =
  | { readonly kind: 'loadKey' }
  | { readonly kind: 'makeKey' }
  | { readonly kind: 'register' }
  /** `rolledOver`: the asked-for rollover that is noted as done, in the same write. */
  | { readonly kind: 'annotate'; readonly thumbprint: string; readonly rolledOver?: string }
  | { readonly kind: 'deactivate' }
  | { readonly kind: 'writeStatus'; readonly status: NonNullable<Issuer['status']>; readonly ready: Readiness }
  /** The steps of a rollover, in their order; see rollover.ts. */
  | { readonly kind: 'makeNextKey' }
  | { readonly kind: 'askNextKey' }
  | { readonly kind: 'drain' }
  | { readonly kind: 'changeKey' }
  | { readonly kind: 'swapKey'; readonly asked: string }
  | { readonly kind: 'dropNextKey' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'rest'; readonly revisitAt?: number };

export interface Readiness {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  /** What is said in an event, where the message holds a time that changes with each attempt. */
  readonly lasting?: string;
}
