// Accounts at a real Pebble: once per key, with a binding where the CA wants one, with EC and RSA keys.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deactivate, findAccount, keepContact, readAccount, register, updateContact } from '../../src/acme/account.ts';
import { newOrder } from '../../src/acme/order.ts';
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
    const found = got(await register({ endpoint, key, contact: 'new@example.com' }));
    expect(found).toMatchObject({ url, isNew: false, contact: ['mailto:old@example.com'] });
    const session = { endpoint, key, accountUrl: url };
    const changed = got(await keepContact(session, found, 'New@Example.com'));
    expect(changed).toMatchObject({ url, contact: ['mailto:new@example.com'] });
    expect(got(await updateContact(session, undefined)).resource.contact).toEqual([]);
    expect(got(await readAccount(session)).resource).toMatchObject({ status: 'valid', contact: [] });
  });

  test('is not told of a contact that it holds', async () => {
    const asked: string[] = [];
    await using endpoint = open.open({ onRequest: ({ action }) => void asked.push(action) });
    const key = await accountKey();
    const account = got(await register({ endpoint, key, contact: 'ops@example.com' }));
    got(await keepContact({ endpoint, key, accountUrl: account.url }, account, 'OPS@example.com'));
    expect(asked).toEqual(['directory', 'newNonce', 'newAccount']);
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

  // Neither Pebble nor Boulder takes one; another CA may.
  test('with a key of Ed25519 is the CA’s to refuse', async () => {
    await using endpoint = open.open();
    const refused = problemOf(await register({ endpoint, key: await generateKey({ algorithm: 'Ed25519' }) }));
    expect(refused).toMatchObject({ kind: 'refused', status: 400, type: 'badSignatureAlgorithm' });
  });

  test('that was closed stays closed: for orders, for a look, for a registration', async () => {
    await using endpoint = open.open();
    const session = await newSession(endpoint);
    expect(got(await deactivate(session)).resource).toMatchObject({ status: 'deactivated' });
    const identifiers = [{ type: 'dns', value: 'closed.example.com' }] as const;
    for (const refused of [
      await newOrder(session, { identifiers }),
      await readAccount(session),
      await deactivate(session),
      await register(session),
      await findAccount(session),
    ]) {
      expect(problemOf<unknown>(refused)).toMatchObject({ kind: 'refused', type: 'unauthorized' });
    }
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
