// The way to a name, walked before there is an order: our own responder over real sockets and real DNS, and each thing that can stand in the way.

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer } from '../../src/serve/answers.ts';
import { startResponder } from '../../src/serve/http01.ts';
import type { Listening } from '../../src/serve/listen.ts';
import { type Preflight, preflight } from '../../src/solve/preflight.ts';
import { type DnsServer, startDns } from '../rig/dns/server.ts';
import { type ScriptedDns, scriptedDns } from './scripted-dns.ts';

const thumbprint = 'account-of-the-order';
let dns: DnsServer;
let zone: ScriptedDns;
let responder: Listening;
let stranger: Server;
let strange: RequestListener;
let strangePort: number;

beforeAll(async () => {
  dns = await startDns();
  zone = await scriptedDns({
    'alias.test': { CNAME: 'second.test' },
    'second.test': { CNAME: 'home.test' },
    'home.test': { A: ['127.0.0.1'] },
    'round.test': { CNAME: 'round.test' },
    'dangling.test': { CNAME: 'gone.test' },
    'six.test': { AAAA: ['::1'], A: ['127.0.0.1'] },
    'lb.test': { A: ['127.0.0.1'] },
    'bare.test': {},
  });
  responder = await startResponder({
    listen: '127.0.0.1:0',
    lookup: async (host, token) => {
      const orders = host.startsWith('other.') ? [] : [{ tokens: [], thumbprint }];
      return answer(host, token, { orders: () => orders });
    },
  });
  stranger = createServer((request, response) => strange(request, response)).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  strangePort = (stranger.address() as AddressInfo).port;
});
afterAll(async () => {
  stranger.closeAllConnections();
  stranger.close();
  await Promise.all([responder.close(), dns[Symbol.asyncDispose](), zone[Symbol.asyncDispose]()]);
});

const here = [{ type: 'IPAddress', value: '127.0.0.1' }];
const elsewhere = [{ value: '192.0.2.7' }];

function walk(host: string, changes: Partial<Preflight> = {}) {
  return preflight({
    host,
    thumbprint,
    gatewayAddresses: here,
    addressCheck: 'warn',
    nameservers: [dns.address],
    port: responder.port,
    signal: new AbortController().signal,
    ...changes,
  });
}

const passed = { ok: true, value: {} };
const failed = (kind: string, message: string) => ({ ok: false, problem: { kind, message } });

describe('a name passes', () => {
  test('that leads to the Gateway, behind which our responder answers', async () => {
    expect(await walk('foo.test')).toEqual(passed);
    expect(await walk('FOO.test')).toEqual(passed);
  });

  test.each(['alias.test', 'lb.test'])('by CNAMEs or without: %s', async (host) => {
    expect(await walk(host, { nameservers: [zone.address], addressCheck: 'require' })).toEqual(passed);
  });

  test('whose Gateway is a balancer’s name', async () => {
    const gatewayAddresses = [{ type: 'Hostname', value: 'lb.test' }];
    expect(await walk('home.test', { nameservers: [zone.address], gatewayAddresses, addressCheck: 'require' })).toEqual(
      passed,
    );
  });

  test('whose Gateway has no address yet, or a balancer that nobody knows', async () => {
    for (const gatewayAddresses of [
      [],
      [{ type: 'Hostname', value: 'gone.test' }],
      [{ type: 'example.com/x', value: 'y' }],
    ]) {
      const found = await walk('home.test', { nameservers: [zone.address], gatewayAddresses, addressCheck: 'require' });
      expect(found).toEqual(passed);
    }
  });

  test('that leads elsewhere, as long as our responder answers there: with a warning, or with none where DNS is not to be asked', async () => {
    const warning =
      'foo.test leads to 127.0.0.1, and the Gateway is at 192.0.2.7: point all its A and AAAA records at the Gateway.';
    expect(await walk('foo.test', { gatewayAddresses: elsewhere })).toEqual({ ok: true, value: { warning } });
    const off = await walk('gone.test', { addressCheck: 'off', nameservers: [zone.address] });
    expect(off).toEqual(passed);
  });

  test('that is an IP address', async () => {
    expect(await walk('127.0.0.1', { addressCheck: 'require' })).toEqual(passed);
  });
});

