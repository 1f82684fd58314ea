// One HTTP exchange: a request out, a whole reply in, within a time and a size. Knows exactly whether a failed request has left this process,
// because undici starts a request only on a socket that stands. Called by transport.ts.

import type { Dispatcher } from 'undici';
import type { Reply } from '../api/reply.ts';
import type { Headers, HttpReply } from './http-reply.ts';
import { type AcmeProblem, tidy } from './problem.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

const largestBody = 1024 * 1024;

/** Fails with `network` or, when the reply is larger than 1 MiB, `malformed`. */
export function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  timeLimitMs: number,
): Promise<Reply<HttpReply, AcmeProblem>> {
  const { promise, resolve } = Promise.withResolvers<Reply<HttpReply, AcmeProblem>>();
  const receiver = new Receiver(new URL(request.url).host, (reply) => {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', abort);
    resolve(reply);
  });
  const abort = () => receiver.cut(request.signal?.reason);
  const timer = setTimeout(() => receiver.cut(`no complete answer within ${timeLimitMs / 1000} s`), timeLimitMs);
  request.signal?.addEventListener('abort', abort, { once: true });
  if (request.signal?.aborted === true) abort();
  else start(dispatcher, request, receiver);
  return promise;
}

function start(dispatcher: Dispatcher, request: HttpRequest, receiver: Receiver): void {
  const { method, headers, body = null } = request;
  const { origin, pathname, search } = new URL(request.url);
  try {
    dispatcher.dispatch({ origin, path: `${pathname}${search}`, method, headers, body }, receiver);
  } catch (error) {
    receiver.cut(error);
  }
}

/** The life of one exchange; what happens after its end is ignored. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #host: string;
  readonly #end: (reply: Reply<HttpReply, AcmeProblem>) => void;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Headers = {};
  #size = 0;
  #over = false;

  constructor(host: string, end: (reply: Reply<HttpReply, AcmeProblem>) => void) {
    this.#host = host;
    this.#end = end;
  }

  /** Ends the exchange now; a request whose socket does not stand yet will not be written any more. */
  cut(reason: unknown): void {
    this.#fail({ kind: 'network', detail: this.#sentence(reason), sent: this.#sent() });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('the exchange is over'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= largestBody) this.#chunks.push(chunk);
    else this.#fail({ kind: 'malformed', detail: `The reply of ${this.#host} is larger than 1 MiB.` });
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#end({ ok: true, value: { status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) } });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.cut(error);
  }

  #fail(problem: AcmeProblem): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error(problem.detail));
    this.#end({ ok: false, problem });
  }

  #sent(): 'no' | 'maybe' {
    return this.#controller === undefined ? 'no' : 'maybe';
  }

  #sentence(reason: unknown): string {
    const what = this.#sent() === 'no' ? 'Cannot reach' : 'Lost the connection to';
    return tidy(`${what} ${this.#host}: ${whyOf(reason)}`);
  }
}

function whyOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  const inner = reason instanceof AggregateError ? reason.errors[0] : reason.cause;
  if (inner instanceof Error) return reason.message === '' ? whyOf(inner) : `${reason.message}: ${whyOf(inner)}`;
  return reason.message === '' ? reason.name : reason.message;
}
