// acme.cert-manager.io/v1 Challenge, as published by cert-manager 1.21. Ours mirror proofs that are not settled at their first try.

import type { AcmeSolver, IssuerRef } from './certmanager.ts';
import type { KubeObject } from './meta.ts';

export interface Challenge extends KubeObject {
  readonly spec: {
    readonly url: string;
    readonly authorizationURL: string;
    readonly dnsName: string;
    readonly wildcard?: boolean;
    readonly type: 'HTTP-01' | 'DNS-01';
    readonly token: string;
    /** What the CA must find: the key authorization, or for DNS-01 its digest. */
    readonly key: string;
    readonly issuerRef: IssuerRef;
    readonly solver: AcmeSolver;
  };
  readonly status?: {
    readonly state?: 'pending' | 'processing' | 'valid' | 'invalid' | 'expired' | 'errored';
    readonly reason?: string;
    readonly presented?: boolean;
    readonly processing?: boolean;
  };
}
