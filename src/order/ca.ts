// What a CA answers, reduced to what the order machine decides on (RFC 8555 §7.1). The acme folder produces these values; nothing here talks to it.

export interface CaIdentifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

/** What the CA says of one name among several (RFC 8555 §6.7.1). */
export interface CaSubproblem {
  readonly type: string;
  readonly detail: string;
  readonly identifier?: CaIdentifier;
}

export interface CaError {
  readonly type: string;
  readonly detail: string;
  readonly subproblems?: readonly CaSubproblem[];
}

export interface CaOrder {
  readonly url: string;
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  readonly identifiers: readonly CaIdentifier[];
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly error?: CaError;
  /** Epoch ms after which the CA forgets an order that is not valid by then. */
  readonly expires?: number;
  /** Epoch ms before which the CA asks not to be asked again. */
  readonly retryAt?: number;
}

export interface CaChallenge {
  readonly type: string;
  readonly url: string;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  readonly token?: string;
  readonly error?: CaError;
}

export interface CaAuthorization {
  readonly url: string;
  readonly identifier: CaIdentifier;
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  readonly wildcard: boolean;
  readonly challenges: readonly CaChallenge[];
  readonly retryAt?: number;
}

/** Every way in which a CA, or the way to it, can fail us (RFC 8555 §6.7). */
export type CaProblem =
  /** The CA understood and said no. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly type: string;
      readonly detail: string;
      readonly subproblems?: readonly CaSubproblem[];
      readonly retryAt?: number;
    }
  | {
      readonly kind: 'rateLimited';
      readonly detail: string;
      /** The fragment of the link in the detail, which names the limit at CAs that run Boulder. */
      readonly limit?: string;
      /** The account is paused until a person visits this address. */
      readonly pauseUrl?: string;
      readonly retryAt?: number;
    }
  /** 5xx, and refusals that did not come from the ACME server itself: a request may or may not have taken effect. */
  | { readonly kind: 'unavailable'; readonly status: number; readonly detail: string; readonly retryAt?: number }
  /** `no`: the request did not leave this process. `maybe`: the CA may have acted on it. */
  | { readonly kind: 'network'; readonly detail: string; readonly sent: 'no' | 'maybe' }
  | { readonly kind: 'malformed'; readonly detail: string };
