// A plain client of the API server, as the demo and the benchmarks use it: requests, and watches from the present state on.
// It shares nothing with the controller's own client, so that neither can hide the other's mistakes.

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { parse } from 'yaml';
import type { KubeObject } from '../../../src/api/meta.ts';
import type { Resource } from '../../../src/api/resources.ts';

const attempts = 10;

interface Sending {
  readonly method?: 'POST' | 'PATCH' | 'DELETE';
  readonly body?: string;
  readonly contentType?: string;
  readonly dispatcher?: Dispatcher;
  readonly signal?: AbortSignal;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

export interface Client extends AsyncDisposable {
  /** Throws an Error with the server's message unless the object was created. */
  create(path: string, object: object): Promise<void>;
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): Promise<readonly T[]>;
  text(path: string): Promise<string>;
  /** The answer's object; throws like `create`. A patch is a strategic merge patch. */
  send<T = unknown>(method: 'POST' | 'PATCH' | 'DELETE', path: string, object: object): Promise<T>;
  /** Every object there is, then every change, in all namespaces. Resolves when aborted; throws when the stream ends by itself. */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Opens a client with the credentials of a kubeconfig's current context, over at most `connections` connections for requests. */
export async function openClient(kubeconfig: string, connections: number): Promise<Client> {
  const access = await readAccess(kubeconfig);
  const dispatcher = new Agent({ connections, allowH2: false, connect: access.tls });
  const watcher = new Agent({ allowH2: false, bodyTimeout: 0, connect: access.tls });
  const send = (path: string, { contentType = 'application/json', ...options }: Sending) => {
    const headers = { ...access.headers, 'content-type': contentType };
    return patiently(() => request(`${access.server}${path}`, { dispatcher, method: 'GET', ...options, headers }));
  };
  const ask = async (path: string, options: Sending = {}) => {
    const answer = await send(path, options);
    const body = await answer.body.text();
    if (answer.statusCode >= 300) {
      throw new Error(`${options.method ?? 'GET'} ${path}: ${answer.statusCode} ${body}`);
    }
    return body;
  };
  return {
    create: async (path, object) => void (await ask(path, { method: 'POST', body: JSON.stringify(object) })),
    text: (path) => ask(path),
    send: async <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, object: object) => {
      const contentType = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
      const answer: T = JSON.parse(await ask(path, { method, body: JSON.stringify(object), contentType }));
      return answer;
    },
    list: async <T extends KubeObject>(resource: Resource<T>, namespace?: string) => {
      const list = JSON.parse(await ask(pathOf(resource, namespace))) as { readonly items: readonly T[] };
      return list.items;
    },
    watch: async (resource, onEvent, signal) => {
      try {
        const answer = await send(`${pathOf(resource)}?watch=1`, { dispatcher: watcher, signal });
        await readEvents(answer, resource.plural, onEvent);
      } catch (error) {
        if (!signal.aborted) {
          throw error;
        }
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([dispatcher.destroy(), watcher.destroy()]);
    },
  };
}

/** A server that says 429 has done nothing: it asks for patience while it begins to serve a new kind, for one. */
async function patiently(send: () => Promise<Dispatcher.ResponseData>): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send();
    if (answer.statusCode !== 429 || attempt === attempts) {
      return answer;
    }
    await answer.body.dump();
    await sleep(Number(answer.headers['retry-after'] ?? 1) * 1000);
  }
}

/** The path of a kind's collection, in one namespace or in all. */
export function pathOf(resource: Resource<KubeObject>, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  return namespace === undefined ? `${root}/${resource.plural}` : `${root}/namespaces/${namespace}/${resource.plural}`;
}

async function readEvents<T>(
  answer: Dispatcher.ResponseData,
  plural: string,
  onEvent: (event: WatchEvent<T>) => void,
): Promise<never> {
  if (answer.statusCode !== 200) {
    throw new Error(`watching ${plural}: ${answer.statusCode} ${await answer.body.text()}`);
  }
  for await (const line of createInterface({ input: answer.body })) {
    const event = JSON.parse(line) as WatchEvent<T> | { readonly type: 'ERROR'; readonly object: unknown };
    if (event.type === 'ERROR') {
      throw new Error(`watching ${plural}: ${JSON.stringify(event.object)}`);
    }
    onEvent(event);
  }
  throw new Error(`the watch of ${plural} ended by itself`);
}

interface Access {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Fields & { readonly server: string } }[];
  readonly users: readonly { readonly user: Fields }[];
}

type Fields = Readonly<Record<string, string>>;

/** The rig's kubeconfigs have one cluster and one user. */
async function readAccess(kubeconfig: string): Promise<Access> {
  const { clusters, users } = parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = clusters[0]?.cluster;
  const user = users[0]?.user;
  const ca = await inlineOrFile(cluster, 'certificate-authority');
  if (cluster === undefined || user === undefined || ca === undefined) {
    throw new Error(`${kubeconfig} lacks a cluster with its CA or a user`);
  }
  const cert = await inlineOrFile(user, 'client-certificate');
  const key = await inlineOrFile(user, 'client-key');
  const authorization = user.token === undefined ? {} : { authorization: `Bearer ${user.token}` };
  return {
    server: cluster.server,
    headers: authorization,
    tls: { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) },
  };
}

async function inlineOrFile(fields: Fields | undefined, name: string): Promise<string | undefined> {
  const inline = fields?.[`${name}-data`];
  const file = fields?.[name];
  if (inline !== undefined) {
    return Buffer.from(inline, 'base64').toString();
  }
  return file === undefined ? undefined : readFile(file, 'utf8');
}
