// A DNS server's sockets: one port, UDP and TCP, and a function that answers. Called by server.ts and relay.ts.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../ports.ts';
import { framed } from './forward.ts';

/** Undefined: silence is the answer. */
export type Respond = (message: Buffer, over: 'udp' | 'tcp') => Promise<Buffer | undefined>;

export interface DnsListener extends AsyncDisposable {
  readonly port: number;
}

const attempts = 5;

/** Listens on `port`, or on a free one. */
export async function listenDns(host: string, port: number | undefined, respond: Respond): Promise<DnsListener> {
  const { tcp, udp, bound } = await listen(host, port, attempts);
  const connections = new Set<Socket>();
  udp.on('message', (message, from) => {
    void respond(message, 'udp').then((reply) => {
      if (reply !== undefined) udp.send(reply, from.port, from.address);
    });
  });
  udp.on('error', () => undefined); // a client that went away
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => socket.destroy());
    serve(socket, respond);
  });
  return {
    port: bound,
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

async function listen(host: string, port: number | undefined, left: number): Promise<Listening> {
  const bound = port ?? (await freePort());
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    tcp.listen(bound, host);
    await once(tcp, 'listening');
    udp.bind(bound, host);
    await once(udp, 'listening');
    return { tcp, udp, bound };
  } catch (cause) {
    tcp.close();
    udp.close();
    if (port === undefined && left > 1) return listen(host, undefined, left - 1);
    throw new Error(`the DNS server cannot listen on ${host}:${bound}`, { cause });
  }
}

// RFC 1035 §4.2.2: over TCP each message follows its length in two bytes.
function serve(socket: Socket, respond: Respond): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const end = 2 + pending.readUInt16BE(0);
      if (pending.length < end) break;
      const message = pending.subarray(2, end);
      pending = pending.subarray(end);
      void respond(message, 'tcp').then((reply) => {
        if (reply !== undefined && socket.writable) socket.write(framed(reply));
      });
    }
  });
}
