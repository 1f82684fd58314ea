// Does what the plan of certificates says, up to the Secrets as they shall stand: keys, the CA, certificates. Called by the reconciler of the
// system, which applies them. Private keys leave it only as Secrets.

import { type KeyObject, randomBytes } from 'node:crypto';
import type { Secret } from '../api/core.ts';
import type { Reply } from '../api/reply.ts';
import { secrets as secretResource } from '../api/resources.ts';
import {
  authorityLife,
  type CertificateAction,
  type CertificatePlan,
  type CertificatesSeen,
  hmacKey,
  leafLife,
} from '../infra/certgen.ts';
import { pairOf, sameCertificate } from '../infra/certgen-read.ts';
import { authoritySecret, hmacSecret } from '../infra/eg-names.ts';
import { rendered } from '../infra/render-object.ts';
import type { Wanted } from '../infra/wanted.ts';
import { createCsr } from '../pki/csr.ts';
import { generateKey, keyToPem } from '../pki/keys.ts';
import type { PkiProblem } from '../pki/problem.ts';
import { selfSign, signCsr } from '../pki/sign.ts';

interface Authority {
  readonly pem: string;
  readonly key: KeyObject;
}

/** Clocks of nodes differ. */
const skew = 5 * 60 * 1000;
const keySpec = { algorithm: 'ECDSA', size: 256 } as const;

/** The Secrets of the plan's actions, in its order, with ownership labels for `uid` (of the GatewayInfra). */
export async function makeCertificates(
  plan: CertificatePlan,
  seen: CertificatesSeen,
  uid: string,
  now: number,
): Promise<Reply<readonly Wanted[], PkiProblem>> {
  const made: Wanted[] = [];
  let authority = knownAuthority(seen);
  for (const action of plan.actions) {
    if (action.kind === 'makeAuthority') {
      const fresh = await makeAuthority(now);
      if (!fresh.ok) return fresh;
      authority = fresh.value;
      made.push(secretOf(seen, uid, authoritySecret, pairData(fresh.value.pem, fresh.value.key)));
      continue;
    }
    const data = await dataOf(action, seen, authority, now);
    if (!data.ok) return data;
    made.push(secretOf(seen, uid, action.kind === 'makeHmac' ? hmacSecret : action.secret, data.value));
  }
  return { ok: true, value: made };
}

type SecretData = NonNullable<Secret['data']>;

async function dataOf(
  action: Exclude<CertificateAction, { readonly kind: 'makeAuthority' }>,
  seen: CertificatesSeen,
  authority: Authority | undefined,
  now: number,
): Promise<Reply<SecretData, PkiProblem>> {
  if (action.kind === 'makeHmac') return { ok: true, value: { [hmacKey]: randomBytes(32).toString('base64') } };
  if (authority === undefined) throw new Error('the plan signs without a CA');
  const bundle = encoded(
    [authority.pem, ...action.trusted.filter((pem) => !sameCertificate(pem, authority.pem))].join(''),
  );
  if (action.kind === 'trust') {
    return { ok: true, value: { ...seen.secrets.get(action.secret)?.data, 'ca.crt': bundle } };
  }
  const issued = await issue(action.dnsNames, authority, now);
  return issued.ok ? { ok: true, value: { ...issued.value, 'ca.crt': bundle } } : issued;
}

async function makeAuthority(now: number): Promise<Reply<Authority, PkiProblem>> {
  const key = await generateKey(keySpec);
  const usages = ['cert sign', 'crl sign', 'digital signature'];
  const csr = await createCsr({ key, names: namesOf('envoy-gateway', []), usages, isCA: true });
  const terms = { csr, notBefore: now - skew, notAfter: now + authorityLife, usages, isCA: true };
  const signed = await selfSign({ ...terms, serial: randomBytes(16), key });
  return signed.ok ? { ok: true, value: { pem: signed.value.chainPem, key } } : signed;
}

/** Server and client both: the rate limit service asks its clients for one. */
async function issue(
  dnsNames: readonly string[],
  authority: Authority,
  now: number,
): Promise<Reply<SecretData, PkiProblem>> {
  const key = await generateKey(keySpec);
  const usages = ['digital signature', 'server auth', 'client auth'];
  const csr = await createCsr({ key, names: namesOf(undefined, dnsNames), usages });
  const signed = await signCsr({
    csr,
    notBefore: now - skew,
    notAfter: now + leafLife,
    usages,
    isCA: false,
    serial: randomBytes(16),
    issuer: { chain: [authority.pem], key: authority.key },
  });
  return signed.ok ? { ok: true, value: pairData(signed.value.chainPem, key) } : signed;
}

function namesOf(commonName: string | undefined, dnsNames: readonly string[]) {
  return { ...(commonName && { commonName }), dnsNames, ipAddresses: [], uris: [], emailAddresses: [] };
}

function pairData(certificate: string, key: KeyObject): SecretData {
  return { 'tls.crt': encoded(certificate), 'tls.key': encoded(keyToPem(key, 'PKCS8')) };
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function knownAuthority({ secrets }: CertificatesSeen): Authority | undefined {
  const secret = secrets.get(authoritySecret);
  return secret === undefined ? undefined : pairOf(secret);
}

/** With the label by which Envoy Gateway's own certgen marks them. */
function secretOf({ systemNamespace }: CertificatesSeen, uid: string, name: string, data: SecretData): Wanted {
  const type = name === hmacSecret ? 'Opaque' : 'kubernetes.io/tls';
  const labels = { 'control-plane': 'envoy-gateway' };
  return rendered(secretResource, uid, { name, namespace: systemNamespace, labels }, { type, data });
}
