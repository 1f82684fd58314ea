// One conversation with the API server: who we say we are, what we make of its answers, what we retry and what never.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createMute, type Server as MuteServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSession, type RequestSeen, type Session, type SessionOptions } from '../../src/kube/session.ts';
import { until } from '../rig/wait.ts';
import { configMap, refuse, silence, status } from './objects.ts';
import { type Script, type ScriptedApi, scriptedApi } from './scripted-api.ts';

let api: ScriptedApi;
const sessions: Session[] = [];

beforeEach(async () => {
  api = await scriptedApi();
});

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session[Symbol.asyncDispose]()));
  await api[Symbol.asyncDispose]();
});

async function open(options: Partial<SessionOptions> = {}): Promise<Session> {
  const kubeconfig = options.environment === undefined ? await api.kubeconfig({ token: 'one' }) : undefined;
  const session = await openSession({
    environment: {},
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...options,
  });
  sessions.push(session);
  return session;
}

const ok: Script = (turn) => turn.json(200, { fine: true });
const get = { method: 'GET', path: '/api/v1/namespaces' } as const;
const post = { method: 'POST', path: '/api/v1/namespaces', body: { made: true } } as const;
const fine = { ok: true, value: { fine: true } };

/** 200 for the given bearer, 401 for all others. */
function bearer(token: string): Script {
  return (turn) =>
    turn.headers.authorization === `Bearer ${token}`
      ? turn.json(200, { fine: true })
      : turn.json(401, status(401, 'Unauthorized'));
}

describe('answers', () => {
  const answers: readonly (readonly [number, unknown, unknown])[] = [
    [400, status(400, 'BadRequest', 'bad'), { kind: 'invalid', message: 'bad', causes: [] }],
    [401, status(401, 'Unauthorized', 'who?'), { kind: 'unauthorized', message: 'who?' }],
    [403, status(403, 'Forbidden', 'no'), { kind: 'forbidden', message: 'no' }],
    [404, status(404, 'NotFound', 'where?'), { kind: 'notFound', message: 'where?' }],
    [409, status(409, 'AlreadyExists', 'there'), { kind: 'alreadyExists', message: 'there' }],
    [409, status(409, 'Conflict', 'changed'), { kind: 'conflict', message: 'changed' }],
    [410, status(410, 'Expired', 'old'), { kind: 'gone', message: 'old' }],
    [
      422,
      status(422, 'Invalid', 'wrong', { details: { causes: [{ field: 'spec.a', message: 'm' }, { message: 'n' }] } }),
      { kind: 'invalid', message: 'wrong', causes: [{ field: 'spec.a', message: 'm' }, { message: 'n' }] },
    ],
    [
      429,
      status(429, 'TooManyRequests', 'slow', { details: { retryAfterSeconds: 7 } }),
      { kind: 'throttled', message: 'slow', retryAfterMs: 7000 },
    ],
    [500, status(500, 'InternalError', 'oh'), { kind: 'unavailable', message: 'oh' }],
    [503, 'upstream connect error', { kind: 'unavailable', message: 'upstream connect error' }],
    [504, '', { kind: 'unavailable', message: 'the API server answered 504' }],
  ];
  test.each(answers)('%i becomes a problem of one kind', async (code, body, problem) => {
    api.onAny((turn) => turn.json(code, body));
    const session = await open();
    await expect(session.request(get)).resolves.toEqual({ ok: false, problem });
    await expect(session.stream(get)).resolves.toEqual({ ok: false, problem });
  });

  test('Retry-After is data', async () => {
    api.onAny((turn) => turn.json(429, status(429, 'TooManyRequests'), { 'retry-after': '3' }));
    const session = await open();
    await expect(session.request(post)).resolves.toMatchObject({ problem: { kind: 'throttled', retryAfterMs: 3000 } });
    expect(api.turns.length).toBe(1);
  });

  test('warnings are heard, several at a time, quotes and all', async () => {
    const warning = ['299 - "unknown field \\"spec.x\\"", 299 - "a, b"', '299 - "c"'];
    api.onAny((turn) => turn.json(200, { fine: true }, { warning }));
    const heard: string[] = [];
    const session = await open();
    await session.request({ ...post, onWarning: (text) => heard.push(text) });
    expect(heard).toEqual(['unknown field "spec.x"', 'a, b', 'c']);
  });

  test('a connection that is refused is a problem, not an exception', async () => {
    const session = await open();
    await api.down();
    await expect(session.request(get)).resolves.toMatchObject({ ok: false, problem: { kind: 'unavailable' } });
    await expect(session.stream(get)).resolves.toMatchObject({ ok: false, problem: { kind: 'unavailable' } });
  });

  test('a server that never answers is given up', async () => {
    api.onAny(() => undefined);
    const session = await open();
    const answer = await session.request({ ...get, timeoutMs: 100 });
    expect(answer).toEqual({
      ok: false,
      problem: { kind: 'unavailable', message: 'no complete answer within 0.1 s' },
    });
  });

  test('a server that stops in the middle of its answer is given up', async () => {
    api.onAny((turn) => turn.raw('{"half":'));
    const session = await open();
    await expect(session.request({ ...get, timeoutMs: 100 })).resolves.toMatchObject({
      problem: { kind: 'unavailable' },
    });
  });

  test('the signal ends a request', async () => {
    api.onAny(silence);
    const session = await open();
    const stop = new AbortController();
    const answer = session.request({ ...get, signal: stop.signal });
    await until('the request', () => api.turns.length === 1);
    stop.abort(new Error('enough'));
    await expect(answer).resolves.toEqual({ ok: false, problem: { kind: 'unavailable', message: 'enough' } });
    await expect(session.request({ ...get, signal: stop.signal })).resolves.toMatchObject({ ok: false });
    expect(api.turns.length).toBe(1);
  });
});

