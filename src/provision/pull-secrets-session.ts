// A conversation with the API server as another ServiceAccount, by tokens that infra may request of it and keeps in memory alone. Made by main-infra.ts
// for the account that copies pull Secrets, so that infra itself has no right on the Secrets of tenants.

import type { Dispatcher } from 'undici';
import type { Reply } from '../api/reply.ts';
import type { Credentials } from '../kube/auth.ts';
import { jsonLines } from '../kube/lines.ts';
import { type KubeProblem, problemOf, sentenceOf, unavailable } from '../kube/problem.ts';
import type { KubeRequest } from '../kube/request.ts';
import type { Session } from '../kube/session.ts';
import type { RequestToken } from '../kube/token-request.ts';
import { openTransport, type Transport, Withheld } from '../kube/transport.ts';
import { defaultTimeoutMs, firstOf, parseBody, timeLimit, wireOptions } from '../kube/wire.ts';

export interface AccountSessionOptions {
  /** Infra's own: of them only the server and what proves it are used. Read anew when a handshake fails. */
  readonly load: () => Promise<Credentials>;
  readonly requestToken: RequestToken;
  readonly account: { readonly namespace: string; readonly name: string };
  /** Asked before each write, as infra's own session asks. */
  readonly mayWrite: () => boolean;
  readonly now: () => number;
}

// Tokens last ten minutes; a request with one lasts half a minute at most.
const tokenMs = 540_000;

type Sent =
  | { readonly ok: true; readonly value: Dispatcher.ResponseData }
  | { readonly ok: false; readonly problem: KubeProblem };

/** Opens no socket and asks for no token yet. */
export async function accountSession(options: AccountSessionOptions): Promise<Session> {
  const first = await options.load();
  const tokens = tokenSource(options);
  let connection: Promise<Connection> = connect(first);
  const again = async (): Promise<Connection> => {
    const old = await connection;
    connection = options.load().then(connect);
    void old.transport.close().catch(() => undefined);
    return connection;
  };
  const send = async (request: KubeRequest, on: 'requests' | 'streams', signal?: AbortSignal): Promise<Sent> => {
    const tried = await attempt(options, await connection, await tokens.current(), request, on, signal);
    if (tried.ok && tried.value.statusCode !== 401) return tried;
    if (!tried.ok && (request.method !== 'GET' || tried.problem.kind !== 'unavailable')) return tried;
    if (tried.ok) await tried.value.body.dump().catch(() => undefined);
    tokens.forget();
    return attempt(options, tried.ok ? await connection : await again(), await tokens.current(), request, on, signal);
  };
  return {
    server: first.server.href,
    namespace: options.account.namespace,
    request: (request) => answered(request, send),
    stream: async (request) => {
      const sent = await send(request, 'streams', request.signal);
      if (!sent.ok) return sent;
      const { statusCode, headers, body } = sent.value;
      if (statusCode === 200) return { ok: true, value: jsonLines(body.setEncoding('utf8')) };
      const parsed = await body.text().then(parseBody, sentenceOf);
      return { ok: false, problem: problemOf(statusCode, parsed, firstOf(headers['retry-after'])) };
    },
    [Symbol.asyncDispose]: async () => (await connection).transport.close(),
  };
}

interface Connection {
  readonly credentials: Credentials;
  readonly transport: Transport;
}

/** A client certificate of infra's would speak louder than the token. */
async function connect(credentials: Credentials): Promise<Connection> {
  const { cert: _, key: __, ...tls } = credentials.tls;
  return { credentials, transport: await openTransport({ ...credentials, tls }) };
}

async function answered<T>(
  request: KubeRequest,
  send: (request: KubeRequest, on: 'requests', signal: AbortSignal) => Promise<Sent>,
): Promise<Reply<T, KubeProblem>> {
  using limit = timeLimit(request.timeoutMs ?? defaultTimeoutMs, request.signal);
  const sent = await send(request, 'requests', limit.signal);
  if (!sent.ok) return sent;
  try {
    const { statusCode, headers, body } = sent.value;
    const parsed = parseBody(await body.text());
    if (statusCode >= 200 && statusCode < 300) return { ok: true, value: parsed as T };
    return { ok: false, problem: problemOf(statusCode, parsed, firstOf(headers['retry-after'])) };
  } catch (error) {
    return { ok: false, problem: unavailable(sentenceOf(error)) };
  }
}

async function attempt(
  { mayWrite }: AccountSessionOptions,
  { credentials, transport }: Connection,
  token: Reply<string, KubeProblem>,
  request: KubeRequest,
  on: 'requests' | 'streams',
  signal: AbortSignal | undefined,
): Promise<Sent> {
  if (!token.ok) return token;
  const headers = { authorization: `Bearer ${token.value}`, 'user-agent': 'certway-pull-secrets' };
  const bodyTimeout = on === 'streams' ? 0 : (request.timeoutMs ?? defaultTimeoutMs);
  const wire = wireOptions(request, headers, credentials.server, bodyTimeout);
  const guard = request.method === 'GET' ? undefined : mayWrite;
  try {
    const value = await transport.send(on, signal === undefined ? wire : { ...wire, signal }, guard);
    return { ok: true, value };
  } catch (error) {
    if (!(error instanceof Withheld)) return { ok: false, problem: unavailable(sentenceOf(error)) };
    return { ok: false, problem: { kind: 'notLeader', message: 'this replica does not hold a fresh lease' } };
  }
}

/** One request for a token at a time, however many wait for it. */
function tokenSource({ requestToken, account, now }: AccountSessionOptions) {
  let held: { readonly token: Promise<Reply<string, KubeProblem>>; readonly until: number } | undefined;
  return {
    current: async (): Promise<Reply<string, KubeProblem>> => {
      held = held !== undefined && held.until > now() ? held : ask();
      const token = await held.token;
      if (!token.ok) held = undefined;
      return token;
    },
    forget: () => {
      held = undefined;
    },
  };
  function ask() {
    return { token: requestToken({ ...account, audiences: [] }), until: now() + tokenMs };
  }
}
