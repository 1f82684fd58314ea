// The HTTP-01 responder (RFC 8555 §8.3): what the CA's validation servers, and anyone else on the internet, talk to through the Gateway.
// Started by main.ts in every replica. It answers one path, repeats nothing of what it was sent, and says «not found» to everything else.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import { type Listening, listen } from './listen.ts';

export interface ResponderOptions {
  readonly listen: string;
  /** The key authorization for a valid host and token, or undefined; see LiveAnswers. */
  readonly lookup: (host: string, token: string) => Promise<string | undefined>;
  /** After each request for the challenge path. */
  readonly onAnswer?: (status: 200 | 404) => void;
}

export function startResponder(options: ResponderOptions): Promise<Listening> {
  return listen(options.listen, (request, response) => {
    respond(options, request, response).catch(() => response.destroy());
  });
}

const challenge = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,128})$/;

async function respond(options: ResponderOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const token = isRead ? challenge.exec(request.url ?? '')?.[1] : undefined;
  const host = readHost(request.headers.host);
  if (token === undefined || host === undefined) return write(request, response, 404, 'not found\n');
  const found = await options.lookup(host, token);
  options.onAnswer?.(found === undefined ? 404 : 200);
  write(request, response, found === undefined ? 404 : 200, found ?? 'not found\n');
}

const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const dnsName = new RegExp(`^${label}(\\.${label})*$`);

/** A Host header without its port, in lower case: a DNS name, or an IP address without brackets. Undefined for anything else. */
export function readHost(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]{2,45})\]|([^:[\]]{1,254}))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  if (bracketed !== undefined)
    return isIPv6(bracketed) && !bracketed.includes('%') ? bracketed.toLowerCase() : undefined;
  const host = (plain ?? '').toLowerCase().replace(/\.$/, '');
  return host.length <= 253 && (isIPv4(host) || dnsName.test(host)) ? host : undefined;
}

function write(request: IncomingMessage, response: ServerResponse, status: 200 | 404, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A request with a body is none of ours: its connection ends rather than being read to the end.
    ...(request.method !== 'GET' && request.method !== 'HEAD' && { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
