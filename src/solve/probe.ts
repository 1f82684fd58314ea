// One GET as a CA's validation server makes it: to a given address, certificate unverified, body bounded. Called by self-check.ts.

import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';

export type ProbeAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly location?: string; readonly body?: string }
  | { readonly kind: 'unreachable'; readonly code: string };

// A key authorization has about 90 bytes; whatever is longer is something else.
const longestBody = 1024;

/** `body` is undefined where it exceeds 1 KiB. Never rejects: whatever goes wrong before an answer is `unreachable`. */
export function probe(url: URL, address: string, signal: AbortSignal): Promise<ProbeAnswer> {
  const { promise, resolve } = Promise.withResolvers<ProbeAnswer>();
  const unreachable = (error: NodeJS.ErrnoException) =>
    resolve({ kind: 'unreachable', code: error.code ?? error.name });
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(optionsFor(url, address, signal), (response) => {
    readBody(response).then((body) => resolve({ kind: 'answered', ...heads(response), ...body }), unreachable);
  });
  request.on('error', unreachable);
  request.end();
  return promise;
}

function optionsFor(url: URL, address: string, signal: AbortSignal): RequestOptions & { servername?: string } {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host: address,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    headers: { host: url.host, 'user-agent': 'certway-self-check', connection: 'close' },
    agent: false,
    signal,
    ...(url.protocol === 'https:' && { rejectUnauthorized: false, ...(isIP(name) === 0 && { servername: name }) }),
  };
}

function heads(response: IncomingMessage): { readonly status: number; readonly location?: string } {
  const { location } = response.headers;
  return { status: response.statusCode ?? 0, ...(location !== undefined && { location }) };
}

async function readBody(response: IncomingMessage): Promise<{ readonly body?: string }> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    parts.push(part);
    length += part.length;
    // Leaving the loop destroys the response, and with it the connection.
    if (length > longestBody) return {};
  }
  return { body: Buffer.concat(parts).toString('latin1') };
}
