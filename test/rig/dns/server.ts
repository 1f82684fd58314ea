// The world's authoritative DNS server: one port, UDP and TCP (Pebble asks by TCP only). A records come from the table;
// every other type is answered empty, so that CAA and AAAA never stand in the way.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import * as packet from 'dns-packet';
import { freePort } from '../ports.ts';
import { type Answer, createTable, type Table } from './table.ts';

export interface DnsServer extends Table, AsyncDisposable {
  /** 127.0.0.1:port */
  readonly address: string;
}

const attempts = 5;
// Answers are gone with the next query: a test that changes a name must not wait for a cache.
const ttlSeconds = 0;

/** Listens on `port`, or on a free one. */
export async function startDns(port?: number): Promise<DnsServer> {
  const table = createTable();
  const { tcp, udp, bound } = await listen(port, attempts);
  const connections = new Set<Socket>();
  udp.on('message', (message, from) => {
    const reply = respond(message, table);
    if (reply !== undefined) udp.send(packet.encode(reply), from.port, from.address);
  });
  udp.on('error', () => undefined); // a client that went away
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => socket.destroy());
    serve(socket, table);
  });
  return {
    ...table,
    address: `127.0.0.1:${bound}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy();
      tcp.close();
      udp.close();
      await once(tcp, 'close');
    },
  };
}

interface Listening {
  readonly tcp: Server;
  readonly udp: UdpSocket;
  readonly bound: number;
}

async function listen(port: number | undefined, left: number): Promise<Listening> {
  const bound = port ?? (await freePort());
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    tcp.listen(bound, '127.0.0.1');
    await once(tcp, 'listening');
    udp.bind(bound, '127.0.0.1');
    await once(udp, 'listening');
    return { tcp, udp, bound };
  } catch (cause) {
    tcp.close();
    udp.close();
    if (port === undefined && left > 1) return listen(undefined, left - 1);
    throw new Error(`the DNS server cannot listen on 127.0.0.1:${bound}`, { cause });
  }
}

// RFC 1035 §4.2.2: over TCP each message follows its length in two bytes.
function serve(socket: Socket, table: Table): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const end = 2 + pending.readUInt16BE(0);
      if (pending.length < end) break;
      const reply = respond(pending.subarray(2, end), table);
      pending = pending.subarray(end);
      if (reply !== undefined) socket.write(packet.streamEncode(reply));
    }
  });
}

/** The answer, or undefined where silence is the answer: a dropped name, or no question at all. */
function respond(message: Buffer, table: Table): packet.Packet | undefined {
  const query = decode(message);
  const question = query?.questions?.[0];
  if (query === undefined || question === undefined) return undefined;
  const answer = table.lookup(question.name);
  if (answer === 'DROP') return undefined;
  return {
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: packet.AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & packet.RECURSION_DESIRED) | responseCode(answer),
    questions: [question],
    answers: records(question, answer),
  };
}

function decode(message: Buffer): packet.DecodedPacket | undefined {
  try {
    const query = packet.decode(message);
    return query.type === 'query' ? query : undefined;
  } catch {
    return undefined; // not DNS
  }
}

// RFC 1035 §4.1.1: 2 is a server failure, 3 says that the name does not exist.
function responseCode(answer: Answer): number {
  if (answer === 'SERVFAIL') return 2;
  return answer === 'NXDOMAIN' ? 3 : 0;
}

function records({ name, type }: packet.Question, answer: Answer): packet.Answer[] {
  if (type !== 'A' || typeof answer === 'string') return [];
  return answer.map((data) => ({ type: 'A', name, data, ttl: ttlSeconds }));
}
