// The sockets to the API server: one bounded keep-alive pool for requests, one unbounded for watches, since each of those holds its socket
// for minutes and there may be one per namespace. HTTP/1.1. Made by session.ts, and made again when the TLS material changes.

import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import send from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Credentials } from './auth.ts';

const requestSockets = 24;
// Below the 90 s after which Go's server closes an idle socket, so that we are the ones to close.
const idleSocketMs = 60_000;
const closeMs = 5_000;

export interface Transport {
  /** `mayStart` is asked at the last moment, when a socket is there: a request may have waited for one. False: rejects with `Withheld`. */
  send(
    on: 'requests' | 'streams',
    options: Dispatcher.RequestOptions,
    mayStart?: () => boolean,
  ): Promise<Dispatcher.ResponseData>;
  /** Cuts streams, and gives requests in flight a few seconds to finish. */
  close(): Promise<void>;
}

/** Opens no socket yet. */
export async function openTransport(credentials: Credentials): Promise<Transport> {
  const { server, tls, proxyUrl } = credentials;
  const shared = {
    allowH2: false,
    keepAliveTimeout: idleSocketMs,
    keepAliveMaxTimeout: idleSocketMs,
  };
  const open = async (connections: number | null): Promise<Dispatcher> => {
    const options = { ...shared, connections };
    if (proxyUrl !== undefined) return (await import('./proxy.ts')).viaProxy(proxyUrl, tls, options);
    return new Pool(server.origin, { ...options, connect: { ...tls, timeout: 10_000, keepAliveInitialDelay: 30_000 } });
  };
  const pools = { requests: await open(requestSockets), streams: await open(null) };
  let closing: Promise<void> | undefined;
  return {
    send: (on, options, mayStart) => {
      const through = mayStart === undefined ? pools[on] : gated(pools[on], mayStart);
      return send.call(through, { ...options, origin: server.origin });
    },
    close: () => {
      closing ??= close(pools.requests, pools.streams);
      return closing;
    },
  };
}

/** Nothing was sent. */
export class Withheld extends Error {}

function gated(pool: Dispatcher, mayStart: () => boolean): Pick<Dispatcher, 'dispatch'> {
  return {
    dispatch: (options, handler) =>
      pool.dispatch(options, {
        onRequestStart: (controller, context) => {
          if (mayStart()) handler.onRequestStart?.(controller, context);
          else controller.abort(new Withheld());
        },
        onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
        onResponseStart: (...given) => handler.onResponseStart?.(...given),
        onResponseData: (...given) => handler.onResponseData?.(...given),
        onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
        onResponseError: (...given) => handler.onResponseError?.(...given),
      }),
  };
}

async function close(requests: Dispatcher, streams: Dispatcher): Promise<void> {
  const enough = new AbortController();
  const late = delay(closeMs, undefined, { signal: enough.signal }).then(() => requests.destroy());
  await Promise.all([requests.close(), streams.destroy()]);
  enough.abort();
  await late.catch(() => undefined);
}

/** The socket died under a request before any answer: what a keep-alive socket does that the server has just closed. */
export function isStaleSocket(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error));
}

/** The handshake failed, so nothing was sent: our CA or client certificate may have rotated on disk. */
export function isTlsRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|TLSV1_ALERT|SSLV3_ALERT/.test(code);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