describe('DNS stands in the way', () => {
  test.each([
    ['NXDOMAIN', 'NXDOMAIN'],
    ['SERVFAIL', 'SERVFAIL'],
    [[], 'no A or AAAA record'],
  ] as const)('with %j', async (said, words) => {
    dns.set('lost.test', said);
    const message = `lost.test resolves to no address (${words} from ${dns.address}). Point it at the Gateway, 127.0.0.1.`;
    expect(await walk('lost.test')).toEqual(failed('dns', message));
    expect(await walk('lost.test', { gatewayAddresses: [] })).toEqual(
      failed('dns', message.replace(' Point it at the Gateway, 127.0.0.1.', '')),
    );
  });

  test.each([
    ['round.test', 'more than 8 CNAMEs in a row'],
    ['dangling.test', 'NXDOMAIN'],
    ['bare.test', 'no A or AAAA record'],
  ])('with the CNAMEs of %s', async (host, words) => {
    const found = await walk(host, { nameservers: [zone.address], gatewayAddresses: [] });
    expect(found).toEqual(failed('dns', `${host} resolves to no address (${words} from ${zone.address}).`));
  });

  test('by silence, within its time', async () => {
    dns.set('silent.test', 'DROP');
    const since = performance.now();
    expect(await walk('silent.test', { withinMs: 200 })).toMatchObject(
      failed('dns', expect.stringContaining('(no answer from')),
    );
    expect(performance.now() - since).toBeLessThan(1_500);
  });

  test('by leading elsewhere, where that is not to be', async () => {
    const message =
      'six.test leads to ::1, and the Gateway is at 127.0.0.1: point all its A and AAAA records at the Gateway.';
    expect(await walk('six.test', { nameservers: [zone.address], addressCheck: 'require' })).toEqual(
      failed('address', message),
    );
  });

  test('by leading to where nobody answers: both are said', async () => {
    dns.set('astray.test', ['127.0.0.9', '127.0.0.8']);
    expect(await walk('astray.test')).toEqual(
      failed(
        'address',
        `http://astray.test:${responder.port}/… cannot be reached (127.0.0.8: ECONNREFUSED, 127.0.0.9: ECONNREFUSED). ` +
          'astray.test leads to 127.0.0.8, 127.0.0.9, and the Gateway is at 127.0.0.1: point all its A and AAAA records at the Gateway.',
      ),
    );
  });
});

describe('something else answers', () => {
  const at = (host: string, respond: RequestListener, changes: Partial<Preflight> = {}) => {
    strange = respond;
    return walk(host, { port: strangePort, ...changes });
  };
  const where = () => `http://foo.test:${strangePort}/…`;

  test('with a body of its own, or our question as it was', async () => {
    const message = `${where()} answered 200 with another body: something else serves this path.`;
    expect(await at('foo.test', (_, response) => void response.end('hello'))).toEqual(failed('body', message));
    const echo: RequestListener = (request, response) => void response.end(request.url?.split('/').at(-1));
    expect(await at('foo.test', echo)).toEqual(failed('body', message));
  });

  test.each([404, 503])('with %i', async (status) => {
    const found = await at('foo.test', (_, response) => void response.writeHead(status).end());
    expect(found).toEqual(failed('body', `${where()} answered ${status}.`));
  });

  test('with a redirect that ends elsewhere', async () => {
    const found = await at('foo.test', (request, response) => {
      if (request.url === '/elsewhere') response.writeHead(404).end();
      else response.writeHead(301, { location: '/elsewhere' }).end();
    });
    const remedy = 'Keep redirects off /.well-known/acme-challenge/ (for the Gateway’s owner).';
    expect(found).toEqual(failed('redirect', `${where()} answered 404. ${remedy}`));
  });

  test('or not at all', async () => {
    const found = await at('foo.test', () => undefined, { perAddressMs: 50 });
    expect(found).toEqual(failed('timeout', `${where()} cannot be reached (127.0.0.1: no answer).`));
  });
});

test('our own responder does not answer for a host without an Order, nor for another account', async () => {
  const message = (host: string) => `http://${host}:${responder.port}/… answered 404.`;
  expect(await walk('other.test')).toEqual(failed('body', message('other.test')));
  expect(await walk('foo.test', { thumbprint: 'somebody-else' })).toEqual(failed('body', message('foo.test')));
});

test('it ends as soon as it is called off', async () => {
  const stopping = new AbortController();
  strange = () => stopping.abort();
  const found = await walk('foo.test', { port: strangePort, signal: stopping.signal });
  expect(found).toEqual(failed('stopped', 'The check of foo.test was called off.'));
  expect(await walk('foo.test', { signal: stopping.signal })).toMatchObject({ problem: { kind: 'stopped' } });
});
