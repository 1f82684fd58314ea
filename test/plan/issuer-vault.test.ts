// What a Vault issuer's spec must say before Vault is asked, what its Ready condition says, and when it is asked again.

import { describe, expect, it } from 'vitest';
import type { VaultIssuer } from '../../src/api/vault-issuer.ts';
import { vaultMistake, vaultReadiness, vaultRetryAt, vaultSecretNames } from '../../src/plan/issuer-vault.ts';

const token = { tokenSecretRef: { name: 'token' } };
const fine: VaultIssuer = { server: 'https://vault.example.com:8200', path: 'pki/sign/web', auth: token };
const appRole = { path: 'approle', roleId: 'id', secretRef: { name: 'secret-id', key: 'value' } };
const pair = { clientCertSecretRef: { name: 'pair' }, clientKeySecretRef: { name: 'pair' } };

describe('a spec that can work', () => {
  it.each<[string, Partial<VaultIssuer>]>([
    ['a token', {}],
    ['http', { server: 'http://vault.svc:8200' }],
    ['a server behind a path', { server: 'https://example.com/vault/' }],
    ['AppRole', { auth: { appRole } }],
    ['Kubernetes with a Secret', { auth: { kubernetes: { role: 'r', secretRef: { name: 's' } } } }],
    ['Kubernetes with a ServiceAccount', { auth: { kubernetes: { role: 'r', serviceAccountRef: { name: 's' } } } }],
    [
      'an empty secretRef beside a ServiceAccount',
      { auth: { kubernetes: { role: 'r', secretRef: { name: '' }, serviceAccountRef: { name: 's' } } } },
    ],
    ['a client certificate of its own', { auth: { clientCertificate: { secretName: 'pair' } } }],
    ['the connection’s client certificate', { auth: { clientCertificate: {} }, ...pair }],
  ])('%s', (_, change) => {
    expect(vaultMistake({ ...fine, ...change })).toBeUndefined();
  });
});

describe('a spec that cannot work is told', () => {
  it.each<[Partial<VaultIssuer>, RegExp]>([
    [{ server: 'vault.example.com' }, /server "vault\.example\.com" is no address; write it as in https:/],
    [{ server: 'ftp://vault' }, /is no address/],
    [{ server: 'https://me:secret@vault' }, /is no address/],
    [{ server: 'https://vault/?x=1' }, /must end before any \?/],
    [{ path: '' }, /path "" is no path; write it as in pki\/sign\/my-role/],
    [{ path: 'pki/../sys/seal' }, /is no path/],
    [{ caBundle: 'eA==', caBundleSecretRef: { name: 'ca' } }, /exclude each other/],
    [{ auth: {} }, /needs one of tokenSecretRef, appRole, clientCertificate and kubernetes/],
    [{ auth: { ...token, appRole } }, /has tokenSecretRef and appRole; keep one/],
    [{ auth: { ...token, aws: { role: 'r' } } }, /has tokenSecretRef and aws; keep one/],
    [{ auth: { tokenSecretRef: { name: '' } } }, /tokenSecretRef\.name is empty/],
    [{ auth: { appRole: { ...appRole, roleId: ' ' } } }, /roleId is empty/],
    [{ auth: { appRole: { ...appRole, secretRef: { name: '' } } } }, /secretRef\.name is empty/],
    [{ auth: { appRole: { ...appRole, secretRef: { name: 's' } } } }, /secretRef\.key is empty/],
    [{ auth: { kubernetes: { role: '', secretRef: { name: 's' } } } }, /role is empty/],
    [{ auth: { kubernetes: { role: 'r' } } }, /needs secretRef\.name or serviceAccountRef\.name/],
    [
      { auth: { kubernetes: { role: 'r', secretRef: { name: 's' }, serviceAccountRef: { name: 's' } } } },
      /keep one of them/,
    ],
    [{ auth: { clientCertificate: {} } }, /needs secretName, or the issuer a clientCertSecretRef/],
    [{ server: 'http://vault', auth: { clientCertificate: { secretName: 's' } } }, /works over https only/],
    [{ clientCertSecretRef: { name: 'pair' } }, /belong together/],
  ])('%j', (change, words) => {
    expect(vaultMistake({ ...fine, ...change })).toEqual({
      kind: 'misconfigured',
      message: expect.stringMatching(words),
    });
  });

  it('as not supported for AWS', () => {
    const mistake = vaultMistake({ ...fine, auth: { aws: { role: 'r' } } });
    expect(mistake?.kind).toBe('notSupported');
    expect(vaultReadiness(mistake).readiness).toMatchObject({ status: 'False', reason: 'NotSupported' });
  });
});

describe('readiness', () => {
  it('has cert-manager’s words when Vault is verified', () => {
    const readiness = { status: 'True', reason: 'VaultVerified', message: 'Vault verified' };
    expect(vaultReadiness({ kind: 'ready' })).toEqual({ readiness });
  });

  it('waits for a watch where a Secret is at fault, and for a time where Vault is', () => {
    const not = (message: string) => ({ status: 'False', reason: 'VaultError', message });
    expect(vaultReadiness({ kind: 'absent', message: 'gone' })).toEqual({ readiness: not('gone') });
    expect(vaultReadiness({ kind: 'failed', message: 'sealed', retryAt: 7 })).toEqual({
      readiness: not('sealed'),
      revisitAt: 7,
    });
  });

  it('asks again after pauses that double, to a minute or five', () => {
    const pauses = (failure: 'refusal' | 'outage') =>
      [1, 2, 4, 5, 9, 99].map((nth) => vaultRetryAt(failure, nth, 0) / 1000);
    expect(pauses('outage')).toEqual([5, 10, 40, 60, 60, 60]);
    expect(pauses('refusal')).toEqual([5, 10, 40, 80, 300, 300]);
  });
});

it('names each Secret once', () => {
  const auth = { clientCertificate: { secretName: 'pair' } };
  expect(vaultSecretNames({ ...fine, ...pair, auth, caBundleSecretRef: { name: 'ca' } })).toEqual(['pair', 'ca']);
  expect(vaultSecretNames({ ...fine, auth: { kubernetes: { role: 'r', serviceAccountRef: { name: 's' } } } })).toEqual(
    [],
  );
});
