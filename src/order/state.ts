// The life of one ACME order as a closed union, the facts that move it and the effects it asks for.
// `step.ts` holds every transition; `apply/perform-order.ts` performs the effects; the Order object persists what a restart needs.

import type { CaAuthorization, CaOrder, CaProblem } from './ca.ts';

/** RFC 8555 §8.3 and §8.4. */
export type ChallengeType = 'http-01' | 'dns-01';

/** One name that still has to be proven. */
export interface Proof {
  readonly type: ChallengeType;
  /** Without the `*.` of a wildcard. */
  readonly host: string;
  readonly wildcard: boolean;
  readonly authorizationUrl: string;
  readonly challengeUrl: string;
  readonly token: string;
  /** The CA is looking already: it was told before a reply, or a process, was lost. `retryAt` (epoch ms) is when it may be asked what it saw. */
  readonly looking?: { readonly retryAt?: number };
}

/** Why nothing is done before `until` (epoch ms). `attempts` counts failures in a row of the same effect. */
export interface Wait {
  readonly until: number;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** It stands in Certway's own line: the CA has not been asked, and after a restart the line is asked anew instead of the clock. */
  readonly inLine?: true;
}

interface Waiting {
  readonly wait?: Wait;
  /** How often the CA has refused a step of this order that it should accept; carried along so that no circle is endless. */
  readonly refusals?: number;
  /** How often in a row the CA has failed at this step, where the order was looked at in between. */
  readonly troubles?: number;
  /** How often in a row the order came back to an earlier state although every name is proven. */
  readonly circles?: number;
  /** The path of every HTTP-01 proof was walked a moment ago, before the order was placed. */
  readonly walked?: true;
}

export type OrderState = Staged | Rehearsing;

/**
 * The order is proven at another directory of the CA before its own hears of it: `rehearsal` is how far it is there, and the wait of both is this one's.
 * `failures`: rehearsals in a row that came to nothing.
 */
export type Rehearsing = {
  readonly kind: 'rehearsing';
  readonly directory: string;
  readonly rehearsal: Staged;
  readonly failures: number;
  readonly plain?: true;
} & Waiting;

/** Before one CA. */
export type Staged =
  /** Only the intent is recorded. `maybe`: an earlier process, or a lost reply, may have asked the CA already. */
  | ({ readonly kind: 'intended'; readonly asked: 'no' | 'maybe'; readonly plain?: true } & Waiting)
  /**
   * Nothing was asked of the CA, and what it will look at answered at `at` (epoch ms). `plain`: it refused to have a certificate replaced.
   * `admitted`: the CA has room for the order, and a place in it is kept.
   */
  | ({ readonly kind: 'cleared'; readonly at: number; readonly plain?: true; readonly admitted?: true } & Waiting)
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
  /** Walks the CA's way to every name first: an order that cannot be validated costs its owner's scarcest budget. */
  | { readonly kind: 'preflight' }
  /** Whether the CA's limits leave room for the order, and no other one comes before it. */
  | { readonly kind: 'admit'; readonly replacing: 'asWished' | 'no' }
  | { readonly kind: 'place'; readonly replacing: 'asWished' | 'no' }
  /** The same at the directory of a rehearsal. */
  | { readonly kind: 'rehearse'; readonly directory: string; readonly effect: OrderEffect }
  /** What came of a rehearsal is written down; the names at `authorizations` (URLs there) shall have to be proven again next time. */
  | { readonly kind: 'closeRehearsal'; readonly end: RehearsalEnd; readonly authorizations: readonly string[] }
  | { readonly kind: 'readOrder'; readonly url: string }
  | { readonly kind: 'readAuthorizations'; readonly urls: readonly string[] }
  | { readonly kind: 'record'; readonly order: CaOrder; readonly authorizations: readonly CaAuthorization[] }
  | { readonly kind: 'present'; readonly proofs: readonly Proof[] }
  | { readonly kind: 'check'; readonly proofs: readonly Proof[] }
  | { readonly kind: 'answer'; readonly proofs: readonly Proof[] }
  | { readonly kind: 'finalize'; readonly order: CaOrder }
  | { readonly kind: 'download'; readonly url: string }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'rest' };

export interface RehearsalEnd {
  readonly directory: string;
  /** Why it came to nothing; absent where every name was proven. */
  readonly failure?: string;
}

/** How a name is to be proven, or the sentence that says why it cannot be. */
export type Means = { readonly type: ChallengeType } | { readonly refusal: string };

export type OrderFact =
  | { readonly kind: 'order'; readonly order: CaOrder }
  /** `listed` where the CA's own list of orders says so. */
  | { readonly kind: 'notFound'; readonly listed?: true }
  | {
      readonly kind: 'authorizations';
      readonly authorizations: readonly CaAuthorization[];
      /** By which challenge each of them is to be proven, in the same order. */
      readonly means: readonly Means[];
    }
  | { readonly kind: 'done' }
  /** What the effect needs is there now: it is asked for again. */
  | { readonly kind: 'prepared' }
  /**
   * Nothing speaks against the order; `walked` where the paths of all HTTP-01 names answered. `rehearse` where it must be proven there first; `url` is
   * that of an order there that an earlier process has begun.
   */
  | {
      readonly kind: 'cleared';
      readonly walked: boolean;
      readonly rehearse?: { readonly directory: string; readonly url?: string };
    }
  | { readonly kind: 'admitted' }
  /** It is not the order's turn, by a limit of the CA or because another one comes first; looked at again at `until` (epoch ms). */
  | { readonly kind: 'limited'; readonly reason: string; readonly message: string; readonly until: number }
  /** The path to a name does not lead to us; `until`, where the finder knows better when to look again (epoch ms). */
  | { readonly kind: 'unreachable'; readonly reason?: string; readonly message: string; readonly until?: number }
  /** The CA takes the order, but not as the replacement of the certificate that it named (RFC 9773 §5). */
  | { readonly kind: 'notReplaceable' }
  | { readonly kind: 'certificate'; readonly chainPem: string }
  | { readonly kind: 'problem'; readonly problem: CaProblem };
