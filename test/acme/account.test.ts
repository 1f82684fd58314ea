// Accounts at a real Pebble: once per key, with a binding where the CA wants one, with EC and RSA keys.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAccount, readAccount, register, updateContact } from '../../src/acme/account.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { accountKey, got, issue, newSession, problemOf } from './steps.ts';

const macKey = randomBytes(32).toString('base64url');
let open: OwnCa;
let bound: OwnCa;
beforeAll(async () => {
  [open, bound] = await Promise.all([
    startOwnCa(),
    startOwnCa({ config: { externalAccountBindingRequired: true, externalAccountMACKeys: { 'kid-1': macKey } } }),
  ]);
}, 120_000);
afterAll(() => Promise.all([open[Symbol.asyncDispose](), bound[Symbol.asyncDispose]()]));

describe('an account', () => {
  test('is registered once: the same key finds it again, also after a restart', async () => {
    await using endpoint = open.open();
    const key = await accountKey();
    expect(got(await findAccount({ endpoint, key }))).toBeUndefined();
    const first = got(await register({ endpoint, key, contact: 'ops@example.com' }));
    expect(first).toMatchObject({ status: 'valid', contact: ['mailto:ops@example.com'] });
    const again = got(await register({ endpoint, key, contact: 'ops@example.com' }));
    await using restarted = open.open();
    const found = got(await findAccount({ endpoint: restarted, key }));
    expect([again.url, found?.url]).toEqual([first.url, first.url]);
    const other = got(await register({ endpoint, key: await accountKey() }));
    expect(other.url).not.toBe(first.url);
  });

  test('takes the contact that is wanted now', async () => {
    await using endpoint = open.open();
    const key = await accountKey();
    const { url } = got(await register({ endpoint, key, contact: 'old@example.com' }));
    const changed = got(await register({ endpoint, key, contact: 'new@example.com' }));
    expect(changed).toMatchObject({ url, contact: ['mailto:new@example.com'] });
    const session = { endpoint, key, accountUrl: url };
    expect(got(await updateContact(session, undefined)).resource.contact).toEqual([]);
    expect(got(await readAccount(session)).resource).toMatchObject({ status: 'valid', contact: [] });
  });

  test('is refused with a reason when the contact is none', async () => {
    await using endpoint = open.open();
    const refused = await register({ endpoint, key: await accountKey(), contact: 'nobody' });
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', status: 400, type: 'invalidContact' });
  });

  test.each([
    { algorithm: 'RSA', size: 2048 },
    { algorithm: 'ECDSA', size: 256 },
    { algorithm: 'ECDSA', size: 384 },
  ] as const)('signs with $algorithm $size', async (spec) => {
    await using endpoint = open.open();
    const session = await newSession(endpoint, await generateKey(spec));
    const name = `${spec.algorithm}-${spec.size}.example.com`.toLowerCase();
    expect((await issue(session, [name], open.answers)).chainPem).toContain('BEGIN CERTIFICATE');
  });

  test.each([{ algorithm: 'Ed25519' }] as const)('is not asked for with a key of $algorithm', async (spec) => {
    await using endpoint = open.open();
    const refused = await register({ endpoint, key: await generateKey(spec) });
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', status: 0, type: 'badPublicKey' });
  });

  test('of someone else is of no use', async () => {
    await using endpoint = open.open();
    const { accountUrl } = await newSession(endpoint);
    const refused = await readAccount({ endpoint, accountUrl, key: await accountKey() });
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', type: 'malformed' });
  });
});

describe('a CA that wants an external account binding', () => {
  test('says so in its directory', async () => {
    await using endpoint = bound.open();
    expect(got(await endpoint.directory()).meta.externalAccountRequired).toBe(true);
  });

  test('takes the right one', async () => {
    await using endpoint = bound.open();
    const eab = { keyId: 'kid-1', macKey };
    expect(got(await register({ endpoint, key: await accountKey(), eab })).status).toBe('valid');
  });

  test.each([
    ['none', undefined, 'externalAccountRequired'],
    ['an unknown key id', { keyId: 'kid-2', macKey }, 'unauthorized'],
    ['another key', { keyId: 'kid-1', macKey: randomBytes(32).toString('base64url') }, 'unauthorized'],
    ['a key that is not base64url', { keyId: 'kid-1', macKey: 'not base64url!' }, 'externalAccountRequired'],
  ])('refuses %s', async (_, eab, type) => {
    await using endpoint = bound.open();
    const refused = await register({ endpoint, key: await accountKey(), ...(eab !== undefined && { eab }) });
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', type });
    expect(JSON.stringify(refused)).not.toContain(macKey);
  });
});
