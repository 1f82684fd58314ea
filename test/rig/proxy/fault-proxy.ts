// An HTTPS proxy that forwards each request to one upstream, unless its script says otherwise. It knows nothing of Kubernetes or
// ACME: api-fault.ts and acme-fault.ts give it a reader for their requests.

import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeIdentity } from './identity.ts';
import { type Passage, recordAnswer } from './passage.ts';
import { type Answer, type AtEdge, forward, type Hook, type Script } from './verdict.ts';

export interface RawRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Upstream<R> {
  readonly origin: string;
  readonly caPem: string;
  /** `keep`: the upstream builds its URLs from the client's Host (Pebble). `own`: it hears its own name. */
  readonly host: 'keep' | 'own';
  readonly read: (raw: RawRequest) => R;
}

export type Proxied<R> = RawRequest & R & AtEdge;

/** Lives until disposed; a script or hook that throws is rethrown then. Ports are free ones on 127.0.0.1. */
export class FaultProxy<R extends { readonly edge: string; readonly name?: string }> implements AsyncDisposable {
  readonly caPem: string;
  readonly origin: string;
  readonly passed: Passage[] = [];
  readonly #server: Server;
  readonly #upstream: Upstream<R>;
  readonly #agent: Agent;
  readonly #counts = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #mistakes: unknown[] = [];
  #script: Script<Proxied<R>>;

  static async start<R extends { readonly edge: string; readonly name?: string }>(
    upstream: Upstream<R>,
    script: Script<Proxied<R>> = () => forward,
  ): Promise<FaultProxy<R>> {
    const identity = await makeIdentity();
    const server = createServer({
      cert: identity.certPem,
      key: identity.keyPem,
      requestTimeout: 0,
      keepAliveTimeout: 0,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(upstream, script, server, identity.caPem);
  }

  private constructor(upstream: Upstream<R>, script: Script<Proxied<R>>, server: Server, caPem: string) {
    this.#upstream = upstream;
    this.#script = script;
    this.#server = server;
    this.#agent = new Agent({ keepAlive: true, ca: upstream.caPem });
    this.caPem = caPem;
    this.origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch((error: unknown) => {
        incoming.socket.destroy();
        this.#mistakes.push(error);
      });
    });
  }

  /** From now on; requests under way keep their verdict, and `nth` goes on counting. */
  follow(script: Script<Proxied<R>>): void {
    this.#script = script;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    if (this.#mistakes.length > 0) {
      throw new AggregateError(this.#mistakes, 'a script or hook of the fault proxy threw');
    }
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const raw = await readRaw(incoming);
    if (raw === undefined) {
      return;
    }
    const read = this.#upstream.read(raw);
    const nth = (this.#counts.get(read.edge) ?? 0) + 1;
    this.#counts.set(read.edge, nth);
    const named = read.name === undefined ? {} : { name: read.name };
    const passage: Passage = { edge: read.edge, ...named, at: Date.now() };
    this.passed.push(passage);
    const verdict = await this.#script({ ...raw, ...read, nth });
    switch (verdict.kind) {
      case 'forward':
        return this.#forward(raw, outgoing, passage);
      case 'delay':
        return this.#forwardLater(raw, outgoing, passage, verdict.ms);
      case 'respond':
        recordAnswer(passage, verdict);
        outgoing.writeHead(verdict.status, { ...verdict.headers }).end(verdict.body);
        return;
      case 'killBefore':
        await verdict.hook();
        incoming.socket.destroy();
        return;
      case 'killAfter':
        return this.#swallow(raw, incoming, passage, verdict.hook);
      case 'dropReply':
        return this.#swallow(raw, incoming, passage, () => {});
      case 'edit':
        return this.#edited(raw, outgoing, passage, verdict.edit);
      case 'halveReply':
        return this.#halve(raw, outgoing, passage);
      case 'withholdReply':
        await this.#whole(raw, passage);
        return;
      default:
        verdict satisfies never;
    }
  }

  /** Streams the answer as it comes, watches included; a broken upstream or client breaks the other side too. */
  async #forward(raw: RawRequest, outgoing: ServerResponse, passage: Passage): Promise<void> {
    try {
      const answer = await this.#send(raw, outgoing);
      const { statusCode: status = 0 } = answer;
      passage.upstream = status;
      recordAnswer(passage, { status, headers: answer.headers });
      outgoing.writeHead(status, withoutHopByHop(answer.headers));
      outgoing.flushHeaders();
      await pipeline(answer, outgoing);
    } catch {
      outgoing.destroy();
    }
  }

  async #forwardLater(raw: RawRequest, outgoing: ServerResponse, passage: Passage, ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#closing.signal });
    } catch {
      return;
    }
    await this.#forward(raw, outgoing, passage);
  }

  async #swallow(raw: RawRequest, incoming: IncomingMessage, passage: Passage, hook: Hook): Promise<void> {
    passage.status = (await this.#whole(raw, passage))?.status ?? 0;
    await hook();
    incoming.socket.destroy();
  }

  async #edited(
    raw: RawRequest,
    outgoing: ServerResponse,
    passage: Passage,
    edit: (answer: Answer) => Answer,
  ): Promise<void> {
    const answer = await this.#whole(raw, passage);
    if (answer === undefined) {
      outgoing.destroy();
      return;
    }
    const { status, headers, body } = edit(answer);
    recordAnswer(passage, { status, headers });
    outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  }

  async #halve(raw: RawRequest, outgoing: ServerResponse, passage: Passage): Promise<void> {
    const answer = await this.#whole(raw, passage);
    const body = Buffer.from(answer?.body ?? '');
    outgoing.writeHead(answer?.status ?? 200, { ...answer?.headers, 'content-length': body.length + 1 });
    outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
  }

  /** The upstream's answer to its end; undefined where it broke. */
  async #whole(raw: RawRequest, passage: Passage): Promise<Answer | undefined> {
    try {
      const answer = await this.#send(raw);
      const { statusCode: status = 0, headers } = answer;
      passage.upstream = status;
      return { status, headers: withoutHopByHop(headers), body: await buffer(answer) };
    } catch {
      return undefined;
    }
  }

  async #send(raw: RawRequest, until?: ServerResponse): Promise<IncomingMessage> {
    const headers = withoutHopByHop(raw.headers);
    if (this.#upstream.host === 'own') {
      delete headers.host;
    }
    if (raw.body.length > 0) {
      headers['content-length'] = raw.body.length;
    }
    const url = new URL(raw.path, this.#upstream.origin);
    const sent = httpsRequest(url, { agent: this.#agent, method: raw.method, headers });
    sent.on('error', () => undefined); // the first one rejects below; one after the answer breaks the answer itself
    until?.once('close', () => sent.destroy());
    sent.end(raw.body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  }
}

async function readRaw(incoming: IncomingMessage): Promise<RawRequest | undefined> {
  try {
    const body = await buffer(incoming);
    return { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers: incoming.headers, body };
  } catch {
    return undefined; // the client went away in the middle of its request
  }
}

/** RFC 9110 §7.6.1: what concerns one connection stays on it. */
function withoutHopByHop(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const { connection, 'keep-alive': keepAlive, 'transfer-encoding': encoding, te, trailer, upgrade, ...rest } = headers;
  return rest;
}
