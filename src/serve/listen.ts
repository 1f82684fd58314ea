// Opens the small HTTP servers of the process: one address each, strict limits, a graceful end. Called by http01.ts, health.ts and metrics.ts.

import { createServer, type RequestListener, type Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Reply } from '../api/reply.ts';

export interface ListenAddress {
  /** Undefined is every address of the machine, IPv6 and IPv4. */
  readonly host?: string;
  readonly port: number;
}

/** `host:port`, `[::1]:port` or `:port`; port 0 lets the system choose. The problem is a sentence without subject. */
export function parseListen(text: string): Reply<ListenAddress, string> {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return { ok: false, problem: 'must be host:port, [IPv6]:port or :port' };
  if (bracketed !== undefined && !isIPv6(bracketed))
    return { ok: false, problem: 'has no IPv6 address in its brackets' };
  const host = bracketed ?? plain ?? '';
  return { ok: true, value: { ...(host !== '' && { host }), port } };
}

export interface Listening {
  /** The address in use, with the port that the system chose. */
  readonly address: string;
  readonly port: number;
  /** No new requests; those under way may end, for at most 3 s. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const graceMs = 3000;

/** Rejects where the address is malformed or cannot be listened on. */
export async function listen(address: string, handle: RequestListener): Promise<Listening> {
  const parsed = parseListen(address);
  if (!parsed.ok) throw new Error(`The address ${JSON.stringify(address)} ${parsed.problem}.`);
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: 5000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
    },
    handle,
  );
  server.maxConnections = 2048;
  const quiet = trackQuiet(server);
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
  // Stays for later errors, such as too many open files: they must not end the process.
  server.on('error', (cause) => reject(new Error(`cannot listen on ${address}`, { cause })));
  server.listen(parsed.value, resolve);
  await opened;
  const close = () => closeServer(server, quiet);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error(`listening on ${address} has no port`);
  const host = isIPv6(bound.address) ? `[${bound.address}]` : bound.address;
  return { address: `${host}:${bound.port}`, port: bound.port, close, [Symbol.asyncDispose]: close };
}

/**
 * Connections without a request under way. Node itself counts one that never asked as busy, and keeps one alive
 * whose request ended after the server closed.
 */
function trackQuiet(server: Server): ReadonlySet<Socket> {
  const quiet = new Set<Socket>();
  server.on('connection', (socket) => {
    quiet.add(socket);
    socket.once('close', () => quiet.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    quiet.delete(socket);
    response.once('close', () => {
      if (server.listening && !socket.destroyed) quiet.add(socket);
      else socket.end();
    });
  });
  return quiet;
}

async function closeServer(server: Server, quiet: ReadonlySet<Socket>): Promise<void> {
  if (!server.listening) return;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of quiet) socket.destroy();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
