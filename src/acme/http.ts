// Plain HTTP to one ACME server: our user agent (RFC 8555 §6.1), the leadership guard, metrics. Opens its sockets at the first request.
// Called by transport.ts.

import type { Reply } from '../api/reply.ts';
import { exchange, type HttpRequest } from './exchange.ts';
import type { Headers, HttpReply } from './http-reply.ts';
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
  /** Whoever wrote it decides whether the CA may stand on this machine. */
  readonly directoryUrl: string;
  readonly userAgent: string;
  /** Asked right before each POST leaves the process; false turns it into a `network` problem that was not sent. */
  readonly mayPost?: () => boolean;
  /** Once per HTTP request; status 0 when no reply came. */
  readonly onRequest?: (request: { readonly action: Action; readonly status: number; readonly ms: number }) => void;
  /** Once per reply, right when it came. */
  readonly onReply?: (headers: Headers, tookMs: number) => void;
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
      if (leadsHome(request.url, options.directoryUrl)) return home;
      opening ??= openSockets(options);
      const sockets = await opening;
      if (!sockets.ok) return sockets;
      if (request.method === 'POST' && options.mayPost?.() === false) return notLeader;
      const started = performance.now();
      const headers = { ...userAgent, ...request.headers };
      const reply = await exchange(sockets.value, { ...request, headers }, options.timeLimitMs ?? defaultTimeLimitMs);
      const ms = performance.now() - started;
      if (reply.ok) options.onReply?.(reply.value.headers, ms);
      options.onRequest?.({ action, status: reply.ok ? reply.value.status : 0, ms });
      return reply;
    },
    [Symbol.asyncDispose]: async () => {
      const sockets = await opening;
      if (sockets?.ok === true) await sockets.value.destroy();
    },
  };
}

/** A CA may name any URL. In plain text, or at this machine's own ports, it is followed only where the directory itself stands. */
function leadsHome(url: string, directoryUrl: string): boolean {
  const target = new URL(url);
  const isHome = target.protocol !== 'https:' || isLoopback(target.hostname);
  return isHome && target.origin !== URL.parse(directoryUrl)?.origin;
}

function isLoopback(hostname: string): boolean {
  return /^((.+\.)?localhost\.?|127(\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:(7f[0-9a-f]{2}:[0-9a-f]+|0:0)\])$/.test(
    hostname,
  );
}

const home = {
  ok: false,
  problem: {
    kind: 'malformed',
    detail: 'The CA’s reply names a URL of this machine or without https; it was not followed.',
  },
} as const;

const notLeader = notSent('This replica holds the leadership no longer; nothing was sent to the CA.');
