// What a CA answers, reduced to what the order machine decides on (RFC 8555 §7.1). The acme folder produces these values; nothing here talks to it.

export interface CaIdentifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

export interface CaError {
  readonly type: string;
  readonly detail: string;
}

export interface CaOrder {
  readonly url: string;
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  readonly identifiers: readonly CaIdentifier[];
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly error?: CaError;
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

export type CaProblem =
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly type: string;
      readonly detail: string;
      readonly retryAt?: number;
    }
  | {
      readonly kind: 'rateLimited';
      readonly detail: string;
      readonly limit?: string;
      readonly pauseUrl?: string;
      readonly retryAt?: number;
    }
  | { readonly kind: 'unavailable'; readonly status: number; readonly detail: string; readonly retryAt?: number }
  | { readonly kind: 'network'; readonly detail: string; readonly sent: 'no' | 'maybe' }
  | { readonly kind: 'malformed'; readonly detail: string };
