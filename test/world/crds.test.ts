// Our CustomResourceDefinitions on a real API server: what cert-manager 1.21 takes is taken and kept, what its webhook refuses is
// refused with a sentence that says what to change. The manifests stand in crds/*.yaml; validation is strict, as in `kubectl apply`.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { kubectlFor } from '../rig/kubectl.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Example {
  readonly name: string;
  readonly manifest: Manifest;
  readonly says: string;
}

// Another one at each run: the last run's may still be on its way out.
const namespace = `crds-${Date.now().toString(36)}`;
const kubectl = kubectlFor({ kubectl: inject('kubectl'), kubeconfig: inject('kubeconfig') });
const read = async (...path: readonly string[]) => parse(await readFile(join(import.meta.dirname, ...path), 'utf8'));

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Fields;
}

function object(kind: string, spec: Fields): Manifest {
  const group = kind === 'Order' || kind === 'Challenge' ? 'acme.cert-manager.io' : 'cert-manager.io';
  const metadata = { name: 'example', ...(kind !== 'ClusterIssuer' && { namespace }) };
  const given = Object.entries(spec).filter(([, value]) => value !== null);
  return { apiVersion: `${group}/v1`, kind, metadata, spec: Object.fromEntries(given) };
}

const issuerRef = { name: 'some', kind: 'Issuer' };
const csr = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64');
const account = { server: 'https://acme-v02.api.letsencrypt.org/directory', privateKeySecretRef: { name: 'account' } };
const pki = { server: 'https://vault.example.com', path: 'pki/sign/example' };
const acme = (spec: Fields) =>
  object('Issuer', {
    acme: Object.fromEntries(Object.entries({ ...account, ...spec }).filter(([, value]) => value !== null)),
  });
const solvers = (...given: readonly Fields[]) => acme({ solvers: given });

/** What completes each part of a manifest that the tables hold. */
const whole: Readonly<Record<string, (part: never) => Manifest>> = {
  certificate: (spec: Fields) =>
    object('Certificate', { secretName: 'example-tls', issuerRef, dnsNames: ['app.example.com'], ...spec }),
  certificateRequest: (spec: Fields) => object('CertificateRequest', { request: csr, issuerRef, ...spec }),
  order: (spec: Fields) => object('Order', spec),
  challenge: (spec: Fields) => object('Challenge', spec),
  issuer: (spec: Fields) => object('Issuer', spec),
  clusterIssuer: (spec: Fields) => object('ClusterIssuer', spec),
  vault: (spec: Fields) => object('Issuer', { vault: { ...pki, ...spec } }),
  acme,
  solvers: (given: readonly Fields[]) => solvers(...given),
  dns01: (dns01: Fields) => solvers({ dns01 }),
};

function example({ name, says = '', ...part }: { name: string; says?: string }): Example {
  for (const [kind, complete] of Object.entries(whole)) {
    const given: Readonly<Record<string, never>> = part;
    if (given[kind] !== undefined) return { name, says, manifest: complete(given[kind]) };
  }
  throw new Error(`The example "${name}" is of no kind that this suite knows.`);
}

const taken: readonly Example[] = (await read('crds/taken.yaml')).map(example);
const refused: readonly Example[] = (await read('crds/refused.yaml')).map(example);

/** What `kubectl apply --dry-run=server --validate=strict` sends, without the four requests that it makes before, for each of hundreds. */
function tryOut(manifest: Manifest): Promise<string> {
  const { apiVersion, kind, metadata } = manifest;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const path = `/apis/${apiVersion}${scope}/${kind.toLowerCase()}s?dryRun=All&fieldValidation=Strict`;
  return kubectl.run(['create', '--raw', path, '-f', '-'], JSON.stringify(manifest));
}

beforeAll(async () => {
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
});
afterAll(() => kubectl.run(['delete', 'namespace', namespace, '--wait=false']));

describe('the API server takes, and keeps every field of,', () => {
  it.concurrent.each(taken)('$name', async ({ manifest }) => {
    expect(JSON.parse(await tryOut(manifest))).toMatchObject(manifest);
  });

  it('a parent without kind and group, which becomes a Gateway', async () => {
    const applied = await tryOut(solvers({ http01: { gatewayHTTPRoute: { parentRefs: [{ name: 'public' }] } } }));
    const parentRefs = [{ name: 'public', kind: 'Gateway', group: 'gateway.networking.k8s.io' }];
    expect(JSON.parse(applied).spec.acme.solvers).toEqual([{ http01: { gatewayHTTPRoute: { parentRefs } } }]);
  });
});

describe('the API server refuses', () => {
  it.concurrent.each(refused)('$name', async ({ manifest, says }) => {
    await expect(tryOut(manifest)).rejects.toThrow(says);
  });
});

