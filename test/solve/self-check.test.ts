// The self-check against real servers: what passes, and what each failure is called.

import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { checkPath, type SelfCheck } from '../../src/solve/self-check.ts';
import { type DnsServer, startDns } from '../rig/dns/server.ts';

const token = 'abc_-123';
const expected = `${token}.thumb`;
const path = `/.well-known/acme-challenge/${token}`;

let dns: DnsServer;
let port: number;
let respond: RequestListener;
let stop: () => Promise<void>;
const seen: string[] = [];

/** One port that speaks HTTP and HTTPS, as redirects between them may keep the port. */
async function startSite(): Promise<void> {
  const key = await generateKey({ algorithm: 'ECDSA' });
  const names = { commonName: 'nobody trusts this', dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [] };
  const validity = { notBefore: 0, notAfter: 86_400_000 };
  const cert = await selfSign({
    csr: await createCsr({ key, names }),
    key,
    ...validity,
    usages: [],
    isCA: false,
    serial: Buffer.from([1]),
  });
  const handle: RequestListener = (request, response) => {
    seen.push(`${'encrypted' in request.socket ? 'https' : 'http'}://${request.headers.host}${request.url}`);
    respond(request, response);
  };
  const http = createHttp(handle);
  const https = createHttps({ key: keyToPem(key, 'PKCS8'), cert: cert.ok ? cert.value.chainPem : '' }, handle);
  const tcp = createTcp((socket) => {
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === 0x16 ? https : http).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
    socket.on('error', () => socket.destroy());
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  port = (tcp.address() as AddressInfo).port;
  stop = async () => {
    http.closeAllConnections();
    https.closeAllConnections();
    tcp.close();
    await once(tcp, 'close');
  };
}

beforeAll(async () => {
  dns = await startDns();
  await startSite();
});
afterAll(async () => {
  await stop();
  await dns[Symbol.asyncDispose]();
});
afterEach(() => void seen.splice(0));

/** The problem as its sentence. */
async function check(host: string, changes: Partial<SelfCheck> = {}) {
  const nameservers = [dns.address];
  const signal = new AbortController().signal;
  const checked = await checkPath({ host, token, expected, nameservers, port, signal, ...changes });
  return checked.ok ? checked : { ok: false, problem: checked.problem.message };
}

const passed = { ok: true, value: undefined };
const failed = (problem: string) => ({ ok: false, problem });

const answers =
  (status: number, body = '', headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(body);

const redirects =
  (location: string, last: RequestListener = answers(200, expected)): RequestListener =>
  (request, response) =>
    request.url === path ? answers(302, '', { location })(request, response) : last(request, response);

describe('a check passes', () => {
  test('when the path answers with the key authorization', async () => {
    respond = answers(200, expected);
    expect(await check('foo.test')).toEqual(passed);
    expect(seen).toEqual([`http://foo.test:${port}${path}`]);
  });

  test('when white space follows it', async () => {
    respond = answers(200, `${expected}\r\n \n`);
    expect(await check('foo.test')).toEqual(passed);
  });

  test('for an IP address, without asking DNS', async () => {
    respond = answers(200, expected);
    const before = dns.queries();
    expect(await check('127.0.0.1')).toEqual(passed);
    expect(dns.queries()).toBe(before);
  });

  test('through redirects to other names and to HTTPS, whose certificate nobody verifies', async () => {
    respond = redirects(`https://www.foo.test:${port}/elsewhere?a=b`);
    expect(await check('foo.test')).toEqual(passed);
    expect(seen.at(-1)).toBe(`https://www.foo.test:${port}/elsewhere?a=b`);
  });

  // Only Linux answers on all of 127.0.0.0/8.
  test.skipIf(process.platform !== 'linux')('when the first of several addresses does not listen', async () => {
    respond = answers(200, expected);
    dns.set('two.test', ['127.0.0.9', '127.0.0.1']);
    expect(await check('two.test')).toEqual(passed);
  });
});

describe('a check fails', () => {
  test.each<[string, RequestListener, string]>([
    ['a wrong status', answers(404, 'secret page'), 'answered 404.'],
    ['a wrong status with the right body', answers(500, expected), 'answered 500.'],
    [
      'another body',
      answers(200, '<html>secret page'),
      'answered 200 with another body: something else serves this path.',
    ],
    [
      'the body and more',
      answers(200, `${expected}x`),
      'answered 200 with another body: something else serves this path.',
    ],
    [
      'leading white space',
      answers(200, ` ${expected}`),
      'answered 200 with another body: something else serves this path.',
    ],
    [
      'an endless body',
      (_, r) => void r.writeHead(200).write(expected + ' '.repeat(4096)),
      'answered 200 with another body: something else serves this path.',
    ],
    ['a redirect without address', answers(301), 'redirects to no valid address.'],
    ['a redirect to nonsense', answers(301, '', { location: 'http://[' }), 'redirects to no valid address.'],
    [
      'a redirect to another port',
      answers(301, '', { location: 'http://foo.test:22/' }),
      'redirects to a port or scheme that a CA does not follow.',
    ],
    [
      'a redirect to another scheme',
      answers(307, '', { location: 'file:///etc/passwd' }),
      'redirects to a port or scheme that a CA does not follow.',
    ],
    [
      'a redirect with a password',
      answers(308, '', { location: 'http://a:b@foo.test/' }),
      'redirects to a port or scheme that a CA does not follow.',
    ],
    ['a redirect that no CA follows', answers(303, '', { location: '/x' }), 'answered 303.'],
    ['a circle', answers(302, '', { location: path }), 'redirects more than 10 times.'],
    ['a hang-up', (request) => void request.socket.destroy(), 'cannot be reached (127.0.0.1: ECONNRESET).'],
  ])('on %s, in a sentence that repeats nothing of it', async (_, site, problem) => {
    respond = site;
    expect(await check('foo.test')).toEqual(failed(`http://foo.test:${port}/… ${problem}`));
  });

  test('when a redirect leads to a failure, naming where it led', async () => {
    respond = redirects('/elsewhere', answers(403));
    expect(await check('foo.test')).toEqual(failed(`http://foo.test:${port}/… answered 403.`));
    dns.set('gone.test', 'NXDOMAIN');
    respond = redirects(`http://gone.test:${port}/`);
    expect(await check('foo.test')).toEqual(failed(`gone.test resolves to no address (NXDOMAIN from ${dns.address}).`));
  });

  test.each([
    ['NXDOMAIN', 'NXDOMAIN'],
    ['SERVFAIL', 'SERVFAIL'],
    [[], 'no A or AAAA record'],
  ] as const)('when DNS says %j', async (answer, said) => {
    dns.set('dns.test', answer);
    expect(await check('dns.test')).toEqual(failed(`dns.test resolves to no address (${said} from ${dns.address}).`));
  });

  test('when nothing listens', async () => {
    expect(await check('foo.test', { port: 1 })).toEqual(
      failed('http://foo.test:1/… cannot be reached (127.0.0.1: ECONNREFUSED).'),
    );
  });

  test('when the time is up', async () => {
    respond = () => undefined;
    expect(await check('foo.test', { withinMs: 100 })).toEqual(
      failed(`http://foo.test:${port}/… did not answer within 0.1 s.`),
    );
    dns.set('slow.test', 'DROP');
    expect(await check('slow.test', { withinMs: 100 })).toEqual(
      failed(`http://slow.test:${port}/… did not answer within 0.1 s.`),
    );
  });

  test('as soon as it is called off', async () => {
    const stopping = new AbortController();
    respond = () => stopping.abort();
    expect(await check('foo.test', { signal: stopping.signal })).toEqual(
      failed('The check of foo.test was called off.'),
    );
    expect(await check('foo.test', { signal: stopping.signal })).toEqual(
      failed('The check of foo.test was called off.'),
    );
  });
});
