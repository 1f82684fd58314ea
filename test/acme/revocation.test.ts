// Revocation at a real Pebble, by the account and by the certificate's own key.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { download, downloadAll } from '../../src/acme/certificate.ts';
import { revoke } from '../../src/acme/revocation.ts';
import { splitPem } from '../../src/pki/certificate.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { startScriptedCa } from './scripted-ca.ts';
import { accountKey, got, issue, newSession, problemOf } from './steps.ts';

let ca: OwnCa;
beforeAll(async () => {
  ca = await startOwnCa({ env: { PEBBLE_ALTERNATE_ROOTS: '2' } });
}, 120_000);
afterAll(() => ca[Symbol.asyncDispose]());

async function issued(name: string) {
  const endpoint = ca.open();
  const session = await newSession(endpoint);
  const { key, chainPem } = await issue(session, [name], ca.answers);
  const certificate = new X509Certificate(chainPem);
  return { endpoint, session, key, certificate, [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose]() };
}

/** What the CA says of the certificate to everybody. */
function standing({ serialNumber }: X509Certificate): Promise<unknown> {
  return ca.manage(`/cert-status-by-serial/${serialNumber.toLowerCase()}`);
}

test('the account that ordered a certificate revokes it, once', async () => {
  await using one = await issued('by-account.example.com');
  const revoker = { kind: 'account', session: one.session } as const;
  expect(got(await revoke(revoker, one.certificate, 'superseded'))).toBe('revoked');
  expect(await standing(one.certificate)).toMatchObject({ Status: 'Revoked', Reason: 4 });
  expect(got(await revoke(revoker, one.certificate, 'superseded'))).toBe('already');
});

test('the certificate’s own key revokes it, without an account', async () => {
  await using one = await issued('by-key.example.com');
  const revoker = { kind: 'certificate', endpoint: one.endpoint, key: one.key } as const;
  expect(got(await revoke(revoker, one.certificate, 'keyCompromise'))).toBe('revoked');
  expect(await standing(one.certificate)).toMatchObject({ Status: 'Revoked', Reason: 1 });
});

test('another account and another key are refused', async () => {
  await using one = await issued('strange.example.com');
  const session = await newSession(one.endpoint);
  for (const revoker of [
    { kind: 'account', session },
    { kind: 'certificate', endpoint: one.endpoint, key: await accountKey() },
  ] as const) {
    const problem = problemOf(await revoke(revoker, one.certificate, 'keyCompromise'));
    expect(problem).toMatchObject({ kind: 'refused', type: 'unauthorized' });
  }
  expect(await standing(one.certificate)).toMatchObject({ Status: 'Valid' });
});

test('no reason is sent for an unspecified one', async () => {
  await using one = await issued('no-reason.example.com');
  await using scripted = await startScriptedCa(({ path }) => {
    const dir = { newNonce: '/nonce', newAccount: '/new-account', newOrder: '/new-order', revokeCert: '/revoke' };
    const urls = Object.entries(dir).map(([name, at]) => [name, `${scripted.origin}${at}`]);
    if (path === '/dir') return { kind: 'reply', body: JSON.stringify(Object.fromEntries(urls)) };
    return path === '/revoke' ? { kind: 'reply', headers: { 'content-type': undefined }, body: '' } : undefined;
  });
  const session = scripted.session();
  expect(got(await revoke({ kind: 'account', session }, one.certificate, 'unspecified'))).toBe('revoked');
  const payload = JSON.parse(scripted.asked.at(-1)?.payload ?? '');
  expect(payload).toEqual({ certificate: one.certificate.raw.toString('base64url') });
});

test('all alternate chains are fetched when they are wanted', async () => {
  await using endpoint = ca.open();
  const session = await newSession(endpoint);
  const { certificateUrl } = await issue(session, ['chains.example.com'], ca.answers);
  const first = got(await download(session, certificateUrl)).resource;
  expect(first.alternates).toHaveLength(2);
  const all = got(await downloadAll(session, certificateUrl));
  expect(all.lost).toBeUndefined();
  expect(all.first.chainPem).toBe(first.chainPem);
  expect(all.others).toHaveLength(2);
  const tops = [all.first, ...all.others].map(
    ({ chainPem }) => new X509Certificate(splitPem(chainPem).at(-1) ?? '').issuer,
  );
  expect(new Set(tops).size).toBe(3);
});

test('an alternate that cannot be fetched is told, and the others are there', async () => {
  await using real = await issued('pem.example.com');
  const pem = real.certificate.toString();
  await using scripted = await startScriptedCa(({ path }) => {
    if (!path.startsWith('/cert')) return undefined;
    if (path === '/cert/2') return { kind: 'reply', status: 404, body: '' };
    const link = ['1', '2'].map((id) => `<${scripted.origin}/cert/${id}>;rel="alternate"`).join(', ');
    return { kind: 'reply', headers: { 'content-type': 'application/pem-certificate-chain', link }, body: pem };
  });
  const all = got(await downloadAll(scripted.session(), `${scripted.origin}/cert/0`));
  expect(all.others).toHaveLength(1);
  expect(all.lost).toMatchObject({ kind: 'refused', status: 404 });
});
