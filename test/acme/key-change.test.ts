// The change of an account's key at a real Pebble: who may sign before it and after it, and what is known when its answer is lost.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAccount, readAccount } from '../../src/acme/account.ts';
import { changeKey } from '../../src/acme/key-change.ts';
import { readOrder } from '../../src/acme/order.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { at } from '../rig/proxy/verdict.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { startScriptedCa } from './scripted-ca.ts';
import { accountKey, got, issue, newSession, placeOrder, problemOf } from './steps.ts';

let ca: OwnCa;
beforeAll(async () => {
  ca = await startOwnCa();
}, 120_000);
afterAll(() => ca[Symbol.asyncDispose]());

describe('a changed key', () => {
  test.each([
    ['RSA', 'ECDSA'],
    ['ECDSA', 'RSA'],
    ['ECDSA', 'ECDSA'],
  ] as const)('from %s to %s speaks for the account with all that it has', async (from, to) => {
    await using endpoint = ca.open();
    const session = await newSession(endpoint, await generateKey({ algorithm: from }));
    const { url } = await placeOrder(session, 'before.example.com');
    const next = await generateKey({ algorithm: to });
    got(await changeKey(session, next));

    const after = { ...session, key: next };
    expect(got(await readOrder(after, url)).resource.status).toBe('pending');
    expect((await issue(after, ['after.example.com'], ca.answers)).chainPem).toContain('BEGIN CERTIFICATE');
    expect(got(await findAccount(after))?.url).toBe(session.accountUrl);
    expect(got(await findAccount(session))).toBeUndefined();
    expect(problemOf(await readAccount(session))).toMatchObject({ kind: 'refused', status: 400 });
  });

  test('of which the answer was lost is found by asking for its account', async () => {
    await using proxy = await startAcmeFault(ca, at({ edge: 'keyChange' }, { kind: 'dropReply' }));
    await using endpoint = ca.open({ directoryUrl: proxy.directory, caBundle: proxy.caPem });
    const session = await newSession(endpoint);
    const next = await accountKey();
    expect(problemOf(await changeKey(session, next))).toMatchObject({ kind: 'network', sent: 'maybe' });
    expect(got(await findAccount({ endpoint, key: next }))?.url).toBe(session.accountUrl);
    // Asking once more does no harm, and brings nothing new.
    expect((await changeKey(session, next)).ok).toBe(false);
  });

  // Pebble says 200 to that (RFC 8555 §7.3.5 wants 409), so a good answer alone is no proof.
  test('that has another account already keeps it, and nothing changes', async () => {
    await using endpoint = ca.open();
    const [one, other] = [await newSession(endpoint), await newSession(endpoint)];
    await changeKey(one, other.key);
    expect(got(await findAccount({ endpoint, key: other.key }))?.url).toBe(other.accountUrl);
    expect(got(await readAccount(one)).resource.status).toBe('valid');
  });
});

test('a CA that has no such address is not asked', async () => {
  await using scripted = await startScriptedCa();
  const problem = problemOf(await changeKey(scripted.session(), await accountKey()));
  expect(problem).toMatchObject({ kind: 'refused', status: 0, detail: expect.stringContaining('keyChange') });
  expect(scripted.asked.filter(({ method }) => method === 'POST')).toEqual([]);
});
