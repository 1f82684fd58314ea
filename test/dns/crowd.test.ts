// A zone that names more nameservers and addresses than anybody needs, as one that wants us to ask many does.

import * as packet from 'dns-packet';
import { expect, test } from 'vitest';
import { lookForRecord } from '../../src/dns/propagation.ts';
import { findAuthorities } from '../../src/dns/zone.ts';
import { listenDns } from '../rig/dns/listen.ts';
import { got, never, viewOf } from './stage.ts';

const zone = 'crowd.test';
const servers = Array.from({ length: 40 }, (_, index) => `ns${10 + index}.${zone}`);
const addresses = Array.from({ length: 9 }, (_, index) => `127.0.0.${index + 1}`);

function recordsFor({ name, type }: packet.Question): packet.Answer[] {
  if (type === 'NS') return servers.map((data) => ({ type, name, data, ttl: 0 }));
  if (type === 'A') return addresses.map((data) => ({ type, name, data, ttl: 0 }));
  if (type !== 'SOA' || name.toLowerCase() !== zone) return [];
  const [mname = ''] = servers;
  const data = { mname, rname: `admin.${zone}`, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
  return [{ type, name, data, ttl: 0 }];
}

async function respond(message: Buffer): Promise<Buffer> {
  const { id = 0, questions = [] } = packet.decode(message);
  const answers = questions.flatMap(recordsFor);
  return packet.encode({ type: 'response', id, flags: packet.AUTHORITATIVE_ANSWER, questions, answers });
}

test('a zone with forty nameservers is asked at sixteen, each by four addresses', async () => {
  await using server = await listenDns('127.0.0.1', undefined, respond);
  const found = got(await findAuthorities(viewOf(`127.0.0.1:${server.port}`), `${zone}.`, never));
  expect(found.map(({ name }) => name)).toEqual(servers.slice(0, 16));
  for (const each of found) expect(each.addresses).toEqual(addresses.slice(0, 4));
});

test('a sentence names four of them', async () => {
  await using server = await listenDns('127.0.0.1', undefined, respond);
  const view = { ...viewOf(`127.0.0.1:${server.port}`), authorityPort: server.port };
  const seen = got(await lookForRecord(view, { name: `_acme-challenge.${zone}.`, value: 'proof' }, never));
  const named = servers.slice(0, 4).join(', ');
  expect(seen).toMatchObject({
    kind: 'lacking',
    message: expect.stringContaining(`16 of 16 lack it: ${named} and 12 more.`),
  });
});
