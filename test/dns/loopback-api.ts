// A provider's API on loopback: it keeps what was asked and answers as the test's script says. The scripts hold the providers' documented
// answers, status and error codes included.

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Asked {
  readonly method: string;
  /** With its query, as it stood in the request line. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Told {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface LoopbackApi extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** Undefined from the script cuts the connection. */
export async function startLoopbackApi(script: (asked: Asked) => Told | undefined): Promise<LoopbackApi> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const each = { method, path: url, headers, body };
      asked.push(each);
      const told = script(each);
      if (told === undefined) response.destroy();
      else response.writeHead(told.status, told.headers).end(told.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the API has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
