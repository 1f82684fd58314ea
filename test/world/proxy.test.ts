// The fault proxies over real sockets: a trivial HTTPS upstream stands where the API server and Pebble will be.

import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { paused, rateLimited, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { kubeconfigThrough, startApiFault } from '../rig/proxy/api-fault.ts';
import { makeIdentity } from '../rig/proxy/identity.ts';
import { at, firstOf, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) {
    await thing[Symbol.asyncDispose]();
  }
});

function keep<T extends AsyncDisposable>(thing: T): T {
  open.push(thing);
  return thing;
}

interface Upstream extends AsyncDisposable {
  readonly origin: string;
  readonly caPem: string;
  readonly heard: string[];
  readonly sockets: Set<unknown>;
}

async function startUpstream(answer: RequestListener): Promise<Upstream> {
  const { caPem, certPem, keyPem } = await makeIdentity();
  const heard: string[] = [];
  const sockets = new Set<unknown>();
  const server = createServer({ cert: certPem, key: keyPem }, (incoming, outgoing) => {
    heard.push(`${incoming.method} ${incoming.url}`);
    answer(incoming, outgoing);
  });
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return keep({
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem,
    heard,
    sockets,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  });
}

async function scratch(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'certway-proxy-test-'));
  open.push({ [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) });
  return dir;
}

async function apiWorld(answer: RequestListener) {
  const upstream = await startUpstream(answer);
  const apiCaFile = join(await scratch(), 'ca.crt');
  await writeFile(apiCaFile, upstream.caPem);
  const proxy = keep(await startApiFault({ apiUrl: upstream.origin, apiCaFile }));
  return { upstream, proxy, ask: asker(proxy.caPem) };
}

type Ask = (url: string, options?: Partial<Dispatcher.RequestOptions>) => Promise<Dispatcher.ResponseData>;

function asker(caPem: string): Ask {
  const dispatcher = new Agent({ connect: { ca: caPem }, connections: 1 });
  open.push({ [Symbol.asyncDispose]: () => dispatcher.destroy() });
  return (url, options = {}) => request(url, { dispatcher, method: 'GET', ...options });
}

const ok: RequestListener = (_incoming, outgoing) => outgoing.writeHead(201, { 'x-upstream': 'yes' }).end('done');
const echo: RequestListener = (incoming, outgoing) => {
  incoming.pipe(outgoing.writeHead(200, { 'x-authorization': incoming.headers.authorization ?? 'none' }));
};
const certificateRequests = '/apis/cert-manager.io/v1/namespaces/default/certificaterequests';

test('a request passes with its Authorization header, its body and the upstream’s answer', async () => {
  const { proxy, ask } = await apiWorld(echo);
  const answer = await ask(`${proxy.origin}/api/v1/namespaces`, {
    method: 'POST',
    headers: { authorization: 'Bearer abc' },
    body: '{"a":1}',
  });
  expect(answer.headers['x-authorization']).toBe('Bearer abc');
  expect(await answer.body.text()).toBe('{"a":1}');
});

test('connections are kept alive on both sides', async () => {
  const { upstream, proxy, ask } = await apiWorld(ok);
  for (const _ of [1, 2, 3]) {
    await (await ask(`${proxy.origin}/version`)).body.dump();
  }
  expect(upstream.heard).toHaveLength(3);
  expect(upstream.sockets.size).toBe(1);
});

test('a watch is streamed line by line and ends upstream when the client leaves', async () => {
  let upstreamSide: IncomingMessage | undefined;
  const gone = Promise.withResolvers<void>();
  const more = Promise.withResolvers<void>();
  const { proxy, ask } = await apiWorld((incoming, outgoing) => {
    upstreamSide = incoming;
    outgoing.on('close', gone.resolve);
    outgoing.writeHead(200).write('first\n');
    void more.promise.then(() => outgoing.write('second\n'));
  });
  const answer = await ask(`${proxy.origin}/api/v1/secrets?watch=1`);
  const lines = answer.body.iterator({ destroyOnReturn: false });
  expect(String((await lines.next()).value)).toBe('first\n');
  more.resolve();
  expect(String((await lines.next()).value)).toBe('second\n');
  answer.body.destroy();
  answer.body.on('error', () => {});
  await gone.promise;
  expect(upstreamSide?.url).toBe('/api/v1/secrets?watch=1');
});

test('a watch that breaks upstream breaks at the client too', async () => {
  const { proxy, ask } = await apiWorld((_incoming, outgoing) => {
    outgoing.writeHead(200).write('first\n', () => outgoing.destroy());
  });
  const answer = await ask(`${proxy.origin}/api/v1/secrets?watch=1`);
  await expect(answer.body.text()).rejects.toThrow();
});

test('killBefore: the hook runs, the upstream hears nothing, the connection is cut', async () => {
  const { upstream, proxy, ask } = await apiWorld(ok);
  const order: string[] = [];
  proxy.follow(
    at({ edge: 'create certificaterequests' }, { kind: 'killBefore', hook: () => void order.push('killed') }),
  );
  await expect(ask(proxy.origin + certificateRequests, { method: 'POST', body: '{}' })).rejects.toThrow();
  expect(order).toEqual(['killed']);
  expect(upstream.heard).toEqual([]);
});

test('killAfter: the upstream has answered before the hook runs, and the client hears nothing', async () => {
  const { upstream, proxy, ask } = await apiWorld(ok);
  const heardAtKill: number[] = [];
  const hook = () => void heardAtKill.push(upstream.heard.length);
  proxy.follow(at({ edge: 'create certificaterequests', nth: 2 }, { kind: 'killAfter', hook }));
  const create = () => ask(proxy.origin + certificateRequests, { method: 'POST', body: '{}' });
  expect((await create()).statusCode).toBe(201);
  await expect(create()).rejects.toThrow();
  expect(heardAtKill).toEqual([2]);
  expect(proxy.passed.map((passage) => passage.status)).toEqual([201, 201]);
});

