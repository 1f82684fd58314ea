// The life of one ACME order as a closed union, the facts that move it and the effects it asks for.
// `step.ts` holds every transition; `apply/perform-order.ts` performs the effects; the Order object persists what a restart needs.

import type { CaAuthorization, CaOrder, CaProblem } from './ca.ts';

/** One name that still has to be proven over HTTP-01 (RFC 8555 §8.3). */
export interface Proof {
  readonly host: string;
  readonly authorizationUrl: string;
  readonly challengeUrl: string;
  readonly token: string;
}

/** Why nothing is done before `until` (epoch ms). `attempts` counts failures in a row of the same effect. */
export interface Wait {
  readonly until: number;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

interface Waiting {
  readonly wait?: Wait;
  /** How often the CA has refused a step of this order that it should accept; carried along so that no circle is endless. */
  readonly refusals?: number;
}

export type OrderState =
  /** Only the intent is recorded. `maybe`: an earlier process, or a lost reply, may have asked the CA already. */
  | ({ readonly kind: 'intended'; readonly asked: 'no' | 'maybe' } & Waiting)
  /** The order's URL is known, the CA's view of it is not. */
  | ({ readonly kind: 'known'; readonly url: string } & Waiting)
  | ({ readonly kind: 'placed'; readonly order: CaOrder } & Waiting)
  | ({
      readonly kind: 'opened';
      readonly order: CaOrder;
      readonly authorizations: readonly CaAuthorization[];
      readonly proofs: readonly Proof[];
    } & Waiting)
  | ({ readonly kind: 'recorded'; readonly order: CaOrder; readonly proofs: readonly Proof[] } & Waiting)
  | ({ readonly kind: 'presented'; readonly order: CaOrder; readonly proofs: readonly Proof[] } & Waiting)
  | ({ readonly kind: 'reachable'; readonly order: CaOrder; readonly proofs: readonly Proof[] } & Waiting)
  | ({
      readonly kind: 'validating';
      readonly order: CaOrder;
      readonly proofs: readonly Proof[];
      readonly polls: number;
    } & Waiting)
  | ({ readonly kind: 'ready'; readonly order: CaOrder } & Waiting)
  | ({ readonly kind: 'finalizing'; readonly order: CaOrder; readonly polls: number } & Waiting)
  | ({ readonly kind: 'downloadable'; readonly order: CaOrder; readonly certificateUrl: string } & Waiting)
  | { readonly kind: 'issued'; readonly order: CaOrder; readonly chainPem: string }
  | { readonly kind: 'failed'; readonly phase: 'invalid' | 'expired' | 'errored'; readonly reason: string };

export type OrderEffect =
  | { readonly kind: 'find' }
  | { readonly kind: 'place' }
  | { readonly kind: 'readOrder'; readonly url: string }
  | { readonly kind: 'readAuthorizations'; readonly urls: readonly string[] }
  | { readonly kind: 'record'; readonly order: CaOrder; readonly authorizations: readonly CaAuthorization[] }
  | { readonly kind: 'present'; readonly hosts: readonly string[] }
  | { readonly kind: 'check'; readonly proofs: readonly Proof[] }
  | { readonly kind: 'answer'; readonly proofs: readonly Proof[] }
  | { readonly kind: 'finalize'; readonly order: CaOrder }
  | { readonly kind: 'download'; readonly url: string }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'rest' };

export type OrderFact =
  | { readonly kind: 'order'; readonly order: CaOrder }
  | { readonly kind: 'notFound' }
  | { readonly kind: 'authorizations'; readonly authorizations: readonly CaAuthorization[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'certificate'; readonly chainPem: string }
  | { readonly kind: 'problem'; readonly problem: CaProblem };
