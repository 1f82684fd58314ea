// Providers behind a corporate proxy: a real CONNECT proxy on loopback, which tells who was asked for. It leads every host to the API on loopback.

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openHttps } from '../../src/dns/https.ts';
import { createAuthority } from '../rig/certificates.ts';
import { awsScript, zoneId } from './aws-script.ts';
import { got, never, problemIn, providerWith, record } from './stage.ts';

const asked: string[] = [];
const script = awsScript();
const closing: { close(): unknown; closeAllConnections(): void }[] = [];
let dir: string;
let proxy: string;
let apiPort: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'certway-proxy-'));
  const authority = await createAuthority(dir);
  const files = await authority.server('api');
  setDefaultCACertificates([...getCACertificates('default'), authority.caPem]);
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)]);
  const api = createServer({ cert, key }, (request, response) => {
    const { method = '', url = '', headers } = request;
    const told = script.answer({ method, path: url, headers, body: '' });
    response.writeHead(told.status, told.headers).end(told.body);
  });
  const tunnels = createProxy().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const there = connect(apiPort, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    there.on('error', () => socket.destroy()).pipe(socket);
    socket.on('error', () => there.destroy()).pipe(there);
  });
  [apiPort = 0] = await Promise.all([api, tunnels].map(listen));
  proxy = `http://127.0.0.1:${portOf(tunnels)}`;
  closing.push(api, tunnels);
});
afterAll(async () => {
  for (const server of closing) {
    server.closeAllConnections();
    server.close();
  }
  await rm(dir, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
});

async function listen(server: ReturnType<typeof createProxy>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

function portOf(server: ReturnType<typeof createProxy>): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

it('an API is reached through the proxy, unless NO_PROXY names it', async () => {
  await using through = openHttps({ proxies: { url: proxy, except: '.direct.invalid' }, userAgent: 'certway-test' });
  const problem = problemIn(await through.send({ method: 'GET', url: 'https://api.direct.invalid/', signal: never }));
  expect(problem).toMatchObject({
    kind: 'network',
    message: expect.stringContaining('api.direct.invalid cannot be reached'),
  });
  expect(asked).toEqual([]);
  // The certificate of the API is for localhost: reaching the wrong host is told, and by TLS.
  const wrong = problemIn(await through.send({ method: 'GET', url: 'https://api.example.com/', signal: never }));
  expect(wrong).toMatchObject({ kind: 'network', message: expect.stringMatching(/certificate|altnames/i) });
  expect(asked).toEqual(['api.example.com:443']);
});

it('the AWS SDK goes through the proxy', async () => {
  // Node passes loopback addresses to a proxy as it does all others; its certificate is for localhost.
  const endpoints = { route53: `https://localhost:${apiPort}` };
  const route53 = { accessKeyID: 'AKIA', secretAccessKeySecretRef: { name: 'aws', key: 'k' }, hostedZoneID: zoneId };
  const proxies = { url: proxy, except: '' };
  const provider = providerWith({ route53 }, 'secret', { endpoints, proxies });
  expect(got(await provider.settled({ zoneId, changeId: '/change/C1' }, never))).toBe('not yet');
  expect(asked).toEqual([`localhost:${apiPort}`]);
});

it('a SOCKS proxy is refused for Route 53 in words', async () => {
  const route53 = { accessKeyID: 'AKIA', secretAccessKeySecretRef: { name: 'aws', key: 'k' } };
  const provider = providerWith({ route53 }, 'secret', { proxies: { url: 'socks5://127.0.0.1:1080', except: '' } });
  expect(problemIn(await provider.present(record('example.com', 'x'), never))).toEqual({
    kind: 'misconfigured',
    message: 'HTTPS_PROXY is a SOCKS proxy, through which Route 53 cannot be reached; use an HTTP proxy.',
  });
});
