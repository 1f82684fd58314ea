// solver.dns01 of an ACME issuer as its users write it (acme.cert-manager.io/v1). Providers that we do not perform are known by name only.

import type { SecretKeySelector } from './certmanager.ts';

export interface Dns01Solver {
  /** None unless given. */
  readonly cnameStrategy?: 'None' | 'Follow';
  /** Recursive servers of this solver alone, `host:port` or an https URL: they are asked in place of the flag's and of the authorities. */
  readonly nameservers?: readonly string[];
  readonly rfc2136?: Rfc2136Solver;
  readonly cloudflare?: CloudflareSolver;
  readonly route53?: Route53Solver;
  readonly webhook?: WebhookSolver;
  readonly acmeDNS?: unknown;
  readonly akamai?: unknown;
  readonly azureDNS?: unknown;
  readonly cloudDNS?: unknown;
  readonly digitalocean?: unknown;
}

export interface Rfc2136Solver {
  /** `host`, `host:port` or `[address]:port`. */
  readonly nameserver: string;
  /** A `tsigSecretSecretRef` with an empty name, which Go clients write, counts as none. */
  readonly tsigSecretSecretRef?: SecretKeySelector;
  readonly tsigKeyName?: string;
  /** HMACMD5 unless given; in any case of letters. */
  readonly tsigAlgorithm?: string;
  readonly protocol?: 'TCP' | 'UDP';
}

export interface CloudflareSolver {
  readonly email?: string;
  readonly apiTokenSecretRef?: SecretKeySelector;
  readonly apiKeySecretRef?: SecretKeySelector;
}

export interface Route53Solver {
  readonly region?: string;
  readonly hostedZoneID?: string;
  /** An ARN that is assumed with whichever credentials there are. */
  readonly role?: string;
  readonly accessKeyID?: string;
  readonly accessKeyIDSecretRef?: SecretKeySelector;
  readonly secretAccessKeySecretRef?: SecretKeySelector;
  readonly auth?: {
    readonly kubernetes?: {
      readonly serviceAccountRef?: { readonly name: string; readonly audiences?: readonly string[] };
    };
  };
}

export interface WebhookSolver {
  readonly groupName: string;
  readonly solverName: string;
  /** For the webhook alone. */
  readonly config?: unknown;
}
