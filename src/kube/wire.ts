// What one exchange with the API server looks like on the wire: options out, parsed body in, a time limit around both. Called by session.ts.

import type { Dispatcher } from 'undici';
import type { KubeRequest } from './request.ts';

export const defaultTimeoutMs = 30_000;

/** `base` is the server's own path prefix, as behind Rancher's proxy. Streams have no limit on their body: the reflector watches over it. */
export function wireOptions(
  request: KubeRequest,
  headers: Record<string, string | string[]>,
  base: URL,
  bodyTimeout: number,
): Dispatcher.RequestOptions {
  const type = request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' };
  return {
    method: request.method,
    path: `${base.pathname.replace(/\/$/, '')}${request.path}`,
    headers: { accept: request.accept ?? 'application/json', ...type, ...headers },
    headersTimeout: request.timeoutMs ?? defaultTimeoutMs,
    bodyTimeout,
    ...(request.query === undefined ? {} : { query: request.query }),
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  };
}

/** JSON where it is JSON; proxies in front of the API server answer with prose. */
export function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function firstOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
}

/** A signal that fires after `ms`, or with `outer`. Disposed of, it leaves neither a timer nor a listener behind. */
export function timeLimit(ms: number, outer: AbortSignal | undefined): TimeLimit {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no complete answer within ${ms / 1000} s`)), ms);
  const forward = () => controller.abort(outer?.reason);
  if (outer?.aborted) forward();
  outer?.addEventListener('abort', forward, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', forward);
    },
  };
}

/** Rejects as soon as the signal fires. undici notices it only once a socket is there, and a connection in the making may take ten seconds. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
