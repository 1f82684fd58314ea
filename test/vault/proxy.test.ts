// A real Vault behind a proxy, as HTTPS_PROXY and NO_PROXY name them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askHealth } from '../../src/vault/health.ts';
import { openVault } from '../../src/vault/http.ts';
import { anything, type OwnVault, startOwnVault } from './own-vault.ts';

let own: OwnVault;
let proxyUrl: string;
const asked: string[] = [];
// Whatever name is asked for, it leads to loopback.
const proxy = createServer().on('connect', ({ url = '' }, client) => {
  asked.push(url);
  const upstream = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(upstream).pipe(client);
  });
  for (const socket of [client, upstream]) socket.on('error', () => upstream.destroy());
});

beforeAll(async () => {
  own = await startOwnVault();
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  proxyUrl = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  proxy.close();
  await own?.[Symbol.asyncDispose]();
});

it('is reached through it, unless it is excepted', async () => {
  const { port } = new URL(own.vault.url);
  const server = new URL(`https://vault.invalid:${port}`);
  const connection = { server, serverName: 'localhost', caBundle: own.vault.caPem };
  const open = (except: string) => openVault(connection, { ...anything, proxies: { url: proxyUrl, except } });
  await using through = open('example.com');
  await expect(askHealth(through)).resolves.toEqual({ ok: true, value: undefined });
  expect(asked).toEqual([`vault.invalid:${port}`]);
  await using direct = open('.invalid');
  await expect(askHealth(direct)).resolves.toMatchObject({ ok: false, problem: { kind: 'network', sent: 'no' } });
  expect(asked).toHaveLength(1);
});
