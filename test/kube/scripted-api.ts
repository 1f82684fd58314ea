// A socket that misbehaves: an HTTPS server whose every answer a test scripts. It knows nothing of Kubernetes, and no module of ours is replaced:
// what the tests of kube/ see is what a broken network or a half-dead API server would show them.

import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAuthority } from '../rig/certificates.ts';

/** One request in the server's hands, until one of its answers is given. */
export interface Turn {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** By the monotonic clock. */
  readonly at: number;
  readonly isWatch: boolean;
  /** The port that the request came from tells sockets apart. */
  readonly clientPort: number;
  readonly clientName: string | undefined;
  /** Resolves when the client or the server has closed this exchange. */
  readonly closed: Promise<unknown>;
  json(status: number, body: unknown, headers?: Readonly<Record<string, string | string[]>>): void;
  /** 200 and nothing more yet. */
  open(): void;
  event(type: string, object: unknown): void;
  raw(bytes: string | Buffer): void;
  end(): void;
  /** TCP reset, whatever was sent so far. */
  reset(): void;
}

export type Script = (turn: Turn) => void | Promise<void>;

export interface ScriptedApi extends AsyncDisposable {
  readonly url: string;
  readonly dir: string;
  readonly caFile: string;
  readonly turns: readonly Turn[];
  readonly lists: readonly Turn[];
  readonly watches: readonly Turn[];
  /** Each list takes the next; the last one stays. */
  onList(...scripts: readonly Script[]): void;
  /** Each watch takes the next; the last one stays. */
  onWatch(...scripts: readonly Script[]): void;
  /** All requests, lists and watches included. */
  onAny(...scripts: readonly Script[]): void;
  /** A kubeconfig in a file of its own. */
  kubeconfig(user: Readonly<Record<string, unknown>>, cluster?: Readonly<Record<string, unknown>>): Promise<string>;
  clientCertificate(name: string): Promise<{ readonly certificate: string; readonly key: string }>;
  /** Refuses connections, and resets those that stand. */
  down(): Promise<void>;
  /** On the same port again. */
  up(): Promise<void>;
}

export async function scriptedApi(): Promise<ScriptedApi> {
  const dir = await mkdtemp(join(tmpdir(), 'certway-scripted-'));
  const authority = await createAuthority(dir);
  const files = await authority.server('scripted');
  const turns: Turn[] = [];
  // Below TLS, by the client's port: a reset is a matter of TCP.
  const sockets = new Map<number, Socket>();
  const scripts: Record<'list' | 'watch' | 'any', Script[]> = { list: [], watch: [], any: [] };
  const next = (kind: 'list' | 'watch' | 'any') =>
    scripts[kind].length > 1 ? scripts[kind].shift() : scripts[kind][0];

  const tls = { key: await readFile(files.key), cert: await readFile(files.certificate), ca: authority.caPem };
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, async (request, response) => {
    const turn = await takeTurn(request, response, () =>
      sockets.get(request.socket.remotePort ?? 0)?.resetAndDestroy(),
    );
    turns.push(turn);
    const script = next('any') ?? next(turn.isWatch ? 'watch' : 'list') ?? notScripted;
    await script(turn);
  });
  server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.on('close', () => sockets.delete(remotePort));
    socket.on('error', () => undefined);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  let serial = 0;

  const down = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets.values()) socket.resetAndDestroy();
    await closed;
  };

  return {
    url,
    dir,
    caFile: authority.caFile,
    turns,
    get lists() {
      return turns.filter((turn) => turn.method === 'GET' && !turn.isWatch);
    },
    get watches() {
      return turns.filter((turn) => turn.isWatch);
    },
    onList: (...given) => {
      scripts.list = [...given];
    },
    onWatch: (...given) => {
      scripts.watch = [...given];
    },
    onAny: (...given) => {
      scripts.any = [...given];
    },
    kubeconfig: async (user, cluster = {}) => {
      serial += 1;
      const file = join(dir, `kubeconfig-${serial}`);
      const config = {
        'current-context': 'scripted',
        clusters: [
          { name: 'scripted', cluster: { server: url, 'certificate-authority': authority.caFile, ...cluster } },
        ],
        users: [{ name: 'scripted', user }],
        contexts: [{ name: 'scripted', context: { cluster: 'scripted', user: 'scripted', namespace: 'here' } }],
      };
      await writeFile(file, JSON.stringify(config));
      return file;
    },
    clientCertificate: (name) => authority.client(name, name),
    down,
    up: async () => {
      server.listen({ host: '127.0.0.1', port });
      await once(server, 'listening');
    },
    [Symbol.asyncDispose]: async () => {
      await down();
      await rm(dir, { recursive: true });
    },
  };
}

const notScripted: Script = (turn) =>
  turn.json(500, { kind: 'Status', message: `not scripted: ${turn.method} ${turn.path}` });

async function takeTurn(request: IncomingMessage, response: ServerResponse, reset: () => void): Promise<Turn> {
  const url = new URL(request.url ?? '/', 'https://scripted');
  const socket = request.socket as IncomingMessage['socket'] & {
    getPeerCertificate?: () => { readonly subject?: { readonly CN?: string } };
  };
  // Not 'finish': a watch's end is when the other side has gone.
  const closed = once(response, 'close').catch(() => undefined);
  const open = () => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  };
  const raw = (bytes: string | Buffer) => {
    open();
    response.write(bytes);
  };
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: await text(request).catch(() => ''),
    at: performance.now(),
    isWatch: url.searchParams.get('watch') === 'true',
    clientPort: socket.remotePort ?? 0,
    clientName: socket.getPeerCertificate?.().subject?.CN,
    closed,
    open,
    raw,
    json: (status, body, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    },
    event: (type, object) => raw(`${JSON.stringify({ type, object })}\n`),
    end: () => {
      open();
      response.end();
    },
    reset,
  };
}
