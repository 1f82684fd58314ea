// 200 dead names, fifty of each sort, and sixty living ones behind them: the living have all been looked at before the first silent one has had its time.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer } from '../../src/serve/answers.ts';
import { startResponder } from '../../src/serve/http01.ts';
import type { Listening } from '../../src/serve/listen.ts';
import { checkSlots } from '../../src/solve/check-slots.ts';
import { preflight } from '../../src/solve/preflight.ts';
import { type DnsServer, startDns } from '../rig/dns/server.ts';

const thumbprint = 'thumb';
const { signal } = new AbortController();
let dns: DnsServer;
let responder: Listening;
let stranger: Server;
let silent: Server;

beforeAll(async () => {
  dns = await startDns();
  dns.set('*.nxdomain.test', 'NXDOMAIN');
  dns.set('*.servfail.test', 'SERVFAIL');
  const lookup = async (host: string, token: string) =>
    answer(host, token, { orders: () => [{ tokens: [], thumbprint }] });
  responder = await startResponder({ listen: '127.0.0.1:0', lookup });
  stranger = createServer((_, response) => void response.end('hello'));
  silent = createServer(() => undefined);
  await Promise.all([stranger, silent].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
});
afterAll(async () => {
  for (const server of [stranger, silent]) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all([responder.close(), dns[Symbol.asyncDispose]()]);
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;

test('dead names do not keep the living waiting, in whatever namespaces they are', async () => {
  const slots = checkSlots();
  const over: string[] = [];
  const look = async (host: string, port: number, namespace: string) => {
    using slot = await slots.enter(namespace, 0, signal);
    expect(slot).toBeDefined();
    const question = {
      host,
      thumbprint,
      gatewayAddresses: [],
      addressCheck: 'warn' as const,
      nameservers: [dns.address],
    };
    const found = await preflight({ ...question, port, signal, perAddressMs: 8_000 });
    over.push(host);
    return found.ok ? 'ok' : found.problem.kind;
  };
  const ports = { nxdomain: 1, servfail: 1, silent: portOf(silent), stranger: portOf(stranger) };
  const dead = Object.entries(ports).flatMap(([sort, port]) =>
    Array.from({ length: 50 }, (_, index) => look(`n${index}.${sort}.test`, port, 'dead')),
  );
  const living = Array.from({ length: 60 }, (_, index) => look(`n${index}.living.test`, responder.port, 'living'));
  expect(await Promise.all(living)).toEqual(Array(60).fill('ok'));
  expect(over.filter((host) => host.endsWith('.silent.test'))).toEqual([]);
  const sorts = Object.groupBy(await Promise.all(dead), (kind) => kind);
  expect(Object.entries(sorts).map(([kind, all = []]) => [kind, all.length])).toEqual(
    expect.arrayContaining([
      ['dns', 100],
      ['timeout', 50],
      ['body', 50],
    ]),
  );
}, 60_000);
