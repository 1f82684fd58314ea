// The Secrets that an issuer's DNS-01 solvers need. Called for its Ready condition, and by the index that wakes it when one of them changes.

import type { Issuer, SecretKeySelector } from '../api/certmanager.ts';
import { solverSecrets } from '../dns/make-provider.ts';

export function dnsSecrets({ spec }: Issuer): readonly SecretKeySelector[] {
  return (spec.acme?.solvers ?? []).flatMap(({ dns01 }) => (dns01 === undefined ? [] : solverSecrets(dns01)));
}
