// Certificates of a team with any spec, and what came of them: the issued pair as openssl and our own reader see it, the requests behind it.
// Called by the spec and renewal tests.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate, CertificateRequest, CertificateSpec } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { annotations } from '../../src/api/names.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { type CertificateFacts, readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { run } from '../keystore/pairs.ts';
import { openssl } from '../pki/openssl.ts';
import { until } from '../rig/wait.ts';
import type { Team } from './team.ts';
import { askedMeanwhile, type Trail } from './trail.ts';

/** With what a test leaves out: a Secret of the Certificate's name, the issuer "ca", and a key that is made quickly. */
export type SpecWish = Partial<CertificateSpec>;

export function certificateOf(
  namespace: string,
  name: string,
  wish: SpecWish,
  noted: Readonly<Record<string, string>> = {},
): KubeObject & { readonly spec: CertificateSpec } {
  const common = { secretName: `${name}-tls`, issuerRef: { name: 'ca' }, privateKey: { algorithm: 'ECDSA' } } as const;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace, annotations: noted },
    spec: { ...common, ...wish },
  };
}

export function issuerOf(namespace: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: { name, namespace }, ...{ spec } };
}

/** The whole spec anew: what a wish leaves out is taken away. */
export async function put(
  team: Team,
  name: string,
  wish: SpecWish,
  noted?: Readonly<Record<string, string>>,
): Promise<CertificateSpec> {
  const object = certificateOf(team.namespace, name, wish, noted);
  await team.kubectl.apply([object]);
  return object.spec;
}

export interface Pair {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly caPem: string;
  readonly leafPem: string;
  readonly facts: CertificateFacts;
  /** `openssl x509 -text`. */
  readonly text: string;
}

/** What stands in the Secret now. */
export async function pairOf(team: Team, secretName: string): Promise<Pair> {
  const secret = await team.secret(secretName);
  const part = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  const [chainPem, keyPem, caPem] = [part('tls.crt'), part('tls.key'), part('ca.crt')];
  const leafPem = splitPem(chainPem)[0] ?? '';
  const facts = readCertificate(leafPem);
  if (!facts.ok) throw new Error(`Secret ${secretName}: ${facts.problem.message}`);
  const text = openssl(['x509', '-in', '{leaf}', '-noout', '-text'], { leaf: leafPem });
  return { chainPem, keyPem, caPem, leafPem, facts: facts.value, text };
}

/** Waits until the Certificate is Ready at that revision for the spec as it is now, and answers it. */
export function atRevision(team: Team, name: string, revision: number, deadlineMs = 30_000): Promise<Certificate> {
  return until(
    `Certificate ${team.namespace}/${name} to be Ready at revision ${revision}`,
    async () => {
      const found = await team.certificate(name);
      const { conditions = [], revision: has } = found?.status ?? {};
      const ready = conditions.find(({ type }) => type === 'Ready');
      const isSettled = ready?.observedGeneration === found?.metadata.generation && ready?.status === 'True';
      if (isSettled && has === revision && conditions.every(({ type }) => type !== 'Issuing')) return found;
      throw new Error(JSON.stringify(found?.status ?? 'no status'));
    },
    { deadlineMs },
  );
}

/** Those of the Certificate that still exist, by revision. */
export async function requestsOf(team: Team, name: string): Promise<readonly CertificateRequest[]> {
  const revision = (each: CertificateRequest) => Number(each.metadata.annotations?.[annotations.certificateRevision]);
  return (await team.all(certificateRequests))
    .filter(({ metadata }) => metadata.annotations?.[annotations.certificateName] === name)
    .toSorted((a, b) => revision(a) - revision(b));
}

/** The CSR of the newest request, as `openssl req -text` shows it. */
export async function csrText(team: Team, name: string): Promise<string> {
  const newest = (await requestsOf(team, name)).at(-1);
  const csr = Buffer.from(newest?.spec.request ?? '', 'base64').toString();
  return openssl(['req', '-in', '{csr}', '-noout', '-text', '-verify'], { csr });
}

/** What `openssl verify` says of the leaf under the root: it ends with "OK", or with its exit code. */
export function verified(rootPem: string, chainPem: string): string {
  const [leaf = '', ...path] = splitPem(chainPem);
  const folder = mkdtempSync(join(tmpdir(), 'certway-verify-'));
  try {
    const [root, untrusted] = [join(folder, 'root'), join(folder, 'path')];
    writeFileSync(root, rootPem);
    writeFileSync(untrusted, path.join(''));
    const between = path.length === 0 ? [] : ['-untrusted', untrusted];
    const args = ['verify', '-no-CApath', '-no-CAstore', '-CAfile', root, ...between, '{file}'];
    return run('openssl', args, Buffer.from(leaf)).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As `cmctl renew` does it. */
export async function askToRenew(team: Team, name: string): Promise<void> {
  const message = 'Certificate re-issuance manually triggered';
  const condition = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message };
  const found = await team.certificate(name);
  const others = (found?.status?.conditions ?? []).filter(({ type }) => type !== 'Issuing');
  const lastTransitionTime = new Date().toISOString();
  const patch = JSON.stringify({ status: { conditions: [...others, { ...condition, lastTransitionTime }] } });
  const what = ['certificates.cert-manager.io', name, '-n', team.namespace];
  await team.kubectl.run(['patch', ...what, '--subresource=status', '--type=merge', '-p', patch]);
}

let markers = 0;

/** Certificates that come later are issued; meanwhile nothing is read or written about those whose names begin with `stem`. */
export async function askedSince(team: Team, trail: Trail, stem: string): Promise<readonly string[]> {
  return askedMeanwhile(trail, { namespace: team.namespace, stem }, async () => {
    markers += 1;
    await put(team, `marker${markers}`, { dnsNames: ['marker.example.com'] });
    await team.ready(`marker${markers}`);
  });
}

/** The alternative names and other lines below a heading of `openssl x509 -text`. */
export function below(text: string, heading: string): string {
  return new RegExp(`${heading}:[^\\n]*\\n\\s+([^\\n]+)`).exec(text)?.[1]?.trim() ?? '';
}
