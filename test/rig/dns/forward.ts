// Passing a query on to another DNS server and its answer back, byte for byte, over the transport by which it came. Called by server.ts.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

const patienceMs = 2_000;

/** `to` is address:port. Undefined where no answer comes in time. */
export async function forward(message: Buffer, to: string, over: 'udp' | 'tcp'): Promise<Buffer | undefined> {
  const [host = '', port = ''] = to.split(':');
  const signal = AbortSignal.timeout(patienceMs);
  try {
    return await (over === 'udp' ? byUdp : byTcp)(message, { host, port: Number(port) }, signal);
  } catch {
    return undefined; // nobody there, or silence: as silent as that server
  }
}

interface Target {
  readonly host: string;
  readonly port: number;
}

async function byUdp(message: Buffer, { host, port }: Target, signal: AbortSignal): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.connect(port, host);
    await once(socket, 'connect', { signal });
    socket.send(message);
    const [answer] = await once(socket, 'message', { signal });
    return answer;
  } finally {
    socket.close();
  }
}

async function byTcp(message: Buffer, target: Target, signal: AbortSignal): Promise<Buffer> {
  const socket = connect({ ...target, signal });
  try {
    socket.write(framed(message));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) break;
    }
    return received.subarray(2, 2 + received.readUInt16BE(0));
  } finally {
    socket.destroy();
  }
}

/** RFC 1035 §4.2.2: over TCP each message follows its length in two bytes. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
