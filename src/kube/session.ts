// One authenticated conversation with the API server: plain JSON both ways, every failure a KubeProblem. All of kube/ talks through it.
// Retries exactly two things: a read whose keep-alive socket had gone stale, and any request once after a 401 with credentials read anew.

import type { Dispatcher } from 'undici';
import type { Reply } from '../api/reply.ts';
import type { Credentials } from './auth.ts';
import { loadCredentials } from './credentials.ts';
import { jsonLines } from './lines.ts';
import { type KubeProblem, problemOf, sentenceOf, unavailable } from './problem.ts';
import type { KubeRequest } from './request.ts';
import { isStaleSocket, isTlsRefusal, openTransport, type Transport, Withheld } from './transport.ts';
import { warningsOf } from './warnings.ts';
import { defaultTimeoutMs, firstOf, parseBody, timeLimit, unlessAborted, wireOptions } from './wire.ts';

/** One attempt, for metrics: `status` 0 when no answer came. */
export interface RequestSeen {
  readonly method: KubeRequest['method'];
  readonly path: string;
  readonly status: number;
  readonly ms: number;
}

export interface SessionOptions {
  /** A path, or several parted by ":". Without it: $KUBECONFIG, the Pod's ServiceAccount, ~/.kube/config. */
  readonly kubeconfig?: string;
  readonly userAgent?: string;
  /** False: writes answer `notLeader` and stay in the process. Lease writes are exempt, since they make leaders. */
  readonly guardWrite?: () => boolean;
  readonly onRequest?: (seen: RequestSeen) => void;
  /** The process's own, which only main.ts reads. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly serviceAccountFolder?: string;
}

export interface Session {
  /** The API server, for messages. */
  readonly server: string;
  /** Of the kubeconfig's context or the Pod. */
  readonly namespace: string | undefined;
  /** The caller knows which type the path answers with. */
  request<T>(request: KubeRequest): Promise<Reply<T, KubeProblem>>;
  /** A watch: one JSON value a line. The iteration throws when the stream breaks and ends when the server closes cleanly. */
  stream(request: KubeRequest): Promise<Reply<AsyncIterable<unknown>, KubeProblem>>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Connection {
  readonly credentials: Credentials;
  readonly transport: Transport;
}

type Answer =
  | { readonly kind: 'response'; readonly response: Dispatcher.ResponseData }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'refused'; readonly problem: KubeProblem };

type Pool = 'requests' | 'streams';

const notLeader: Answer = {
  kind: 'refused',
  problem: { kind: 'notLeader', message: 'this replica does not hold a fresh lease' },
};
// A token that stays wrong must not run an exec plugin once per request.
const refreshEveryMs = 5_000;