describe('retries', () => {
  test('a read whose keep-alive socket had gone stale is sent once more', async () => {
    api.onAny(ok, (turn) => turn.reset(), ok);
    const session = await open();
    await session.request(get);
    await expect(session.request(get)).resolves.toEqual(fine);
    expect(api.turns.length).toBe(3);
  });

  test('once, not for ever', async () => {
    api.onAny((turn) => turn.reset());
    const session = await open();
    await expect(session.request(get)).resolves.toMatchObject({ problem: { kind: 'unavailable' } });
    expect(api.turns.length).toBe(2);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('%s is never sent twice', async (method) => {
    api.onAny((turn) => turn.reset());
    const session = await open();
    await expect(session.request({ ...post, method })).resolves.toMatchObject({ problem: { kind: 'unavailable' } });
    expect(api.turns.length).toBe(1);
  });
});

describe('sockets', () => {
  test('are kept alive, and no more than two dozen are opened for requests', async () => {
    api.onAny(async (turn) => {
      await new Promise(setImmediate);
      turn.json(200, { fine: true });
    });
    const session = await open();
    for (let i = 0; i < 5; i += 1) await session.request(get);
    expect(new Set(api.turns.map((turn) => turn.clientPort)).size).toBeLessThanOrEqual(2);
    const answers = await Promise.all(Array.from({ length: 200 }, () => session.request(get)));
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(new Set(api.turns.map((turn) => turn.clientPort)).size).toBeLessThanOrEqual(24);
  });

  test('watches take none of them', async () => {
    api.onWatch(silence);
    api.onList(ok);
    const session = await open();
    const stop = new AbortController();
    const watch = { ...get, query: { watch: 'true' }, signal: stop.signal };
    const streams = await Promise.all(Array.from({ length: 40 }, () => session.stream(watch)));
    expect(streams.every((stream) => stream.ok)).toBe(true);
    await expect(session.request(get)).resolves.toEqual(fine);
    stop.abort();
  });

  test('closing the session lets a request finish and cuts a stream', async () => {
    const gate = Promise.withResolvers<void>();
    api.onWatch(silence);
    api.onList(async (turn) => {
      await gate.promise;
      turn.json(200, { fine: true });
    });
    const session = await open();
    const stream = await session.stream({ ...get, query: { watch: 'true' } });
    if (!stream.ok) throw new Error('no stream');
    const lines = stream.value[Symbol.asyncIterator]();
    const cut = lines.next().catch((error: unknown) => error);
    const request = session.request(get);
    await until('both', () => api.turns.length === 2);
    const closed = session[Symbol.asyncDispose]();
    await expect(cut).resolves.toBeInstanceOf(Error);
    gate.resolve();
    await expect(request).resolves.toEqual(fine);
    await closed;
  });
});

describe('a server that does not even accept', () => {
  // Connections are made by the kernel and never reach TLS.
  let mute: MuteServer;
  let session: Session;

  beforeEach(async () => {
    mute = createMute();
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    session = await open({
      kubeconfig: await api.kubeconfig({ token: 'one' }, { server: `https://127.0.0.1:${port}` }),
    });
  });

  afterEach(() => mute.close());

  test('the time limit and the signal hold while the connection is being made', async () => {
    const began = performance.now();
    await expect(session.request({ ...get, timeoutMs: 50 })).resolves.toMatchObject({
      problem: { message: 'no complete answer within 0.05 s' },
    });
    const stop = new AbortController();
    const stream = session.stream({ ...get, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(stream).resolves.toMatchObject({ problem: { message: 'enough' } });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('the session closes all the same, within seconds', async () => {
    const request = session.request(post);
    await session[Symbol.asyncDispose]();
    await expect(request).resolves.toMatchObject({ problem: { kind: 'unavailable' } });
  });
});

describe('writes without a fresh lease', () => {
  test('stay in the process, except those of Leases; reads go through', async () => {
    api.onAny(ok);
    let leads = false;
    const session = await open({ guardWrite: () => leads });
    await expect(session.request(post)).resolves.toMatchObject({ ok: false, problem: { kind: 'notLeader' } });
    expect(api.turns.length).toBe(0);
    await expect(session.request(get)).resolves.toEqual(fine);
    const lease = { ...post, method: 'PUT', path: '/apis/coordination.k8s.io/v1/namespaces/n/leases/l' } as const;
    await expect(session.request(lease)).resolves.toEqual(fine);
    leads = true;
    await expect(session.request(post)).resolves.toEqual(fine);
  });

  test('a write that waited for a socket while the lease was lost does not leave either', async () => {
    let leads = true;
    const gate = Promise.withResolvers<void>();
    api.onAny(async (turn) => {
      await gate.promise;
      turn.json(200, { fine: true });
    });
    const session = await open({ guardWrite: () => leads });
    const reads = Array.from({ length: 24 }, () => session.request(get));
    const write = session.request(post);
    await until('all sockets are taken', () => api.turns.length === 24);
    leads = false;
    gate.resolve();
    await expect(write).resolves.toMatchObject({ problem: { kind: 'notLeader' } });
    expect((await Promise.all(reads)).every((answer) => answer.ok)).toBe(true);
    await expect(session.request(get)).resolves.toEqual(fine);
    expect(api.turns.every((turn) => turn.method === 'GET')).toBe(true);
  });

  test('a lease lost during a refused attempt stops the second one', async () => {
    let leads = true;
    api.onAny((turn) => {
      leads = false;
      turn.json(401, status(401, 'Unauthorized'));
    });
    const session = await open({ guardWrite: () => leads });
    await expect(session.request(post)).resolves.toMatchObject({ problem: { kind: 'notLeader' } });
    expect(api.turns.length).toBe(1);
  });
});

describe('credentials', () => {
  test('a token file is read anew as soon as it changes', async () => {
    const tokenFile = join(api.dir, 'token');
    await writeFile(tokenFile, 'one\n');
    api.onAny(ok);
    const session = await open({ kubeconfig: await api.kubeconfig({ tokenFile }) });
    await session.request(get);
    await writeFile(`${tokenFile}.new`, 'two\n');
    await rename(`${tokenFile}.new`, tokenFile);
    await session.request(get);
    expect(api.turns.map((turn) => turn.headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
  });

  test('a token file that is gone for a moment leaves the token that we have', async () => {
    const tokenFile = join(api.dir, 'token');
    await writeFile(tokenFile, 'one');
    api.onAny(ok);
    const session = await open({ kubeconfig: await api.kubeconfig({ tokenFile }) });
    await rm(tokenFile);
    await expect(session.request(get)).resolves.toEqual(fine);
  });

  test('a Pod finds its server, token, CA and namespace', async () => {
    const folder = join(api.dir, 'serviceaccount');
    await mkdir(folder);
    await writeFile(join(folder, 'token'), 'of-the-pod');
    await writeFile(join(folder, 'ca.crt'), await readFile(api.caFile));
    await writeFile(join(folder, 'namespace'), 'certway-system');
    const { hostname, port } = new URL(api.url);
    api.onAny(bearer('of-the-pod'));
    const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const session = await open({ environment, serviceAccountFolder: folder });
    await expect(session.request(get)).resolves.toEqual(fine);
    expect([session.namespace, session.server]).toEqual(['certway-system', `${api.url}/`]);
  });

  test('401 reads the credentials anew and sends the request once more, a write too', async () => {
    const kubeconfig = await api.kubeconfig({ token: 'old' });
    api.onAny(bearer('new'));
    const session = await open({ kubeconfig });
    await writeFile(kubeconfig, (await readFile(kubeconfig, 'utf8')).replace('"old"', '"new"'));
    await expect(session.request(post)).resolves.toEqual(fine);
    expect(api.turns.map((turn) => turn.body)).toEqual(['{"made":true}', '{"made":true}']);
    await expect(session.request(get)).resolves.toEqual(fine);
    expect(api.turns.length).toBe(3);
  });

  test('401 that stays is told after two attempts, and does not double each request from then on', async () => {
    api.onAny(refuse(401, 'Unauthorized'));
    const session = await open();
    for (const expected of [2, 3, 4]) {
      await expect(session.request(get)).resolves.toMatchObject({ problem: { kind: 'unauthorized' } });
      expect(api.turns.length).toBe(expected);
    }
  });

  test('requests that are refused together share one refresh', async () => {
    const runs = join(api.dir, 'runs');
    const kubeconfig = await api.kubeconfig({ exec: await plugin(runs, 'late') });
    api.onAny(bearer('late-2'));
    const session = await open({ kubeconfig });
    const answers = await Promise.all(Array.from({ length: 10 }, () => session.request(get)));
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect((await readFile(runs, 'utf8')).length).toBe(2);
  });

  test('a watch, too, is retried once with new credentials', async () => {
    const kubeconfig = await api.kubeconfig({ token: 'old' });
    api.onAny((turn) =>
      turn.headers.authorization === 'Bearer new' ? turn.event('ADDED', configMap('a', 1)) : turn.json(401, {}),
    );
    const session = await open({ kubeconfig });
    await writeFile(kubeconfig, (await readFile(kubeconfig, 'utf8')).replace('"old"', '"new"'));
    const stream = await session.stream(get);
    if (!stream.ok) throw new Error(stream.problem.message);
    for await (const event of stream.value) {
      expect(event).toMatchObject({ type: 'ADDED' });
      break;
    }
  });

  test('client certificates are shown, from files and inline', async () => {
    const { certificate, key } = await api.clientCertificate('an-admin');
    api.onAny(ok);
    const inFiles = await open({
      kubeconfig: await api.kubeconfig({ 'client-certificate': certificate, 'client-key': key }),
    });
    const data = {
      'client-certificate-data': await readFile(certificate, 'base64'),
      'client-key-data': await readFile(key, 'base64'),
    };
    const inline = await open({ kubeconfig: await api.kubeconfig(data) });
    await inFiles.request(get);
    await inline.request(get);
    expect(api.turns.map((turn) => turn.clientName)).toEqual(['an-admin', 'an-admin']);
  });

  test('a client certificate that rotated on disk is picked up after a 401', async () => {
    const [old, next] = [await api.clientCertificate('old'), await api.clientCertificate('next')];
    const kubeconfig = await api.kubeconfig({ 'client-certificate': old.certificate, 'client-key': old.key });
    api.onAny((turn) => (turn.clientName === 'next' ? turn.json(200, { fine: true }) : turn.json(401, {})));
    const session = await open({ kubeconfig });
    await rename(next.certificate, old.certificate);
    await rename(next.key, old.key);
    await expect(session.request(get)).resolves.toEqual(fine);
  });

  test('a server with another CA is refused, until the CA on disk has rotated', async () => {
    const other = await scriptedApi();
    const ca = join(api.dir, 'ca-that-rotates.crt');
    await writeFile(ca, await readFile(other.caFile));
    await other[Symbol.asyncDispose]();
    api.onAny(ok);
    const strict = await open({ kubeconfig: await api.kubeconfig({ token: 'one' }, { 'certificate-authority': ca }) });
    await writeFile(ca, await readFile(api.caFile));
    await expect(strict.request(post)).resolves.toEqual(fine);
    expect(api.turns.length).toBe(1);
  });

  test('verification is skipped only when the kubeconfig says so', async () => {
    api.onAny(ok);
    const none = { 'certificate-authority': undefined };
    const strict = await open({ kubeconfig: await api.kubeconfig({ token: 'one' }, none) });
    await expect(strict.request(get)).resolves.toMatchObject({ problem: { kind: 'unavailable' } });
    const lax = await api.kubeconfig({ token: 'one' }, { ...none, 'insecure-skip-tls-verify': true });
    await expect((await open({ kubeconfig: lax })).request(get)).resolves.toEqual(fine);
  });

  test('passwords and impersonation go into their headers', async () => {
    api.onAny(ok);
    const user = { username: 'u', password: 'p', as: 'someone', 'as-groups': ['a', 'b'] };
    await (await open({ kubeconfig: await api.kubeconfig(user) })).request(get);
    expect(api.turns[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
      'impersonate-user': 'someone',
      'impersonate-group': 'a, b',
      'user-agent': 'certway',
    });
  });

  test('an exec plugin is run once for many requests', async () => {
    const runs = join(api.dir, 'runs');
    api.onAny(bearer('late-1'));
    const session = await open({ kubeconfig: await api.kubeconfig({ exec: await plugin(runs, 'late') }) });
    for (let i = 0; i < 3; i += 1) await expect(session.request(get)).resolves.toEqual(fine);
    expect((await readFile(runs, 'utf8')).length).toBe(1);
  });

  /** An exec credential plugin that hands out `<prefix>-1`, `<prefix>-2` … and writes a dot per run. */
  async function plugin(runs: string, prefix: string): Promise<Readonly<Record<string, unknown>>> {
    const command = join(api.dir, 'plugin.sh');
    const credential = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${prefix}-'$(wc -c < ${runs} | tr -d ' ')'"}}`;
    await writeFile(command, `#!/bin/sh\nprintf . >> ${runs}\necho '${credential}'\n`);
    await chmod(command, 0o755);
    return { apiVersion: 'client.authentication.k8s.io/v1', command, args: [], interactiveMode: 'Never' };
  }
});

describe('kubeconfig', () => {
  test('YAML, with paths relative to its file, and several files of which the first wins', async () => {
    await writeFile(join(api.dir, 'token'), 'relative');
    const users = 'users:\n- name: u\n  user:\n    tokenFile: ./token\n';
    const first = `apiVersion: v1\nkind: Config\ncurrent-context: c\n${users}`;
    const cluster = `clusters:\n- name: k\n  cluster:\n    server: ${api.url}/prefix/\n    certificate-authority: ca.crt\n`;
    const second = `current-context: other\n${users.replace('./token', './none')}${cluster}contexts:\n- name: c\n  context: {cluster: k, user: u}\n`;
    await writeFile(join(api.dir, 'first'), first);
    await writeFile(join(api.dir, 'second'), second);
    api.onAny(bearer('relative'));
    const session = await open({ environment: { KUBECONFIG: `${api.dir}/first:${api.dir}/second` } });
    await expect(session.request({ ...get, query: { labelSelector: 'a in (b,c)' } })).resolves.toEqual(fine);
    expect(api.turns[0]?.path).toBe('/prefix/api/v1/namespaces');
    expect(api.turns[0]?.query.get('labelSelector')).toBe('a in (b,c)');
  });

  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ['no such file', '', /cannot be read/],
    ['not YAML', 'a: [', /cannot be read/],
    ['not a map', '- a', /not a map/],
    ['no current context', 'contexts: []', /no current-context/],
    ['an unknown context', 'current-context: c', /no context named c/],
    [
      'an unknown cluster',
      '{"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}]}',
      /no cluster named k/,
    ],
  ];
  test.each(mistakes)('%s is said in a sentence', async (what, content, sentence) => {
    const file = join(api.dir, 'mistaken');
    if (what !== 'no such file') await writeFile(file, content);
    await expect(openSession({ kubeconfig: file, environment: {} })).rejects.toThrow(sentence);
  });

  test('without any, the sentence says where we looked', async () => {
    await expect(openSession({ environment: { HOME: api.dir } })).rejects.toThrow(
      `${api.dir}/.kube/config does not exist`,
    );
  });

  test('a proxy is used when one is named', async () => {
    const tunnels: string[] = [];
    const proxy: Server = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const [host = '', port] = (request.url ?? '').split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const uri = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    api.onAny(ok);
    const session = await open({ kubeconfig: await api.kubeconfig({ token: 'one' }, { 'proxy-url': uri }) });
    await expect(session.request(get)).resolves.toEqual(fine);
    expect(tunnels).toEqual([new URL(api.url).host]);
    await session[Symbol.asyncDispose]();
    proxy.close();
  });
});

describe('cost', () => {
  test('each attempt is told, with its status', async () => {
    const seen: RequestSeen[] = [];
    api.onAny((turn) => turn.reset(), ok);
    const session = await open({ onRequest: (attempt) => seen.push(attempt) });
    await session.request(get);
    expect(seen.map(({ method, path, status: code }) => [method, path, code])).toEqual([
      ['GET', '/api/v1/namespaces', 0],
      ['GET', '/api/v1/namespaces', 200],
    ]);
  });

  test('a session of a token loads neither client-node nor the rest of undici nor YAML', async () => {
    const kubeconfig = await api.kubeconfig({ token: 'one' });
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
      const { openSession } = await import(${JSON.stringify(new URL('../../src/kube/session.ts', import.meta.url).href)});
      const session = await openSession({ environment: {}, kubeconfig: ${JSON.stringify(kubeconfig)} });
      await session[Symbol.asyncDispose]();
      console.log(JSON.stringify(loaded));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const loaded: string[] = JSON.parse(stdout);
    expect(loaded.some((url) => url.endsWith('/undici/lib/dispatcher/pool.js'))).toBe(true);
    expect(
      loaded.filter((url) => /client-node|\/yaml\/|undici\/index|lib\/web\/fetch\/index|lib\/mock/.test(url)),
    ).toEqual([]);
  });
});
