// Watches of single Secrets against the real API server: each ends with the last object that names its Secret, and not before.

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Certificate, CertificateRequest, Issuer } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SecretWatches, secretWatches } from '../../src/apply/secret-watches.ts';
import { makeStores } from '../../src/apply/stores.ts';
import { wireTriggers } from '../../src/apply/triggers.ts';
import { readConfig } from '../../src/config.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import type { Store } from '../../src/kube/store.ts';
import { until } from '../rig/wait.ts';

const namespace = 'certway-system';
const name = 'named-by-some';
const fault = (error: unknown) => {
  throw error;
};
const ignore = () => undefined;
const queues = { gateway: ignore, certificate: ignore, issuer: ignore, request: ignore, cleanup: ignore };

let session: Session;
let stores: ReturnType<typeof makeStores>;
let secrets: SecretWatches;
let version = 0;

beforeAll(async () => {
  session = await openSession({ environment: {}, kubeconfig: inject('kubeconfig') });
});
afterAll(() => session[Symbol.asyncDispose]());
beforeEach(async () => {
  const config = readConfig(['controller'], {});
  if (!config.ok || config.value.command !== 'controller') throw new Error('the defaults are no configuration');
  const ending = new AbortController();
  stores = makeStores(fault);
  secrets = secretWatches({ session, signal: ending.signal, now: Date.now, onBug: fault, onChange: ignore });
  wireTriggers({ stores, settings: config.value.settings, hurried: new Set(), secrets }, queues);
  await until('the watch to stand', () => secrets.named(namespace, name).kind === 'ready');
  return () => ending.abort();
});

/** One that stands answers at once; one that has ended begins anew. */
const stands = () => secrets.named(namespace, name).kind === 'ready';

function metadata(of: string, change: object = {}) {
  version += 1;
  return { namespace, name: of, uid: of, generation: version, resourceVersion: String(version), ...change };
}

function issuer(of: string, secretName: string): Issuer {
  return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: metadata(of), spec: { ca: { secretName } } };
}

function clusterIssuer(of: string): Issuer {
  const { namespace: _, ...cluster } = metadata(of);
  const token = { apiTokenSecretRef: { name, key: 'token' } };
  const acme = {
    server: 'https://ca.example.com/dir',
    privateKeySecretRef: { name: 'account' },
    solvers: [{ dns01: { cloudflare: token } }],
  };
  return { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: cluster, spec: { acme } };
}

function certificate(of: string): Certificate {
  const keystores = { jks: { create: true, passwordSecretRef: { name, key: 'password' } } };
  const spec = { secretName: `${of}-tls`, issuerRef: { name: 'ca' }, keystores };
  return { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: metadata(of), spec };
}

function request(of: string): CertificateRequest {
  const annotations = { 'cert-manager.io/private-key-secret-name': name };
  const spec = { issuerRef: { name: 'self' }, request: '' };
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: metadata(of, { annotations }),
    spec,
  };
}

function comes<T extends KubeObject>(store: Store<T>, object: T): () => void {
  store.applied(object);
  return () => store.deleted({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } });
}

describe('a watch ends with the last that names its Secret', () => {
  test('whoever that is', () => {
    const leave = [
      comes(stores.issuers, issuer('one', name)),
      comes(stores.clusterIssuers, clusterIssuer('solving')),
      comes(stores.certificates, certificate('stored')),
      comes(stores.requests, request('by-hand')),
    ];
    for (const gone of leave) {
      expect(stands()).toBe(true);
      gone();
    }
    expect(stands()).toBe(false);
  });

  test('by an edit too; those of other names stay', async () => {
    stores.issuers.applied(issuer('one', name));
    stores.issuers.applied(issuer('two', 'another'));
    await until('the other watch to stand', () => secrets.named(namespace, 'another').kind === 'ready');
    stores.issuers.applied(issuer('one', 'another'));
    expect(secrets.named(namespace, 'another').kind).toBe('ready');
    expect(stands()).toBe(false);
  });

  test('of the namespace in which the Secret stands', () => {
    stores.issuers.applied(issuer('one', name));
    const elsewhere = { ...issuer('one', name), metadata: metadata('one', { namespace: 'elsewhere' }) };
    comes(stores.issuers, elsewhere)();
    expect(stands()).toBe(true);
  });
});
