// What a tenant writes into an Issuer of a stamped one's name is never believed, not even in the moment before it is put back; nor do labels make another
// Issuer a stamped one. The caches are real, filled by hand.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Issuer, IssuerSpec } from '../../src/api/certmanager.ts';
import { newKeySecret } from '../../src/apply/account-key.ts';
import { sharers } from '../../src/apply/issuer-held.ts';
import { secretNamespace } from '../../src/apply/issuer-of.ts';
import { asItCounts, asServed, stampLack, stampVerdict, templateFor } from '../../src/apply/stamp-served.ts';
import { makeStores } from '../../src/apply/stores.ts';
import { stampedIssuer } from '../../src/plan/stamp.ts';
import { acme, template } from './stamp-scene.ts';

function open() {
  const stores = makeStores((error) => {
    throw error;
  });
  return { stores, settings: { clusterResourceNamespace: 'platform' } };
}

let ports: ReturnType<typeof open>;
let versions = 0;

beforeEach(() => {
  ports = open();
  put(template());
});

function put(issuer: Issuer): Issuer {
  versions += 1;
  const metadata = { uid: `u${versions}`, ...issuer.metadata, resourceVersion: `${versions}` };
  const kept = { ...issuer, metadata };
  (metadata.namespace === undefined ? ports.stores.clusterIssuers : ports.stores.issuers).note(kept);
  return kept;
}

function issuer(name: string, namespace: string, spec: IssuerSpec): Issuer {
  const labels = { 'app.kubernetes.io/managed-by': 'certway', 'certway.dev/stamped-from': 'le' };
  return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: { name, namespace, labels }, spec };
}

const aliceKey = { acme: { ...acme, privateKeySecretRef: { name: 'le.tenant-account.alice' } } };
const elsewhere = { acme: { ...aliceKey.acme, server: 'https://evil.example/dir', solvers: [] } };

describe('an Issuer of a stamped one’s name', () => {
  it.each<[string, IssuerSpec]>([
    ['another’s key', aliceKey],
    ['another CA', elsewhere],
    ['no account at all', { selfSigned: {} }],
    ['a CA’s key', { ca: { secretName: 'letsencrypt-account' } }],
  ])('that claims %s counts as what would have been stamped', (_, spec) => {
    const forged = put(issuer('le.tenant-account', 'mallory', spec));
    expect(asServed(ports, forged).spec).toEqual(stampedIssuer(template(), 'mallory').spec);
    expect(secretNamespace(ports, forged)).toBe('platform');
    expect(stampVerdict(ports, forged)).toBeUndefined();
  });

  it('shares a key with nobody, whatever it claims', () => {
    const alices = put({ ...stampedIssuer(template(), 'alice') });
    put(issuer('le.tenant-account', 'mallory', aliceKey));
    put(issuer('le.tenant-account', 'trudy', elsewhere));
    put(issuer('mine', 'mallory', aliceKey));
    expect(sharers(ports, asItCounts(ports, alices))).toEqual([]);
  });

  it('is not served without a template that gives accounts, and reads no Secret of its namespace even then', () => {
    const orphan = put(issuer('gone.tenant-account', 'mallory', aliceKey));
    put(template({}, { name: 'off' }));
    const former = put(issuer('off.tenant-account', 'mallory', aliceKey));
    for (const each of [orphan, former]) {
      expect(asServed(ports, each).spec).toEqual({});
      expect(secretNamespace(ports, each)).toBe('platform');
      expect(stampVerdict(ports, each)?.readiness).toMatchObject({ status: 'False', reason: 'NoTenantAccount' });
    }
    expect(stampLack(ports, orphan.metadata)).toMatch(/"gone".*does not exist/);
    expect(stampLack(ports, former.metadata)).toMatch(/"off" gives this namespace no account/);
    // Orders that are left are cleaned up with the solvers that they were made with.
    expect(asItCounts(ports, former).spec.acme?.solvers).toEqual(acme.solvers);
    expect(asItCounts(ports, orphan).spec).toEqual({});
  });
});

describe('an Issuer of any other name', () => {
  it('is its own, whatever its labels say', () => {
    const own = put(issuer('le', 'mallory', aliceKey));
    expect(asServed(ports, own)).toBe(own);
    expect(secretNamespace(ports, own)).toBe('mallory');
    expect(stampLack(ports, own.metadata)).toBeUndefined();
  });

  it('may be a ClusterIssuer that is called like a stamped one', () => {
    const odd = put(template({}, { name: 'le.tenant-account' }));
    expect(asServed(ports, odd)).toBe(odd);
    expect(secretNamespace(ports, odd)).toBe('platform');
    expect(templateFor(ports, 'le.tenant-account', 'alice')).toBeUndefined();
  });
});

it('makes a key Secret that is found when its Issuer is gone, and no other Issuer’s is', async () => {
  const key = { key: (await import('node:crypto')).generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey };
  const facts = { ...key, hash: '', thumbprint: '' };
  const stamped = newKeySecret(stampedIssuer(template(), 'alice'), 'platform', facts);
  expect(stamped.metadata).toEqual({
    name: 'le.tenant-account.alice',
    namespace: 'platform',
    labels: { 'app.kubernetes.io/managed-by': 'certway', 'certway.dev/stamped-from': 'le' },
  });
  expect(newKeySecret(template(), 'platform', facts).metadata.labels).toEqual({
    'app.kubernetes.io/managed-by': 'cert-manager',
  });
});
