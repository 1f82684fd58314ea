// One message to one DNS server and what comes back, over UDP or TCP, within a time. Retries nothing. Called by ask.ts and rfc2136.ts.

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { on, once } from 'node:events';
import { connect } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { Reply } from '../api/reply.ts';
import { sentenceOf } from '../kube/problem.ts';
import { timeLimit, unlessAborted } from '../kube/wire.ts';
import { spellNameserver } from './nameserver.ts';
import { type DnsProblem, failed } from './problem.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Exchange<T> {
  readonly to: Address;
  readonly over: 'udp' | 'tcp';
  readonly message: Buffer;
  /** Undefined for bytes that are not the answer; over UDP the wait goes on. */
  readonly accept: (bytes: Buffer) => T | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Fails with `network` only. Each exchange has a socket, and so a port, of its own: nobody can guess where an answer belongs. */
export async function exchange<T>(wish: Exchange<T>): Promise<Reply<T, DnsProblem>> {
  using limit = timeLimit(wish.timeoutMs, wish.signal);
  try {
    const send = wish.over === 'udp' ? overUdp : overTcp;
    return { ok: true, value: await send({ ...wish, signal: limit.signal }) };
  } catch (error) {
    const why = limit.signal.aborted ? sentenceOf(limit.signal.reason) : sentenceOf(error);
    const server = spellNameserver({ kind: 'dns', ...wish.to });
    return failed('network', `The nameserver ${server} cannot be asked over ${wish.over.toUpperCase()}: ${why}.`);
  }
}

async function overUdp<T>({ to, message, accept, signal }: Exchange<T>): Promise<T> {
  const { address, family } = await unlessAborted(lookup(to.host), signal);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    // Connected: the kernel drops what others send, and tells when nobody listens there.
    socket.connect(to.port, address);
    await once(socket, 'connect', { signal });
    const messages = on(socket, 'message', { signal });
    socket.send(message);
    for await (const received of messages) {
      const [bytes]: unknown[] = received;
      const accepted = Buffer.isBuffer(bytes) ? accept(bytes) : undefined;
      if (accepted !== undefined) return accepted;
    }
    throw new Error('the socket was closed');
  } finally {
    socket.close();
  }
}

// RFC 1035 §4.2.2: each message follows its length in two bytes.
async function overTcp<T>({ to, message, accept, signal }: Exchange<T>): Promise<T> {
  const socket = addAbortSignal(signal, connect(to));
  socket.on('error', () => undefined); // told by the waits below, also when it comes between them
  try {
    await once(socket, 'connect', { signal });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) continue;
      const accepted = accept(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (accepted === undefined) throw new Error('it answers something else');
      return accepted;
    }
    throw new Error('it closed the connection without an answer');
  } finally {
    socket.destroy();
  }
}
