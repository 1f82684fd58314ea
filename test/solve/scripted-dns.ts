// An authoritative DNS server whose answers a test writes out record by record: CNAMEs alone, AAAA beside A, none at all. The rig's own knows A only.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as packet from 'dns-packet';

export interface Zone {
  readonly [name: string]: {
    readonly A?: readonly string[];
    readonly AAAA?: readonly string[];
    readonly CNAME?: string;
  };
}

export interface ScriptedDns extends AsyncDisposable {
  readonly address: string;
}

/** A name that the zone does not have is NXDOMAIN. It never answers for more than what was asked, as resolvers would. */
export async function scriptedDns(zone: Zone): Promise<ScriptedDns> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const { id = 0, questions: [question] = [] } = packet.decode(message);
    if (question === undefined) return;
    const found = zone[question.name.toLowerCase()];
    const reply: packet.Packet = {
      type: 'response',
      id,
      flags: packet.AUTHORITATIVE_ANSWER | (found === undefined ? 3 : 0),
      questions: [question],
      answers: recordsOf(question, found ?? {}),
    };
    socket.send(packet.encode(reply), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function recordsOf({ name, type }: packet.Question, { A = [], AAAA = [], CNAME }: Zone[string]): packet.Answer[] {
  if (CNAME !== undefined) return [{ type: 'CNAME', name, data: CNAME, ttl: 0 }];
  if (type === 'A') return A.map((data) => ({ type, name, data, ttl: 0 }));
  return type === 'AAAA' ? AAAA.map((data) => ({ type, name, data, ttl: 0 })) : [];
}
