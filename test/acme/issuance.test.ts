// A certificate from a real Pebble in strict mode, step by step, and what its replies look like to us.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorization } from '../../src/acme/authorization.ts';
import { download } from '../../src/acme/certificate.ts';
import type { Action } from '../../src/acme/http.ts';
import { answer, finalize, listOrders, newOrder, readOrder } from '../../src/acme/order.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { publicKeysEqual } from '../../src/pki/keys.ts';
import { until } from '../rig/wait.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { accountKey, got, issue, newSession, placeOrder, problemOf, prove } from './steps.ts';

let ca: OwnCa;
beforeAll(async () => {
  ca = await startOwnCa({ config: { retryAfter: { authz: 3, order: 5 } }, env: { PEBBLE_ALTERNATE_ROOTS: '2' } });
}, 120_000);
afterAll(() => ca[Symbol.asyncDispose]());

function csrFor(key: Awaited<ReturnType<typeof accountKey>>, ...dnsNames: readonly string[]) {
  return createCsr({ key, names: { dnsNames, ipAddresses: [], uris: [], emailAddresses: [] } });
}

describe('one certificate', () => {
  test('goes through pending, ready, processing and valid, and its chain is for our key', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const placed = got(await newOrder(session, { identifiers: [{ type: 'dns', value: 'one.example.com' }] }));
    const order = placed.resource;
    expect(order).toMatchObject({
      url: placed.url,
      status: 'pending',
      identifiers: [{ type: 'dns', value: 'one.example.com' }],
      profile: 'default',
    });
    expect(order.expires).toBeGreaterThan(Date.now());

    const [url = ''] = order.authorizations;
    const opened = got(await authorization(session, url)).resource;
    expect(opened).toMatchObject({
      url,
      identifier: { type: 'dns', value: 'one.example.com' },
      status: 'pending',
      wildcard: false,
    });
    const challenge = opened.challenges.find((each) => each.type === 'http-01');
    const token = challenge?.token ?? '';
    ca.answers.set(token, `${token}.${await endpoint.thumbprint(session.key)}`);
    const answered = got(await answer(session, challenge?.url ?? ''));
    expect(answered.resource.type).toBe('http-01');
    await until(
      'the order to be ready',
      async () => got(await readOrder(session, placed.url)).resource.status === 'ready',
    );

    const key = await accountKey();
    const finalized = got(await finalize(session, order, await csrFor(key, 'one.example.com')));
    expect(finalized.resource).toMatchObject({ url: placed.url, status: 'processing' });
    const valid = await until('the order to be valid', async () => {
      const read = got(await readOrder(session, placed.url)).resource;
      return read.status === 'valid' && read;
    });
    const { chainPem, alternates } = got(await download(session, valid.certificate ?? '')).resource;
    const leaf = new X509Certificate(chainPem);
    expect(leaf.subjectAltName).toBe('DNS:one.example.com');
    expect(publicKeysEqual(leaf.publicKey, key)).toBe(true);
    expect(alternates).toHaveLength(2);
    const alternate = got(await download(session, alternates[0] ?? '')).resource;
    expect(new X509Certificate(alternate.chainPem).fingerprint256).toBe(leaf.fingerprint256);
    expect(alternate.chainPem).not.toBe(chainPem);
  });

  test('tells when to ask again while the CA works, as seconds and as a date alike', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const waits = new Set<number>();
    // Pebble throws a coin for the format.
    for (let round = 0; round < 8; round += 1) {
      const placed = await placeOrder(session, `retry-${round}.example.com`);
      await prove(session, placed.resource, ca.answers);
      const before = Date.now();
      const csr = await csrFor(await accountKey(), `retry-${round}.example.com`);
      const finalized = got(await finalize(session, placed.resource, csr));
      expect(finalized.resource.retryAt).toBe(finalized.retryAt);
      waits.add(Math.round(((finalized.retryAt ?? 0) - before) / 1000));
    }
    expect([...waits]).toEqual([5]);
  });

  test('costs seven posts plus what is polled again; one nonce is asked for, the others come with the replies', async () => {
    const asked: Action[] = [];
    const session = await newSession(ca.open());
    await session.endpoint[Symbol.asyncDispose]();
    await using endpoint = ca.open({ onRequest: ({ action }) => void asked.push(action) });
    await issue({ ...session, endpoint }, ['seven.example.com'], ca.answers);
    expect(runsOf(asked)).toEqual([
      'directory',
      'newNonce',
      'newOrder',
      'authorization',
      'challenge',
      'authorization',
      'finalize',
      'order',
      'certificate',
    ]);
  });
});

/** Polls that follow each other count as one. */
function runsOf(actions: readonly Action[]): readonly Action[] {
  return actions.filter((action, index) => action !== actions[index - 1]);
}

describe('what Pebble refuses', () => {
  test('is typed and says for which name', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const refused = await newOrder(session, { identifiers: [{ type: 'dns', value: 'under_score.example.com' }] });
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', status: 400, type: 'malformed' });
    const profile = await newOrder(session, {
      identifiers: [{ type: 'dns', value: 'profile.example.com' }],
      profile: 'no-such-profile',
    });
    expect(problemOf(profile)).toMatchObject({ kind: 'refused', type: 'invalidProfile' });
  });

  test('is an order that nobody has proven', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const { resource } = await placeOrder(session, 'unproven.example.com');
    const refused = await finalize(session, resource, await csrFor(await accountKey(), 'unproven.example.com'));
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', status: 403, type: 'orderNotReady' });
  });

  test('is an order that does not exist', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const { url } = await placeOrder(session, 'known.example.com');
    const refused = await readOrder(session, url.replace(/[^/]+$/, 'none'));
    expect(problemOf(refused)).toMatchObject({ kind: 'refused', status: 404 });
  });

  test('is a wrong answer to a challenge, which makes the authorization invalid with a reason', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const { resource } = await placeOrder(session, 'wrong.example.com');
    const [url = ''] = resource.authorizations;
    const opened = got(await authorization(session, url)).resource;
    const challenge = opened.challenges.find((each) => each.type === 'http-01');
    ca.answers.set(challenge?.token ?? '', 'something else');
    got(await answer(session, challenge?.url ?? ''));
    const invalid = await until('the authorization to be invalid', async () => {
      const read = got(await authorization(session, url)).resource;
      return read.status === 'invalid' && read;
    });
    const failed = invalid.challenges.find((each) => each.status === 'invalid');
    expect(failed?.error).toMatchObject({ type: 'unauthorized' });
    expect(failed?.error?.detail).toContain('key authorization');
  });
});

describe('the list of orders', () => {
  test('has every order of the account, over several pages', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const placed = new Set<string>();
    for (let count = 0; count < 7; count += 1) placed.add((await placeOrder(session, `list-${count}.example.com`)).url);
    const pages: (readonly string[])[] = [];
    for await (const page of listOrders(session)) pages.push(got(page));
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(new Set(pages.flat())).toEqual(placed);
  });

  test('finds the pending order of a lost reply', async () => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint);
    const { url } = await placeOrder(session, 'lost.example.com');
    const restarted = { ...session, endpoint: ca.open() };
    for await (const page of listOrders(restarted)) {
      expect(got(page)).toEqual([url]);
      const found = got(await readOrder(restarted, url)).resource;
      expect(found).toMatchObject({ status: 'pending', identifiers: [{ value: 'lost.example.com' }] });
    }
    await restarted.endpoint[Symbol.asyncDispose]();
  });
});
