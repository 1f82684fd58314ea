// Plain HTTP to one Vault server: whom to trust, who we are, the leadership guard, one redirect to the active node, metrics. Opens its sockets
// at the first request. Made by apply/vault-session.ts for each issuer and by login.ts for the length of one login.

import type { Dispatcher } from 'undici';
import Agent from 'undici/lib/dispatcher/agent.js';
import { exchange, type HttpRequest } from '../acme/exchange.ts';
import { type HttpReply, headerOf } from '../acme/http-reply.ts';
import { type Proxies, proxyFor } from '../acme/proxy.ts';
import type { Reply } from '../api/reply.ts';
import { apiUrl } from './paths.ts';
import { notSent, problemOf, type VaultProblem } from './problem.ts';

/** What a request is for, as a label of metrics. */
export type VaultAction = 'health' | 'login' | 'lookup' | 'capabilities' | 'sign';

export interface ClientIdentity {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface VaultConnection {
  readonly server: URL;
  readonly namespace?: string;
  /** PEM. When given it replaces the system's roots. */
  readonly caBundle?: string;
  readonly serverName?: string;
  readonly identity?: ClientIdentity;
}

export interface VaultHttpOptions {
  /** Asked right before each POST leaves the process. */
  readonly mayPost: () => boolean;
  /** Once per HTTP request; status 0 when no reply came. */
  readonly onRequest?: (request: {
    readonly action: VaultAction;
    readonly status: number;
    readonly ms: number;
  }) => void;
  /** HTTPS_PROXY and NO_PROXY; only https servers are reached through one. */
  readonly proxies?: Proxies | undefined;
  /** For one whole exchange; 30 s unless given. */
  readonly timeLimitMs?: number;
}

export interface VaultRequest {
  readonly method: 'GET' | 'POST';
  /** As policies spell it: "pki/sign/my-role". */
  readonly path: string;
  readonly token?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Not to be repeated in any message, whatever the server echoes. */
  readonly secrets?: readonly string[];
}

export interface VaultHttp extends AsyncDisposable {
  readonly connection: VaultConnection;
  readonly options: VaultHttpOptions;
  /** The reply whatever its status; a problem only where none came. */
  send(action: VaultAction, request: VaultRequest): Promise<Reply<HttpReply, VaultProblem>>;
  /** As `send`, and a reply that is no success is a problem too. */
  ask(action: VaultAction, request: VaultRequest): Promise<Reply<HttpReply, VaultProblem>>;
}

const idleSocketMs = 15_000;
const connectMs = 10_000;
const sockets = 8;

export function openVault(connection: VaultConnection, options: VaultHttpOptions): VaultHttp {
  let agent: Promise<Dispatcher> | undefined;
  const { host } = connection.server;
  const once = async (action: VaultAction, request: HttpRequest): Promise<Reply<HttpReply, VaultProblem>> => {
    agent ??= openAgent(connection, options.proxies);
    if (request.method === 'POST' && !options.mayPost()) return notLeader;
    const started = performance.now();
    const reply = await exchange(await agent, request, options.timeLimitMs ?? 30_000);
    options.onRequest?.({ action, status: reply.ok ? reply.value.status : 0, ms: performance.now() - started });
    return reply.ok ? reply : { ok: false, problem: unanswered(reply.problem, connection) };
  };
  const send: VaultHttp['send'] = async (action, request) => {
    const wire = wireRequest(connection, request);
    if (wire === undefined) return notSent(`"${request.path}" is no path of Vault's API; correct it in the issuer.`);
    const reply = await once(action, wire);
    const elsewhere = reply.ok ? activeNode(reply.value, connection.server) : undefined;
    return elsewhere === undefined ? reply : once(action, { ...wire, url: elsewhere });
  };
  return {
    connection,
    options,
    send,
    ask: async (action, request) => {
      const reply = await send(action, request);
      const sent = [...(request.secrets ?? []), request.token ?? ''];
      const problem = reply.ok ? problemOf(reply.value, host, sent) : undefined;
      return problem === undefined ? reply : { ok: false, problem };
    },
    // Requests of an issuer that has just changed may still be on their way.
    [Symbol.asyncDispose]: async () => (await agent)?.close(),
  };
}

async function openAgent(connection: VaultConnection, proxies: Proxies | undefined): Promise<Dispatcher> {
  const { server, caBundle, serverName, identity } = connection;
  const tls = {
    timeout: connectMs,
    allowH2: false,
    ...(caBundle !== undefined && { ca: caBundle }),
    ...(serverName !== undefined && { servername: serverName }),
    ...(identity !== undefined && { cert: identity.certificate, key: identity.key }),
  };
  const keepAlive = { keepAliveTimeout: idleSocketMs, keepAliveMaxTimeout: idleSocketMs };
  const shared = { allowH2: false, connections: sockets, ...keepAlive };
  const proxyUrl = server.protocol === 'https:' ? proxyFor(server.href, proxies) : undefined;
  if (proxyUrl === undefined) return new Agent({ ...shared, connect: tls });
  // Its tunnels need what only undici's index sets up.
  const { ProxyAgent } = await import('undici');
  return new ProxyAgent({ ...shared, uri: proxyUrl, requestTls: tls });
}

function wireRequest({ server, namespace }: VaultConnection, request: VaultRequest): HttpRequest | undefined {
  const url = apiUrl(server, request.path);
  if (url === undefined) return undefined;
  // Health and the like stand above all namespaces.
  const scoped = namespace !== undefined && namespace !== '' && request.path !== 'sys/health';
  const headers = {
    'user-agent': 'certway',
    // Without it a Vault Agent in between may refuse.
    'x-vault-request': 'true',
    ...(request.token !== undefined && { 'x-vault-token': request.token }),
    ...(scoped && { 'x-vault-namespace': namespace }),
    ...(request.body !== undefined && { 'content-type': 'application/json' }),
  };
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  return { method: request.method, url, headers, ...body };
}

/** A standby that does not forward names the active node. Never to another protocol: the token goes along. */
function activeNode(reply: HttpReply, server: URL): string | undefined {
  if (reply.status !== 307 && reply.status !== 308) return undefined;
  const target = URL.parse(headerOf(reply.headers, 'location') ?? '', server.href);
  return target !== null && target.protocol === server.protocol ? target.href : undefined;
}

type Unanswered = Extract<VaultProblem, { readonly kind: 'network' | 'malformed' }>;

function unanswered(
  problem: { readonly kind: string; readonly detail: string; readonly sent?: 'no' | 'maybe' },
  { server, identity }: VaultConnection,
): Unanswered {
  if (problem.kind !== 'network') return { kind: 'malformed', detail: problem.detail };
  const isStranger = server.protocol === 'https:' && identity === undefined;
  const hint = [...hints, ...(isStranger ? [strangerHint] : [])].find(([symptom]) => symptom.test(problem.detail))?.[1];
  const detail = hint === undefined ? problem.detail : `${problem.detail}; ${hint}`;
  return { kind: 'network', detail, sent: problem.sent ?? 'maybe' };
}

// What OpenSSL says, and what to do about it.
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /self-signed certificate|unable to (verify the first|get( local)? issuer) certificate|certificate signature failure/,
    'put the CA of Vault’s certificate into spec.vault.caBundle or caBundleSecretRef',
  ],
  [/does not match certificate's altnames/, 'set spec.vault.serverName to a name in Vault’s certificate'],
  [
    /alert (certificate required|bad certificate|handshake failure|unknown ca)/i,
    'Vault wants another client certificate; see spec.vault.clientCertSecretRef and clientKeySecretRef',
  ],
  [/wrong version number|packet length too long/, 'that port does not speak TLS; try http:// in spec.vault.server'],
];

// In TLS 1.3 the refusal of a client comes after the handshake, and often the end of the connection overtakes it.
const strangerHint: (typeof hints)[number] = [
  /other side closed|ECONNRESET/,
  'if Vault demands a client certificate, set spec.vault.clientCertSecretRef and clientKeySecretRef',
];

const notLeader = notSent('This replica holds the leadership no longer; nothing was sent to Vault.');
