// HTTPS to the APIs of DNS providers: one exchange within a time and a size, through the proxy where one is for the host. Made once by main.ts.
// undici's index is loaded at the first request: an installation without such a provider never pays for it.

import type { Dispatcher } from 'undici';
import { type Proxies, proxyFor } from '../acme/proxy.ts';
import type { Reply } from '../api/reply.ts';
import { sentenceOf } from '../kube/problem.ts';
import { firstOf, timeLimit, unlessAborted } from '../kube/wire.ts';
import { type DnsProblem, failed, said } from './problem.ts';

export interface HttpsRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal: AbortSignal;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** The first value; `name` in lower case. */
  header(name: string): string | undefined;
}

export interface Https extends AsyncDisposable {
  /** Fails with `network` or `unavailable`. Redirects are answers. */
  send(request: HttpsRequest): Promise<Reply<HttpsAnswer, DnsProblem>>;
}

const largestBody = 1024 * 1024;
const connectMs = 5_000;
const longestMs = 15_000;

export function openHttps(options: { readonly proxies: Proxies | undefined; readonly userAgent: string }): Https {
  const ways = new Map<string | undefined, Promise<Dispatcher>>();
  return {
    send: async (request) => {
      const proxyUrl = proxyFor(request.url, options.proxies);
      const way = ways.get(proxyUrl) ?? dispatcher(proxyUrl);
      ways.set(proxyUrl, way);
      const headers = { 'user-agent': options.userAgent, ...request.headers };
      return exchange(await way, { ...request, headers });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...ways.values()].map(async (way) => (await way).destroy()));
    },
  };
}

async function dispatcher(proxyUrl: string | undefined): Promise<Dispatcher> {
  const { Agent, ProxyAgent } = await import('undici');
  const connect = { timeout: connectMs };
  return proxyUrl === undefined ? new Agent({ connect }) : new ProxyAgent({ uri: proxyUrl, requestTls: connect });
}

async function exchange(through: Dispatcher, request: HttpsRequest): Promise<Reply<HttpsAnswer, DnsProblem>> {
  const { origin, host, pathname, search } = new URL(request.url);
  using limit = timeLimit(longestMs, request.signal);
  const { method, headers = {}, body = null } = request;
  try {
    const options = { origin, path: `${pathname}${search}`, method, headers, body, signal: limit.signal };
    const answer = await unlessAborted(through.request(options), limit.signal);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.length;
      if (size > largestBody) return failed('unavailable', `The answer of ${host} is larger than 1 MiB.`);
      chunks.push(chunk);
    }
    const header = (name: string) => firstOf(answer.headers[name]);
    return { ok: true, value: { status: answer.statusCode, body: Buffer.concat(chunks), header } };
  } catch (error) {
    const why = limit.signal.aborted ? sentenceOf(limit.signal.reason) : sentenceOf(error);
    return failed('network', `${host} cannot be reached: ${said(why)}.`);
  }
}
