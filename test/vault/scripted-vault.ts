// A loopback server that answers by Vault's documented API, for what a healthy Vault never says: outages, strangers, secrets that come back.

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { openVault, type VaultConnection, type VaultHttp, type VaultHttpOptions } from '../../src/vault/http.ts';
import { anything } from './own-vault.ts';

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Script {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ScriptedVault extends AsyncDisposable {
  readonly heard: Heard[];
  /** Undefined: no answer ever. */
  answer(script: (heard: Heard) => Script | undefined): void;
  open(change?: Partial<VaultConnection>, options?: Partial<VaultHttpOptions>): VaultHttp;
}

export async function scriptedVault(): Promise<ScriptedVault> {
  const heard: Heard[] = [];
  const opened: VaultHttp[] = [];
  let script: (heard: Heard) => Script | undefined = () => undefined;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const turn = { method, path: url, headers, body };
      heard.push(turn);
      const said = script(turn);
      if (said === undefined) return;
      const answer = typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {});
      response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers }).end(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    heard,
    answer: (next) => {
      heard.length = 0;
      script = next;
    },
    open: (change = {}, options = {}) => {
      const http = openVault(
        { server: new URL(`http://127.0.0.1:${address.port}`), ...change },
        { ...anything, ...options },
      );
      opened.push(http);
      return http;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await Promise.all(opened.map((each) => each[Symbol.asyncDispose]()));
    },
  };
}
