// Plain HTTP to one ACME server: our user agent (RFC 8555 §6.1), the leadership guard, metrics. Opens its sockets at the first request.
// Called by transport.ts.

import type { Reply } from '../api/reply.ts';
import { exchange, type HttpRequest } from './exchange.ts';
import type { HttpReply } from './http-reply.ts';
import { type AcmeProblem, notSent } from './problem.ts';
import { openSockets, type SocketOptions } from './sockets.ts';

/** What a request is for, as a label of metrics. */
export type Action =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'newOrder'
  | 'order'
  | 'orders'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'keyChange'
  | 'revokeCert'
  | 'renewalInfo';

export interface HttpOptions extends SocketOptions {
  readonly userAgent: string;
  /** Asked right before each POST leaves the process; false turns it into a `network` problem that was not sent. */
  readonly mayPost?: () => boolean;
  /** Once per HTTP request; status 0 when no reply came. */
  readonly onRequest?: (request: { readonly action: Action; readonly status: number; readonly ms: number }) => void;
  /** For one whole exchange; 30 s unless given. */
  readonly timeLimitMs?: number;
}

export interface Http extends AsyncDisposable {
  send(action: Action, request: HttpRequest): Promise<Reply<HttpReply, AcmeProblem>>;
}

const defaultTimeLimitMs = 30_000;

export function openHttp(options: HttpOptions): Http {
  let opening: ReturnType<typeof openSockets> | undefined;
  const userAgent = { 'user-agent': options.userAgent, 'accept-language': 'en' };
  return {
    send: async (action, request) => {
      opening ??= openSockets(options);
      const sockets = await opening;
      if (!sockets.ok) return sockets;
      if (request.method === 'POST' && options.mayPost?.() === false) return notLeader;
      const started = performance.now();
      const headers = { ...userAgent, ...request.headers };
      const reply = await exchange(sockets.value, { ...request, headers }, options.timeLimitMs ?? defaultTimeLimitMs);
      options.onRequest?.({ action, status: reply.ok ? reply.value.status : 0, ms: performance.now() - started });
      return reply;
    },
    [Symbol.asyncDispose]: async () => {
      const sockets = await opening;
      if (sockets?.ok === true) await sockets.value.destroy();
    },
  };
}

const notLeader = notSent('This replica holds the leadership no longer; nothing was sent to the CA.');
