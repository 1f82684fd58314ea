// A ClusterIssuer that gives accounts, and what is stamped from it, with defaults that a test changes.

import type { AcmeIssuerSpec, Issuer } from '../../src/api/certmanager.ts';

export const acme: AcmeIssuerSpec = {
  server: 'https://ca.example/dir',
  email: 'platform@example.com',
  profile: 'tlsserver',
  preferredChain: 'Root X',
  caBundle: 'UEVN',
  privateKeySecretRef: { name: 'le-account', key: 'key.pem' },
  externalAccountBinding: { keyID: 'kid', keySecretRef: { name: 'binding', key: 'mac' } },
  solvers: [
    { http01: { gatewayHTTPRoute: {} } },
    { dns01: { cloudflare: { apiTokenSecretRef: { name: 'cloudflare', key: 'token' } } } },
  ],
};

export function template(
  annotations: Readonly<Record<string, string>> = { 'certway.dev/account-per-tenant': 'true' },
  change: Partial<Issuer> & { readonly name?: string } = {},
): Issuer {
  const { name = 'le', ...rest } = change;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name, uid: 't1', generation: 1, annotations },
    spec: { acme },
    ...rest,
  };
}
