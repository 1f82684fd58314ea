// A CA, or something in its place, that refuses, lies, floods, stalls or hangs up. Whatever it does ends in a typed problem within the time limit.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { download } from '../../src/acme/certificate.ts';
import { finalize, newOrder, readOrder } from '../../src/acme/order.ts';
import type { AcmeOptions } from '../../src/acme/transport.ts';
import { freePort } from '../rig/ports.ts';
import { makeIdentity } from '../rig/proxy/identity.ts';
import { type Deed, refusal, type Script, startScriptedCa } from './scripted-ca.ts';
import { got, problemOf } from './steps.ts';

const wish = { identifiers: [{ type: 'dns', value: 'a.example.com' }] } as const;

/** What an order that the CA answers with `deed` ends in. */
async function orderAnswered(deed: Deed, options?: Partial<AcmeOptions>) {
  await using ca = await startScriptedCa(({ path }) => (path === '/new-order' ? deed : undefined));
  const session = ca.session(options);
  const reply = await newOrder(session, wish);
  return problemOf(reply);
}

describe('a CA that asks to wait', () => {
  const docs = 'https://letsencrypt.org/docs/rate-limits/#new-orders-per-account';

  test('is believed: 429 in seconds, with the limit’s name', async () => {
    const before = Date.now();
    const problem = await orderAnswered(refusal(429, 'rateLimited', `too many: see ${docs}`, { 'retry-after': '120' }));
    expect(problem).toMatchObject({ kind: 'rateLimited', limit: 'new-orders-per-account' });
    const wait = 'retryAt' in problem ? (problem.retryAt ?? 0) - before : 0;
    expect(wait).toBeGreaterThanOrEqual(120_000);
    expect(wait).toBeLessThan(150_000);
  });

  test('need not say until when', async () => {
    expect(await orderAnswered(refusal(429, 'rateLimited', 'too many'))).toEqual({
      kind: 'rateLimited',
      detail: 'too many',
    });
  });

  test('may mean: until a person comes by', async () => {
    const pauseUrl = 'https://portal.example.com/unpause?jwt=x.y.z';
    expect(await orderAnswered(refusal(429, 'rateLimited', `Please visit: ${pauseUrl}`))).toMatchObject({ pauseUrl });
  });

  test('may be down until a date', async () => {
    const now = Date.now();
    const headers = { 'retry-after': new Date(now + 90_000).toUTCString(), date: new Date(now).toUTCString() };
    const problem = await orderAnswered({ kind: 'reply', status: 503, headers, body: 'busy' }, { now: () => now });
    expect(problem).toMatchObject({ kind: 'unavailable', status: 503, retryAt: now + 90_000 });
  });
});

describe('a reply that is none', () => {
  test.each([
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<html>' }, 'content of type "text/html"'],
    ['a page called JSON', { body: '<html>' }, 'not JSON'],
    ['without a type', { headers: { 'content-type': undefined } }, 'content of type ""'],
    ['JSON cut short', { body: '{"status": "pend' }, 'not JSON'],
    ['bytes that are no UTF-8', { body: '"\ud800"' }, 'no order'],
    ['an array', { body: '[]' }, 'status, identifiers, authorizations, finalize missing'],
    ['an order without a place', { headers: { location: undefined } }, 'location missing'],
    ['an order in a bad place', { headers: { location: 'http://ca.example.com/1' } }, 'unusable URL'],
    ['a redirection', { status: 302, headers: { location: 'https://127.0.0.1:1/' } }, 'answered 302'],
    ['two mebibytes', { body: ' '.repeat(2 * 1024 * 1024) }, 'larger than 1 MiB'],
  ] as const)('%s', async (_, reply, words) => {
    const problem = await orderAnswered({ kind: 'reply', ...reply });
    expect(problem).toEqual({ kind: 'malformed', detail: expect.stringContaining(words) });
  });

  test('a body without an end', async () => {
    expect(await orderAnswered({ kind: 'flood' })).toMatchObject({
      kind: 'malformed',
      detail: expect.stringContaining('1 MiB'),
    });
  });

  test('JSON where a chain belongs', async () => {
    await using ca = await startScriptedCa();
    const session = ca.session();
    const reply = await download(session, `${ca.origin}/cert/1`);
    expect(problemOf(reply)).toMatchObject({
      kind: 'malformed',
      detail: expect.stringContaining('pem-certificate-chain'),
    });
  });
});

describe.concurrent('a connection that is lost', () => {
  const limit = { timeLimitMs: 1_500 };

  test.each([
    ['after the request was read', { kind: 'cut' }, {}],
    ['inside the reply', { kind: 'cutInside' }, {}],
    ['by silence', { kind: 'hang' }, limit],
    ['by silence inside the reply', { kind: 'hang', after: '{"status":' }, limit],
  ] as const)('%s: the CA may have acted', async (_, deed, options) => {
    expect(await orderAnswered(deed, options)).toMatchObject({ kind: 'network', sent: 'maybe' });
  });

  test('while the directory or a nonce is fetched: nothing was asked', async () => {
    for (const lost of ['/dir', '/nonce']) {
      await using ca = await startScriptedCa(({ path }) => (path === lost ? { kind: 'cut' } : undefined));
      const session = ca.session();
      expect(problemOf(await readOrder(session, `${ca.origin}/order/1`))).toMatchObject({
        kind: 'network',
        sent: 'no',
      });
      expect(problemOf(await newOrder(session, wish))).toMatchObject({ kind: 'network', sent: 'no' });
      expect(ca.asked.filter(({ method }) => method === 'POST')).toEqual([]);
    }
  });

  test('between two requests does not matter', async () => {
    await using ca = await startScriptedCa();
    const session = ca.session();
    got(await readOrder(session, `${ca.origin}/order/1`));
    const [socket] = ca.sockets;
    const closed = socket === undefined ? undefined : once(socket, 'close');
    socket?.end();
    await closed;
    got(await readOrder(session, `${ca.origin}/order/1`));
  });
});

