// The roots that the demo's certificates must lead to, each asked from the CA itself: Pebble tells its root on its management
// port, a CA issuer's root is the certificate in the Secret that the issuer signs with.

import { X509Certificate } from 'node:crypto';
import type { Issuer } from '../../../src/api/certmanager.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import { get } from '../https.ts';
import type { Seen } from './seen.ts';

export interface Management {
  readonly management: string;
  readonly caPem: string;
}

/** Roots by issuer, "ClusterIssuer/ca-issuer"; the issuers are those of the example. */
export async function rootsOf(
  example: readonly KubeObject[],
  seen: Seen,
  acme: Management,
): Promise<ReadonlyMap<string, readonly X509Certificate[]>> {
  const { status, body } = await get(`${acme.management}/roots/0`, acme);
  if (status !== 200) {
    throw new Error(`Pebble's management port answers ${status} for its root`);
  }
  const pebbleRoot = new X509Certificate(body);
  const issuers = example.filter((object): object is Issuer => object.kind === 'ClusterIssuer');
  return new Map(
    issuers.map(({ kind, metadata, spec }) => {
      const roots = spec.acme === undefined ? signer(seen, spec.ca?.secretName) : [pebbleRoot];
      return [`${kind}/${metadata.name}`, roots] as const;
    }),
  );
}

function signer(seen: Seen, secretName = ''): readonly X509Certificate[] {
  const pem = seen.secrets.get(`Secret/certway-system/${secretName}`)?.object.data?.['tls.crt'];
  return pem === undefined ? [] : [new X509Certificate(Buffer.from(pem, 'base64'))];
}