/** Reads the credentials and opens no socket yet. Throws when there are none to be found. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const load = () =>
    loadCredentials({
      environment: options.environment,
      ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
      ...(options.serviceAccountFolder === undefined ? {} : { serviceAccountFolder: options.serviceAccountFolder }),
    });
  const credentials = await load();
  return new ApiSession({ credentials, transport: await openTransport(credentials) }, load, options);
}

class ApiSession implements Session {
  #connection: Connection;
  #refreshing: Promise<void> | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  readonly #load: () => Promise<Credentials>;
  readonly #options: SessionOptions;

  constructor(connection: Connection, load: () => Promise<Credentials>, options: SessionOptions) {
    this.#connection = connection;
    this.#load = load;
    this.#options = options;
  }

  get server(): string {
    return this.#connection.credentials.server.href;
  }

  get namespace(): string | undefined {
    return this.#connection.credentials.namespace;
  }

  async request<T>(request: KubeRequest): Promise<Reply<T, KubeProblem>> {
    using limit = timeLimit(request.timeoutMs ?? defaultTimeoutMs, request.signal);
    const answer = await this.#ask(request, 'requests', limit.signal);
    if (answer.kind === 'refused') return { ok: false, problem: answer.problem };
    if (answer.kind === 'failed') return { ok: false, problem: unavailable(sentenceOf(answer.error)) };
    try {
      const { statusCode, headers, body } = answer.response;
      const parsed = parseBody(await body.text());
      if (statusCode >= 200 && statusCode < 300) return { ok: true, value: parsed as T };
      return { ok: false, problem: problemOf(statusCode, parsed, firstOf(headers['retry-after'])) };
    } catch (error) {
      return { ok: false, problem: unavailable(sentenceOf(error)) };
    }
  }

  async stream(request: KubeRequest): Promise<Reply<AsyncIterable<unknown>, KubeProblem>> {
    const answer = await this.#ask(request, 'streams', request.signal);
    if (answer.kind === 'refused') return { ok: false, problem: answer.problem };
    if (answer.kind === 'failed') return { ok: false, problem: unavailable(sentenceOf(answer.error)) };
    const { statusCode, headers, body } = answer.response;
    if (statusCode === 200) return { ok: true, value: jsonLines(body.setEncoding('utf8')) };
    const parsed = await body.text().then(parseBody, sentenceOf);
    return { ok: false, problem: problemOf(statusCode, parsed, firstOf(headers['retry-after'])) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refreshing?.catch(() => undefined);
    await this.#connection.transport.close();
  }

  async #ask(request: KubeRequest, on: Pool, signal: AbortSignal | undefined): Promise<Answer> {
    const used = this.#connection;
    let answer = await this.#attempt(request, on, signal);
    if (answer.kind === 'failed' && request.method === 'GET' && isStaleSocket(answer.error)) {
      answer = await this.#attempt(request, on, signal);
    }
    const rejected = answer.kind === 'response' && answer.response.statusCode === 401;
    if (!rejected && !(answer.kind === 'failed' && isTlsRefusal(answer.error))) return answer;
    if (!(await this.#refresh(used))) return answer;
    if (answer.kind === 'response') await answer.response.body.dump().catch(() => undefined);
    return this.#attempt(request, on, signal);
  }

  async #attempt(request: KubeRequest, on: Pool, signal: AbortSignal | undefined): Promise<Answer> {
    const startedAt = performance.now();
    const answer = await this.#exchange(request, on, signal);
    if (answer.kind === 'refused') return answer;
    const status = answer.kind === 'response' ? answer.response.statusCode : 0;
    const { method, path } = request;
    this.#options.onRequest?.({ method, path, status, ms: performance.now() - startedAt });
    if (answer.kind === 'response') {
      for (const warning of warningsOf(answer.response.headers.warning)) request.onWarning?.(warning);
    }
    return answer;
  }

  async #exchange(request: KubeRequest, on: Pool, signal: AbortSignal | undefined): Promise<Answer> {
    const { credentials, transport } = this.#connection;
    const mayStart = this.#guardOf(request);
    try {
      const headers = { ...(await credentials.headers()), 'user-agent': this.#options.userAgent ?? 'certway' };
      if (mayStart?.() === false) return notLeader;
      const bodyTimeout = on === 'streams' ? 0 : (request.timeoutMs ?? defaultTimeoutMs);
      const options = wireOptions(request, headers, credentials.server, bodyTimeout);
      const sent = transport.send(on, signal === undefined ? options : { ...options, signal }, mayStart);
      return { kind: 'response', response: await unlessAborted(sent, signal) };
    } catch (error) {
      return error instanceof Withheld ? notLeader : { kind: 'failed', error };
    }
  }

  #guardOf({ method, path }: KubeRequest): (() => boolean) | undefined {
    return method === 'GET' || path.startsWith('/apis/coordination.k8s.io/') ? undefined : this.#options.guardWrite;
  }

  /** True when credentials newer than those that failed are in place. Requests that fail together share one refresh. */
  async #refresh(failed: Connection): Promise<boolean> {
    if (this.#connection === failed && this.#refreshing === undefined) {
      if (performance.now() - this.#refreshedAt < refreshEveryMs) return false;
      this.#refreshedAt = performance.now();
      this.#refreshing = this.#reload().finally(() => {
        this.#refreshing = undefined;
      });
    }
    try {
      await this.#refreshing;
    } catch {
      // Unreadable for now: the caller sees the refusal that led here, which is the better sentence.
      return false;
    }
    return this.#connection !== failed;
  }

  async #reload(): Promise<void> {
    const old = this.#connection;
    const credentials = await this.#load();
    const same = sameTls(old.credentials, credentials);
    this.#connection = { credentials, transport: same ? old.transport : await openTransport(credentials) };
    if (!same) void old.transport.close().catch(() => undefined);
  }
}

/** What tells of a client certificate or CA that has rotated: the sockets must be made anew with it. */
function sameTls(a: Credentials, b: Credentials): boolean {
  const pair = (name: 'ca' | 'cert' | 'key') => [a.tls[name] ?? none, b.tls[name] ?? none] as const;
  const equal = (['ca', 'cert', 'key'] as const).map(pair).every(([one, other]) => one.equals(other));
  return equal && a.server.href === b.server.href;
}

const none = Buffer.alloc(0);