describe.concurrent('a server that cannot be reached', () => {
  async function orderWith(options: Partial<AcmeOptions>) {
    await using ca = await startScriptedCa();
    const session = ca.session(options);
    const problem = problemOf(await newOrder(session, wish));
    expect(ca.asked).toEqual([]);
    return problem;
  }

  test('because nobody listens', async () => {
    const directoryUrl = `https://127.0.0.1:${await freePort()}/dir`;
    const problem = await orderWith({ directoryUrl });
    expect(problem).toMatchObject({ kind: 'network', sent: 'no', detail: expect.stringContaining('ECONNREFUSED') });
  });

  test('because its name does not resolve', async () => {
    const problem = await orderWith({ directoryUrl: 'https://ca.invalid/dir' });
    expect(problem).toMatchObject({ kind: 'network', sent: 'no', detail: expect.stringContaining('ca.invalid') });
  });

  test('because its certificate is not trusted', async () => {
    const problem = await orderWith({ caBundle: (await makeIdentity()).caPem });
    expect(problem).toMatchObject({ kind: 'network', sent: 'no', detail: expect.stringContaining('certificate') });
  });

  test('because the bundle of roots holds none', async () => {
    const problem = await orderWith({ caBundle: 'no PEM' });
    expect(problem).toMatchObject({ kind: 'network', sent: 'no', detail: expect.stringContaining('caBundle') });
  });

  test.each(['http://ca.example.com/dir', 'no URL', ''])('because %j is no address of one', async (directoryUrl) => {
    expect(await orderWith({ directoryUrl })).toMatchObject({ kind: 'malformed' });
  });

  test.each(['end', 'silence'] as const)('because it answers the handshake with %s', async (what) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (what === 'end') socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const problem = await orderWith({ directoryUrl: `https://127.0.0.1:${port}/dir`, timeLimitMs: 1_500 });
    expect(problem).toMatchObject({ kind: 'network', sent: 'no' });
    server.close();
  });
});

describe('nonces', () => {
  const badNonce = refusal(400, 'badNonce', 'JWS has an invalid anti-replay nonce');

  test('are tried six times: each refusal brings the next one', async () => {
    const badNonceWith = (nth: number) => refusal(400, 'badNonce', 'bad', { 'replay-nonce': `given-${nth}` });
    await using ca = await startScriptedCa(({ path }, nth) => (path === '/new-order' ? badNonceWith(nth) : undefined));
    const session = ca.session();
    const problem = problemOf(await newOrder(session, wish));
    expect(problem).toMatchObject({ kind: 'unavailable', status: 400 });
    const used = ca.asked.filter(({ method }) => method === 'POST').map(({ header }) => header.nonce);
    expect(used.slice(1)).toEqual(['given-1', 'given-2', 'given-3', 'given-4', 'given-5']);
  });

  test('may be good at the sixth try', async () => {
    const script: Script = ({ path }, nth) => (path === '/new-order' && nth < 6 ? badNonce : undefined);
    await using ca = await startScriptedCa(script);
    const session = ca.session();
    expect(got(await newOrder(session, wish)).url).toBe(`${ca.origin}/order/1`);
  });

  test('are asked for when replies bring none', async () => {
    const none: Deed = { kind: 'reply', headers: { 'replay-nonce': undefined } };
    await using ca = await startScriptedCa(({ path }) => (path === '/order/1' ? none : undefined));
    const session = ca.session();
    for (let round = 0; round < 3; round += 1) got(await readOrder(session, `${ca.origin}/order/1`));
    expect(ca.asked.filter(({ method }) => method === 'HEAD')).toHaveLength(3);
  });

  test.each([undefined, 'not a nonce!'])('that are none (%j) end the request before it is made', async (value) => {
    const script: Script = ({ path }) =>
      path === '/nonce' ? { kind: 'reply', headers: { 'replay-nonce': value } } : undefined;
    await using ca = await startScriptedCa(script);
    const session = ca.session();
    expect(problemOf(await newOrder(session, wish))).toMatchObject({ kind: 'malformed' });
    expect(ca.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });
});

test.each([
  ['http://127.0.0.1', 'plain'],
  ['https://127.0.0.1', 'https on another port'],
  ['https://localhost', 'by name'],
  ['https://[::ffff:127.0.0.1]', 'IPv4 in IPv6'],
])('a URL of this very machine, %s (%s), is not followed unless the directory stands there', async (base) => {
  await using trap = await startScriptedCa();
  const port = new URL(trap.origin).port;
  const body = JSON.stringify({
    status: 'pending',
    identifiers: wish.identifiers,
    authorizations: [`${base}:${port}/authz/1`],
    finalize: `${base}:${port}/finalize/1`,
  });
  await using ca = await startScriptedCa(({ path }) => (path === '/new-order' ? { kind: 'reply', body } : undefined));
  const session = ca.session({ skipTlsVerify: true });
  const placed = got(await newOrder(session, wish));
  const reply = await finalize(session, placed.resource, Buffer.from('csr'));
  expect(problemOf(reply)).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('not followed') });
  expect(trap.asked).toEqual([]);
});
