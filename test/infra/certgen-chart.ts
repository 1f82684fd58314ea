// The Secrets of Envoy Gateway as its chart's certgen leaves them. For the tests of their take-over and renewal.

import type { KeyObject } from 'node:crypto';
import type { Secret } from '../../src/api/core.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { selfSign, signCsr } from '../../src/pki/sign.ts';

export const systemNamespace = 'envoy-gateway-system';
export const day = 24 * 3600 * 1000;
export const leaves = ['envoy-gateway', 'envoy', 'envoy-rate-limit'];
export type Secrets = ReadonlyMap<string, Secret>;

// An RSA key takes long to make, and which one it is matters to no test.
const rsaKeys = new Map<string, Promise<KeyObject>>();

function rsaKey(of: string): Promise<KeyObject> {
  const key = rsaKeys.get(of) ?? generateKey({ algorithm: 'RSA', size: 2048 });
  rsaKeys.set(of, key);
  return key;
}

/** As Envoy Gateway's certgen makes them: RSA, one CA whose key is thrown away, five years. */
export async function ofChart(now: number, lifeMs: number): Promise<Secrets> {
  const notBefore = now - day;
  const notAfter = now - day + lifeMs;
  const key = await rsaKey('ca');
  const names = { commonName: 'envoy-gateway', dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [] };
  const terms = {
    notBefore,
    notAfter,
    usages: ['cert sign', 'digital signature'],
    isCA: true,
    serial: Buffer.from([1]),
  };
  const ca = await selfSign({ ...terms, csr: await createCsr({ key, names, usages: terms.usages, isCA: true }), key });
  if (!ca.ok) throw new Error(ca.problem.message);
  const service = `envoy-gateway.${systemNamespace}`;
  const own = ['envoy-gateway', service, `${service}.svc`, `${service}.svc.cluster.local`];
  const secrets = leaves.map(async (name) => {
    const dnsNames = name === 'envoy-gateway' ? own : [`*.${systemNamespace}`];
    return [name, await chartLeaf(name, dnsNames, { key, pem: ca.value.caPem }, notBefore, notAfter)] as const;
  });
  return new Map([...(await Promise.all(secrets)), ['envoy-oidc-hmac', hmac]]);
}

export const hmac: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'envoy-oidc-hmac', namespace: systemNamespace },
  type: 'Opaque',
  data: { 'hmac-secret': Buffer.alloc(32, 7).toString('base64') },
};

async function chartLeaf(
  name: string,
  dnsNames: readonly string[],
  ca: { readonly key: KeyObject; readonly pem: string },
  notBefore: number,
  notAfter: number,
): Promise<Secret> {
  const key = await rsaKey(name);
  const names = { commonName: 'x', dnsNames, ipAddresses: [], uris: [], emailAddresses: [] };
  const csr = await createCsr({ key, names });
  const issuer = { chain: [ca.pem], key: ca.key };
  const signed = await signCsr({ csr, notBefore, notAfter, usages: [], isCA: false, serial: Buffer.from([2]), issuer });
  if (!signed.ok) throw new Error(signed.problem.message);
  const fields = { 'ca.crt': ca.pem, 'tls.crt': signed.value.chainPem, 'tls.key': keyToPem(key, 'PKCS1') };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: systemNamespace },
    type: 'kubernetes.io/tls',
    data: Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, Buffer.from(v).toString('base64')])),
  };
}