describe('what was made once', () => {
  // Of a group that no controller here signs for.
  const foreign = { name: 'crds-test', kind: 'Signer', group: 'signers.example.test' };
  const patch = (kind: string, body: Fields, ...flags: readonly string[]) =>
    kubectl.run(['patch', kind, 'example', '-n', namespace, '--type=merge', '-p', JSON.stringify(body), ...flags]);
  const conditions = (...types: readonly (readonly [string, string])[]) => ({
    status: { conditions: types.map(([type, status]) => ({ type, status, reason: 'Test', message: 'by a test' })) },
  });
  const status = ['--subresource=status', '--dry-run=server'];

  beforeAll(async () => {
    const challenge = taken.find((one) => one.name === 'a Challenge')?.manifest;
    const order = object('Order', { request: csr, issuerRef: foreign });
    const request = object('CertificateRequest', { request: csr, issuerRef: foreign });
    await kubectl.apply([request, order, ...(challenge ? [challenge] : [])]);
  });

  it('as a CertificateRequest takes labels, but no other spec', async () => {
    await patch('cr', { metadata: { labels: { a: 'b' } } }, '--dry-run=server');
    const change = patch('cr', { spec: { isCA: true } }, '--dry-run=server');
    await expect(change).rejects.toThrow('a CertificateRequest cannot be changed once it was made');
  });

  it('as an Order keeps its CSR', async () => {
    await patch('order', { spec: { dnsNames: ['a.example.com'] } }, '--dry-run=server');
    const change = patch('order', { spec: { request: Buffer.from('other').toString('base64') } }, '--dry-run=server');
    await expect(change).rejects.toThrow('the CSR of an Order cannot be changed');
  });

  it.each([{ token: 'other' }, { solver: { http01: { ingress: { class: 'other' } } } }])(
    'as a Challenge keeps %j',
    async (spec) => {
      const change = patch('challenge', { spec }, '--dry-run=server');
      await expect(change).rejects.toThrow('a Challenge cannot be changed once it was made');
    },
  );

  it('is approved or denied for good', async () => {
    await expect(patch('cr', conditions(['Approved', 'False']), ...status)).rejects.toThrow('may only be True');
    await expect(patch('cr', conditions(['Approved', 'True'], ['Denied', 'True']), ...status)).rejects.toThrow(
      'not both',
    );
    await patch('cr', conditions(['Approved', 'True']), '--subresource=status');
    await patch('cr', conditions(['Approved', 'True'], ['Ready', 'False']), ...status);
    await expect(patch('cr', conditions(['Ready', 'True']), ...status)).rejects.toThrow(
      'an approval or a denial is final',
    );
    await expect(patch('cr', { status: null }, ...status)).rejects.toThrow('an approval or a denial is final');
  });

  it('is listed by the names, columns and fields that people know', async () => {
    const one = ['--field-selector=spec.issuerRef.name=crds-test', '-o', 'wide', '-n', namespace];
    expect(await kubectl.run(['get', 'crs', ...one])).toMatch(
      /^NAME +APPROVED +DENIED +READY +ISSUER +REQUESTER +STATUS +AGE\nexample .*\n?$/,
    );
    const wide = /^NAME +STATE +DOMAIN +REASON +ISSUER +AGE\nexample .*\n?$/;
    expect(await kubectl.run(['get', 'orders', ...one])).toMatch(wide);
    const plain = await kubectl.run(['get', 'orders,challenges', '-A']);
    expect(plain).toMatch(/^NAMESPACE +NAME +STATE +DOMAIN +REASON +AGE\n/);
    expect(plain).toMatch(
      /\nNAMESPACE +NAME +STATE +DOMAIN +REASON +AGE\n\S+ +challenge\.acme\.cert-manager\.io\/example /,
    );
    await kubectl.run(['get', 'cert,certs,cr,iss,ciss,cert-manager,cert-manager-acme', '-n', namespace]);
  });
});

describe('the files', () => {
  // A description with an unquoted comma in a flow mapping becomes further fields, which a plain `kubectl apply` drops in silence.
  it.each(['crds', 'deploy'])('in %s hold nothing that the API server does not know', async (folder) => {
    const files = `--filename=${join(import.meta.dirname, '../..', folder)}`;
    await kubectl.run(['apply', files, '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']);
  });

  it('give Issuer and ClusterIssuer one schema', async () => {
    const [one, all] = await Promise.all(['issuers', 'clusterissuers'].map((name) => read(`../../crds/${name}.yaml`)));
    expect(all.spec.versions).toEqual(one.spec.versions);
  });
});
