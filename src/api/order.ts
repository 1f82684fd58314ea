// acme.cert-manager.io/v1 Order, as published by cert-manager 1.21: we write only these fields in its status.

import type { IssuerRef } from './certmanager.ts';
import type { KubeObject } from './meta.ts';

/** RFC 8555 §7.1.6, with cert-manager's `errored` for what the CA refused outright. */
export type OrderPhase = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid' | 'expired' | 'errored';

export interface OrderChallenge {
  readonly url: string;
  readonly token: string;
  readonly type: string;
}

export interface OrderAuthorization {
  readonly url: string;
  readonly identifier?: string;
  readonly wildcard?: boolean;
  readonly initialState?: string;
  readonly challenges?: readonly OrderChallenge[];
}

export interface Order extends KubeObject {
  readonly spec: {
    readonly issuerRef: IssuerRef;
    /** Base64 of a PEM CSR. */
    readonly request: string;
    readonly commonName?: string;
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: readonly string[];
    readonly duration?: string;
    readonly profile?: string;
    /** RFC 9773 §4.1: the certificate that this order's certificate takes the place of. */
    readonly replaces?: string;
  };
  readonly status?: {
    readonly url?: string;
    readonly finalizeURL?: string;
    readonly authorizations?: readonly OrderAuthorization[];
    readonly certificate?: string;
    readonly state?: OrderPhase;
    readonly reason?: string;
    readonly failureTime?: string;
  };
}
