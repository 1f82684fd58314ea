// Addresses of 127/8 behind which names are dead, or die only for the CA: one that drops packets, one where somebody else answers, and one that lets
// everybody through to the real responder but the CA. Linux only: there all of 127/8 is loopback. For dead-name tests and benchmarks.

import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest, type RequestListener } from 'node:http';
import { connect, type Server, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

export interface DeadAddresses extends AsyncDisposable {
  /** Connections to it are never established, and never refused. */
  readonly dropping: string;
  /** Answers 200 with a body that is not the challenge's. */
  readonly foreign: string;
  /** Leads to 127.0.0.1, but forbids Pebble, which says so in its User-Agent. */
  readonly forbidding: string;
}

/** `port`: where the CA knocks for HTTP-01, on 127.0.0.1 as on these addresses. */
export async function startDeadAddresses(port: number): Promise<DeadAddresses> {
  const [dropping, foreign, forbidding] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
  const silence = await startSilence(dropping, port);
  const servers = await Promise.all([
    serve(foreign, port, (_, response) => response.end('It works!')),
    serve(forbidding, port, (incoming, response) => {
      if (/Pebble/.test(incoming.headers['user-agent'] ?? '')) return response.writeHead(403).end();
      const { method, url: path, headers } = incoming;
      const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      return onward.on('error', () => response.destroy()).end();
    }),
  ]);
  return {
    dropping,
    foreign,
    forbidding,
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.close();
      await silence[Symbol.asyncDispose]();
    },
  };
}

async function serve(host: string, port: number, answer: RequestListener): Promise<Server> {
  const server = createHttpServer({ keepAliveTimeout: 1 }, answer);
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

// Its thread listens and then sleeps: nobody accepts, and once the backlog is full, the kernel drops further SYNs (net.ipv4.tcp_abort_on_overflow is 0).
const sleeper = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  createServer().listen({ ...workerData, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;
const establishedWithinMs = 200;
const mostFillers = 64;

async function startSilence(host: string, port: number): Promise<AsyncDisposable> {
  const thread = new Worker(sleeper, { eval: true, workerData: { host, port } });
  await once(thread, 'message');
  const fillers: Socket[] = [];
  for (let isFull = false; !isFull; ) {
    if (fillers.length === mostFillers) throw new Error(`the backlog of ${host}:${port} does not fill up`);
    const socket = connect(port, host);
    socket.on('error', () => undefined);
    fillers.push(socket);
    isFull = await Promise.race([once(socket, 'connect').then(() => false), after(establishedWithinMs, true)]);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of fillers) socket.destroy();
      await thread.terminate();
    },
  };
}
