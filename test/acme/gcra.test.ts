// The referee of rate limits before a real Pebble: its cells bind, are spent by what really happens, and let renewals through. Without this, a benchmark
// without refusals would prove nothing.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorization } from '../../src/acme/authorization.ts';
import { answer, finalize, newOrder, type OrderWish, readOrder } from '../../src/acme/order.ts';
import type { AcmeSession } from '../../src/acme/session.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { certificateId } from '../../src/pki/certificate-id.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { smallRates } from '../rig/proxy/gcra.ts';
import { startLimitedCa } from '../rig/proxy/gcra-proxy.ts';
import { at } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { accountKey, got, issue, newSession, placeOrder, prove } from './steps.ts';

const hour = 3_600_000;
const rates = {
  ...smallRates,
  'new-orders-per-account': { burst: 8, everyMs: 2 * hour },
  'new-certificates-per-registered-domain': { burst: 2, everyMs: hour },
  'authorization-failures-per-identifier-per-account': { burst: 1, everyMs: 3 * hour },
};

let pebble: OwnCa;
beforeAll(async () => {
  pebble = await startOwnCa({ env: { PEBBLE_WFE_NONCEREJECT: '10' } });
}, 120_000);
afterAll(() => pebble[Symbol.asyncDispose]());

/** A new customer of a CA whose cells are full. */
async function customer(script?: Parameters<typeof startLimitedCa>[2]) {
  const ca = await startLimitedCa(pebble, rates, script);
  const endpoint = pebble.open({ directoryUrl: ca.directory, caBundle: ca.caPem });
  const session = await newSession(endpoint);
  return {
    ca,
    session,
    issue: (...names: readonly string[]) => issue(session, names, pebble.answers),
    [Symbol.asyncDispose]: async () => {
      await endpoint[Symbol.asyncDispose]();
      await ca[Symbol.asyncDispose]();
    },
  };
}

async function csrFor(...dnsNames: readonly string[]): Promise<Buffer> {
  const names = { dnsNames, ipAddresses: [], uris: [], emailAddresses: [] };
  return createCsr({ key: await accountKey(), names });
}

/** "granted", or the limit that the CA names and the hours that it asks to wait. */
async function told(session: AcmeSession, names: readonly string[], more: Partial<OrderWish> = {}): Promise<string> {
  const identifiers = names.map((value) => ({ type: 'dns' as const, value }));
  const now = Date.now();
  const reply = await newOrder(session, { identifiers, ...more });
  if (reply.ok) return 'granted';
  const { problem } = reply;
  if (problem.kind !== 'rateLimited') throw new Error(JSON.stringify(problem));
  return `${problem.limit} ${Math.round(((problem.retryAt ?? Number.NaN) - now) / hour)} h`;
}

test('a domain that has had its certificates gets no more, until they are renewed', async () => {
  await using by = await customer();
  await by.issue('a.bound.com');
  await by.issue('b.bound.com', 'bound.com');
  expect(await told(by.session, ['c.bound.com'])).toBe('new-certificates-per-registered-domain 1 h');
  expect(await told(by.session, ['c.bound.com', 'x.other.com'])).toBe('new-certificates-per-registered-domain 1 h');
  expect(await told(by.session, ['bound.com', 'b.bound.com'])).toBe('granted');
  await by.issue('a.bound.com');
  expect(by.ca.referee.tally).toEqual({
    orders: 4,
    issued: 3,
    failures: 0,
    refusals: { 'new-certificates-per-registered-domain': 2 },
    overruns: {},
  });
});

test('an account that has made its orders makes no more, and what the CA did not take costs nothing', async () => {
  await using by = await customer();
  const refused = await newOrder(by.session, { identifiers: [{ type: 'dns', value: 'not a name.com' }] });
  expect(refused).toMatchObject({ ok: false, problem: { kind: 'refused' } });
  for (let index = 0; index < 8; index += 1) await placeOrder(by.session, `www.a${index}.com`);
  expect(await told(by.session, ['www.a8.com'])).toBe('new-orders-per-account 2 h');
  expect(by.ca.referee.tally).toMatchObject({ orders: 8, refusals: { 'new-orders-per-account': 1 } });
});

test.each([
  ['dead.failed.com', 'http-01', '*.dead.failed.com'],
  ['*.gone.failed.com', 'dns-01', 'gone.failed.com'],
])('a name that has failed is closed to the account: %s', async (name, way, other) => {
  await using by = await customer();
  const { authorizations } = (await placeOrder(by.session, name)).resource;
  const [url = ''] = authorizations;
  const { challenges } = got(await authorization(by.session, url)).resource;
  const challenge = challenges.find(({ type }) => type === way);
  got(await answer(by.session, challenge?.url ?? ''));
  await until('the authorization to fail', async () => {
    return got(await authorization(by.session, url)).resource.status === 'invalid';
  });
  got(await authorization(by.session, url));
  expect(await told(by.session, [name, 'x.failed.com'])).toBe('authorization-failures-per-identifier-per-account 3 h');
  expect(await told(by.session, [other])).toBe('granted');
  expect(by.ca.referee.tally.failures).toBe(1);
});

test('a certificate counts though nobody heard that it was accepted', async () => {
  await using by = await customer(at({ edge: 'finalize' }, { kind: 'dropReply' }));
  const placed = await placeOrder(by.session, 'a.silent.com');
  await prove(by.session, placed.resource, pebble.answers);
  expect(await finalize(by.session, placed.resource, await csrFor('a.silent.com'))).toMatchObject({ ok: false });
  await until('the order to be valid', async () => {
    return got(await readOrder(by.session, placed.url)).resource.status === 'valid';
  });
  expect(by.ca.referee.tally).toMatchObject({ orders: 1, issued: 1 });
});

test('a replacement is exempt inside its window, and once', async () => {
  await using by = await customer();
  const { chainPem } = await by.issue('a.ari.com');
  await by.issue('b.ari.com');
  const facts = readCertificate(chainPem);
  const replaces = facts.ok ? certificateId(facts.value) : undefined;
  if (replaces === undefined) throw new Error('no certificate');
  const names = ['a.ari.com', 'more.ari.com'];
  expect(await told(by.session, names, { replaces })).toBe('new-certificates-per-registered-domain 1 h');
  const [start, end] = [-hour, hour].map((offset) => new Date(Date.now() + offset).toISOString());
  await pebble.manage('/set-renewal-info/', {
    Certificate: new X509Certificate(chainPem).toString(),
    ARIResponse: JSON.stringify({ suggestedWindow: { start, end } }),
  });
  expect(await told(by.session, ['z.ari.com'], { replaces })).toBe('new-certificates-per-registered-domain 1 h');
  const identifiers = names.map((value) => ({ type: 'dns' as const, value }));
  const placed = got(await newOrder(by.session, { identifiers, replaces })).resource;
  await prove(by.session, placed, pebble.answers);
  got(await finalize(by.session, placed, await csrFor(...names)));
  const again = ['a.ari.com', 'again.ari.com'];
  expect(await told(by.session, again, { replaces })).toBe('new-certificates-per-registered-domain 1 h');
});
