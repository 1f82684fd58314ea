// The world's DNS server, asked by Node's own resolver (UDP) and by hand over TCP, as Pebble does.

import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import * as packet from 'dns-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteDns, startDnsControl } from '../rig/dns/control.ts';
import { type DnsServer, startDns } from '../rig/dns/server.ts';

let dns: DnsServer;
const resolver = new Resolver({ timeout: 200, tries: 1 });

beforeAll(async () => {
  dns = await startDns();
  resolver.setServers([dns.address]);
});
afterAll(() => dns[Symbol.asyncDispose]());

async function overTcp(name: string, type: packet.RecordType): Promise<packet.Packet> {
  const [host = '', port] = dns.address.split(':');
  const socket = connect(Number(port), host);
  const query = packet.streamEncode({
    type: 'query',
    id: 7,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type }],
  });
  // In two pieces, as a network may deliver it.
  socket.write(query.subarray(0, 5));
  await once(socket, 'connect');
  socket.write(query.subarray(5));
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return packet.streamDecode(answer);
}

describe('a name', () => {
  it('resolves to loopback when nobody said otherwise', async () => {
    expect(await resolver.resolve4('anything.example.com')).toEqual(['127.0.0.1']);
  });

  it('has the addresses it was given, whatever its case, until it is cleared', async () => {
    dns.set('App.example.com', ['10.1.2.3', '10.1.2.4']);
    expect(await resolver.resolve4('app.EXAMPLE.com')).toEqual(['10.1.2.3', '10.1.2.4']);
    dns.clear('app.example.com.');
    expect(await resolver.resolve4('app.example.com')).toEqual(['127.0.0.1']);
  });

  it('takes the answer of a wildcard above it, unless it has its own', async () => {
    dns.set('*.wild.example.com', ['10.9.9.9']);
    dns.set('own.wild.example.com', ['10.8.8.8']);
    expect(await resolver.resolve4('a.b.wild.example.com')).toEqual(['10.9.9.9']);
    expect(await resolver.resolve4('own.wild.example.com')).toEqual(['10.8.8.8']);
    expect(await resolver.resolve4('wild.example.com')).toEqual(['127.0.0.1']);
  });

  it.each([
    ['NXDOMAIN', 'ENOTFOUND'],
    ['SERVFAIL', 'ESERVFAIL'],
    ['DROP', 'ETIMEOUT'],
  ] as const)('that is set to %s fails with %s', async (failure, code) => {
    dns.set('broken.example.com', failure);
    await expect(resolver.resolve4('broken.example.com')).rejects.toMatchObject({ code });
  });

  it('has no AAAA, CAA or TXT record, and exists all the same', async () => {
    for (const type of ['AAAA', 'CAA', 'TXT'] as const) {
      await expect(resolver.resolve('plain.example.com', type)).rejects.toMatchObject({ code: 'ENODATA' });
    }
  });
});

describe('over TCP', () => {
  it('answers with the id of the query and the authoritative flag', async () => {
    const answer = await overTcp('tcp.example.com', 'A');
    expect(answer).toMatchObject({ id: 7, flag_aa: true, answers: [{ type: 'A', data: '127.0.0.1' }] });
  });
});

describe('remote control', () => {
  it('sets and clears names and counts queries from another process', async () => {
    await using control = await startDnsControl(dns);
    const remote = remoteDns(control.url);
    const before = await remote.queries();
    await remote.set('far.example.com', ['10.5.5.5']);
    expect(await resolver.resolve4('far.example.com')).toEqual(['10.5.5.5']);
    await remote.set('far.example.com', 'NXDOMAIN');
    await expect(resolver.resolve4('far.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await remote.clear('far.example.com');
    expect(await resolver.resolve4('far.example.com')).toEqual(['127.0.0.1']);
    expect((await remote.queries()) - before).toBe(3);
  });

  it('refuses an answer that is none', async () => {
    await using control = await startDnsControl(dns);
    const response = await fetch(`${control.url}/x.example.com`, { method: 'PUT', body: '["not an address"]' });
    expect(response.status).toBe(400);
  });
});
