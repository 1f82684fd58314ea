// An ACME server of a test's own over real sockets that does exactly what the test says, and otherwise answers like a friendly CA whose
// orders are all pending. It verifies nothing: whether our signatures are right is Pebble's to say.

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { AcmeSession } from '../../src/acme/session.ts';
import { type AcmeEndpoint, type AcmeOptions, openAcme } from '../../src/acme/transport.ts';
import { type Identity, makeIdentity } from '../rig/proxy/identity.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
  /** The JWS' protected header; empty for requests without one. */
  readonly header: Readonly<Record<string, unknown>>;
  /** Decoded, as text; empty for POST-as-GET. */
  readonly payload: string;
}

export type Deed =
  | {
      readonly kind: 'reply';
      readonly status?: number;
      /** A header that is undefined takes back a usual one. */
      readonly headers?: Readonly<Record<string, string | undefined>>;
      readonly body?: string;
    }
  /** Reads the request, then cuts the connection. */
  | { readonly kind: 'cut' }
  /** Sends half a reply, then cuts the connection. */
  | { readonly kind: 'cutInside' }
  /** Never sends another byte; `after` is sent first. */
  | { readonly kind: 'hang'; readonly after?: string }
  /** A body without an end. */
  | { readonly kind: 'flood' };

export type Script = (asked: Asked, nth: number) => Deed | undefined;

export interface ScriptedCa extends AsyncDisposable {
  readonly origin: string;
  readonly caPem: string;
  readonly asked: Asked[];
  readonly sockets: ReadonlySet<Socket>;
  /** Ends with the CA. */
  open(options?: Partial<AcmeOptions>): AcmeEndpoint;
  session(options?: Partial<AcmeOptions>): AcmeSession;
}

/** The body of a problem document (RFC 8555 §6.7) as a deed. */
export function refusal(status: number, type: string, detail: string, headers: Record<string, string> = {}): Deed {
  const body = JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail });
  return { kind: 'reply', status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
}

/** `nth` counts from 1 the requests with the same method and path. */
export async function startScriptedCa(script: Script = () => undefined): Promise<ScriptedCa> {
  identity ??= makeIdentity();
  const { certPem, keyPem, caPem } = await identity;
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certPem, key: keyPem }, async (request, response) => {
    const seen = await read(request);
    asked.push(seen);
    const nth = asked.filter(({ method, path }) => method === seen.method && path === seen.path).length;
    act(response, origin, seen, script(seen, nth) ?? { kind: 'reply' });
  });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the scripted CA has no port');
  const origin = `https://127.0.0.1:${address.port}`;
  const usual = { directoryUrl: `${origin}/dir`, skipTlsVerify: false, userAgent: 'certway-test', maxInFlight: 8 };
  const endpoints: AcmeEndpoint[] = [];
  const open = (options: Partial<AcmeOptions> = {}) => {
    const endpoint = openAcme({ ...usual, caBundle: caPem, ...options });
    endpoints.push(endpoint);
    return endpoint;
  };
  return {
    origin,
    caPem,
    asked,
    sockets,
    open,
    session: (options) => ({ endpoint: open(options), accountUrl: `${origin}/account`, key }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(endpoints.map((endpoint) => endpoint[Symbol.asyncDispose]()));
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
let identity: Promise<Identity> | undefined;
let nonce = 0;

async function read(request: IncomingMessage): Promise<Asked> {
  const body = await text(request);
  const jws: Record<string, string> = body === '' ? {} : JSON.parse(body);
  const decode = (part = '') => Buffer.from(part, 'base64url').toString('utf8');
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    userAgent: request.headers['user-agent'] ?? '',
    header: JSON.parse(decode(jws.protected) || '{}'),
    payload: decode(jws.payload),
  };
}

function act(response: ServerResponse, origin: string, asked: Asked, deed: Deed): void {
  switch (deed.kind) {
    case 'cut':
      response.destroy();
      return;
    case 'cutInside':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"status":', () => response.destroy());
      return;
    case 'hang':
      if (deed.after !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).write(deed.after);
      return;
    case 'flood':
      response.writeHead(200, { 'content-type': 'application/json' });
      flood(response);
      return;
    case 'reply': {
      const headers = Object.entries({ ...usualHeaders(origin, asked), ...deed.headers });
      const present = headers.filter((entry): entry is [string, string] => entry[1] !== undefined);
      response.writeHead(deed.status ?? 200, Object.fromEntries(present));
      response.end(deed.body ?? JSON.stringify(usualBody(origin, asked)));
      return;
    }
    default:
      deed satisfies never;
  }
}

function flood(response: ServerResponse): void {
  const more = () => {
    if (response.writable) response.write(Buffer.alloc(65_536, 0x20), more);
  };
  more();
}

function usualHeaders(origin: string, { path }: Asked): Readonly<Record<string, string>> {
  nonce += 1;
  const location = path === '/new-order' ? { location: `${origin}/order/1` } : {};
  return { 'content-type': 'application/json', 'replay-nonce': `nonce-${nonce}`, ...location };
}

function usualBody(origin: string, { path }: Asked): unknown {
  if (path === '/dir') {
    return { newNonce: `${origin}/nonce`, newAccount: `${origin}/new-account`, newOrder: `${origin}/new-order` };
  }
  if (path === '/account') return { status: 'valid', orders: `${origin}/orders` };
  if (path.startsWith('/orders')) return { orders: [`${origin}/order/1`] };
  return {
    status: 'pending',
    identifiers: [{ type: 'dns', value: 'a.example.com' }],
    authorizations: [`${origin}/authz/1`],
    finalize: `${origin}/finalize/1`,
  };
}
