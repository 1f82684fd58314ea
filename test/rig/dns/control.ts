// Remote control of the world's DNS table over HTTP on loopback, for test files, which run in other processes than the
// world, and for people: curl -X PUT $DNS_CONTROL/example.com -d '["10.0.0.1"]', or '"NXDOMAIN"', or '{"forward":"127.0.0.2:5353"}',
// or DELETE.

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Answer, isAnswer, type Table } from './table.ts';

export interface DnsControl extends AsyncDisposable {
  readonly url: string;
}

/** Serves PUT and DELETE of names, and GET / with the number of queries, on a port of its own. */
export async function startDnsControl(table: Table): Promise<DnsControl> {
  const server = createServer((request, response) => {
    perform(request, table).then(
      ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function perform(request: IncomingMessage, table: Table): Promise<{ status: number; body: string }> {
  const name = decodeURIComponent((request.url ?? '/').slice(1));
  if (request.method === 'GET') return { status: 200, body: JSON.stringify({ queries: table.queries() }) };
  if (name === '') return { status: 400, body: '"a name belongs in the path"' };
  if (request.method === 'DELETE') {
    table.clear(name);
    return { status: 200, body: '{}' };
  }
  if (request.method !== 'PUT') return { status: 405, body: '"PUT, DELETE or GET"' };
  const answer = parse(await text(request));
  if (!isAnswer(answer))
    return { status: 400, body: '"addresses, or NXDOMAIN, SERVFAIL, DROP, or an object with forward: address:port"' };
  table.set(name, answer);
  return { status: 200, body: '{}' };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The table of a world that runs in another process, by its control URL. */
export interface RemoteDns {
  set(name: string, answer: Answer): Promise<void>;
  clear(name: string): Promise<void>;
  queries(): Promise<number>;
}

export function remoteDns(url: string): RemoteDns {
  const ask = async (method: string, name: string, answer?: Answer): Promise<unknown> => {
    const body = answer === undefined ? {} : { body: JSON.stringify(answer) };
    const response = await fetch(`${url}/${encodeURIComponent(name)}`, { method, ...body });
    const said: unknown = await response.json();
    if (!response.ok) throw new Error(`the DNS control refuses ${method} ${name}: ${String(said)}`);
    return said;
  };
  return {
    set: async (name, answer) => void (await ask('PUT', name, answer)),
    clear: async (name) => void (await ask('DELETE', name)),
    queries: async () => {
      const said = await ask('GET', '');
      const queries = typeof said === 'object' && said !== null && 'queries' in said ? said.queries : undefined;
      if (typeof queries !== 'number') throw new Error(`the DNS control answers ${JSON.stringify(said)}`);
      return queries;
    },
  };
}