test('dropReply: the upstream has acted, the client sees a cut connection', async () => {
  const { upstream, proxy, ask } = await apiWorld(ok);
  proxy.follow(() => ({ kind: 'dropReply' }));
  await expect(ask(`${proxy.origin}/version`)).rejects.toThrow();
  expect(upstream.heard).toEqual(['GET /version']);
});

test('respond: the script answers in the upstream’s place', async () => {
  const { upstream, proxy, ask } = await apiWorld(ok);
  proxy.follow(() => ({
    kind: 'respond',
    status: 409,
    headers: { 'content-type': 'application/json' },
    body: '{"a":2}',
  }));
  const answer = await ask(`${proxy.origin}/version`);
  expect([answer.statusCode, await answer.body.json()]).toEqual([409, { a: 2 }]);
  expect(upstream.heard).toEqual([]);
});

test('delay: the upstream hears the request only later', async () => {
  const { upstream, proxy, ask } = await apiWorld(ok);
  proxy.follow(at({ edge: 'get /slow' }, { kind: 'delay', ms: 150 }));
  const slow = ask(`${proxy.origin}/slow`);
  await until('the slow request to arrive', () => proxy.passed.length === 1);
  expect(upstream.heard).toEqual([]);
  expect((await slow).headers['x-upstream']).toBe('yes');
});

test('several scripts: the first verdict that is not «forward» counts', async () => {
  const refuse = { kind: 'respond', status: 503, headers: {}, body: '' } as const;
  const script = firstOf(
    () => forward,
    at({ edge: 'get /b' }, refuse),
    () => forward,
  );
  expect(await script({ edge: 'get /a', nth: 1 })).toEqual(forward);
  expect(await script({ edge: 'get /b', nth: 1 })).toEqual(refuse);
});

test('a script that throws cuts the connection and fails the proxy’s end', async () => {
  const { upstream } = await apiWorld(ok);
  const apiCaFile = join(await scratch(), 'ca.crt');
  await writeFile(apiCaFile, upstream.caPem);
  const proxy = await startApiFault({ apiUrl: upstream.origin, apiCaFile }, () => {
    throw new Error('mistaken script');
  });
  await expect(asker(proxy.caPem)(`${proxy.origin}/version`)).rejects.toThrow();
  await expect(proxy[Symbol.asyncDispose]()).rejects.toThrow('a script or hook of the fault proxy threw');
});

test('a kubeconfig through the proxy keeps the token and changes server and CA', async () => {
  const { proxy } = await apiWorld(ok);
  const dir = await scratch();
  const original = {
    'current-context': 'x',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority': '/nowhere' } }],
    users: [{ name: 'u', user: { token: 'abc' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(join(dir, 'original'), JSON.stringify(original));
  const path = await kubeconfigThrough(proxy, join(dir, 'original'), join(dir, 'through'));
  const ca = Buffer.from(proxy.caPem).toString('base64');
  expect(parse(await readFile(path, 'utf8'))).toEqual({
    ...original,
    clusters: [{ name: 'c', cluster: { server: proxy.origin, 'certificate-authority-data': ca } }],
  });
});

test('a kubeconfig with a client certificate is refused, because TLS ends at the proxy', async () => {
  const { proxy } = await apiWorld(ok);
  const dir = await scratch();
  const config = { clusters: [], users: [{ name: 'admin', user: { 'client-certificate': '/x', 'client-key': '/y' } }] };
  await writeFile(join(dir, 'original'), JSON.stringify(config));
  await expect(kubeconfigThrough(proxy, join(dir, 'original'), join(dir, 'through'))).rejects.toThrow('user admin');
});

test('before Pebble: Host is kept, and the directory’s path with it', async () => {
  const upstream = await startUpstream((incoming, outgoing) =>
    outgoing.end(`https://${incoming.headers.host}/order-plz`),
  );
  const acme = keep(await startAcmeFault({ directory: `${upstream.origin}/dir`, caPem: upstream.caPem }));
  const answer = await asker(acme.caPem)(acme.directory);
  expect(await answer.body.text()).toBe(`${acme.proxy.origin}/order-plz`);
  expect(acme.proxy.passed).toMatchObject([{ edge: 'directory', status: 200, upstream: 200 }]);
});

test('before Pebble: a rate limit and a pause look like Boulder’s', async () => {
  const upstream = await startUpstream(ok);
  const acme = keep(await startAcmeFault({ directory: `${upstream.origin}/dir`, caPem: upstream.caPem }));
  const ask = asker(acme.caPem);
  acme.proxy.follow(() => rateLimited('new-orders-per-account', 36, Date.UTC(2026, 0, 1)));
  const limited = await ask(`${acme.proxy.origin}/order-plz`, { method: 'POST', body: '{"payload":"e30"}' });
  expect(limited.headers['retry-after']).toBe('36');
  expect(await limited.body.json()).toMatchObject({
    type: 'urn:ietf:params:acme:error:rateLimited',
    detail: expect.stringMatching(/2026-01-01 00:00:36 UTC: see .*#new-orders-per-account$/),
  });
  acme.proxy.follow(() => paused('https://portal.example/unpause'));
  const answer = await ask(`${acme.proxy.origin}/order-plz`, { method: 'POST', body: '{"payload":"e30"}' });
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, undefined]);
});
