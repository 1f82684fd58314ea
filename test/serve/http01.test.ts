// The responder over real sockets: what it answers, and how little it says otherwise.

import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readHost, startResponder } from '../../src/serve/http01.ts';
import type { Listening } from '../../src/serve/listen.ts';

let server: Listening;
let lookup: (host: string, token: string) => Promise<string | undefined>;
const asked: string[] = [];
const statuses: number[] = [];

beforeAll(async () => {
  server = await startResponder({
    listen: '127.0.0.1:0',
    lookup: (host, token) => {
      asked.push(`${host} ${token}`);
      return lookup(host, token);
    },
    onAnswer: (status) => statuses.push(status),
  });
});
afterAll(() => server.close());
afterEach(() => {
  asked.splice(0);
  statuses.splice(0);
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function send(path: string, host = 'foo.com', method = 'GET'): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(
    { host: '127.0.0.1', port: server.port, path, method, headers: { host }, agent: false },
    (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body, headers: response.headers }), reject);
    },
  );
  sent.on('error', reject);
  sent.end();
  return promise;
}

/** Sends bytes as they are and returns all that comes back until the server closes. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

const notFound = { status: 404, body: 'not found\n' };
const path = '/.well-known/acme-challenge/token_-1';

describe('a challenge request', () => {
  test('for a host that is being ordered gets the key authorization as plain text', async () => {
    lookup = async (_, token) => `${token}.thumb`;
    const answer = await send(path, 'FOO.com:8080');
    expect(answer).toMatchObject({ status: 200, body: 'token_-1.thumb' });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '14',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(asked).toEqual(['foo.com token_-1']);
    expect(statuses).toEqual([200]);
  });

  test('by HEAD gets the same without a body', async () => {
    lookup = async () => 'x.y';
    const answer = await send(path, 'foo.com', 'HEAD');
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers).toMatchObject({ 'content-length': '3' });
  });

  test('for any other host gets one constant answer', async () => {
    lookup = async () => undefined;
    expect(await send(path)).toMatchObject(notFound);
    expect(statuses).toEqual([404]);
  });

  test('whose lookup fails is cut off, and the next one is answered', async () => {
    lookup = () => Promise.reject(new Error('bug'));
    await expect(send(path)).rejects.toThrow();
    lookup = async () => 'x.y';
    expect(await send(path)).toMatchObject({ status: 200 });
  });
});

describe('everything else is not found, without a lookup', () => {
  test.each<[string, string?, string?]>([
    ['/'],
    ['/.well-known/acme-challenge/'],
    ['/.well-known/acme-challenge'],
    [`${path}/`],
    [`${path}?a=b`],
    [`/${path}`],
    ['/.well-known/acme-challenge/a.b'],
    ['/.well-known/acme-challenge/%41'],
    ['/.well-known/acme-challenge/../x'],
    [`/.well-known/acme-challenge/${'x'.repeat(129)}`],
    ['/.WELL-KNOWN/acme-challenge/x'],
    [path, 'foo.com', 'POST'],
    [path, 'foo.com', 'DELETE'],
    [path, 'foo com'],
    [path, '<script>'],
    [path, 'foo.com:port'],
    [path, 'foo..com'],
    [path, '[::1'],
    [path, '*.foo.com'],
  ])('%s %s %s', async (target, host, method) => {
    lookup = async () => 'leak';
    const answer = await send(target, host, method);
    expect(answer).toMatchObject(notFound);
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'content-type': 'text/plain' });
    expect(asked).toEqual([]);
  });

  test('an absolute URL, a missing host, an oversized header and garbage get nothing either', async () => {
    lookup = async () => 'leak';
    const requests = [
      `GET http://foo.com${path} HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n`,
      `GET ${path} HTTP/1.0\r\n\r\n`,
      `GET ${path} HTTP/1.1\r\nHost: foo.com\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
      'hello<script>\r\n\r\n',
    ];
    for (const bytes of requests) {
      const answer = await sendRaw(bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toMatch(/leak|script|foo\.com/);
    }
    expect(asked).toEqual([]);
  });
});

describe('readHost', () => {
  test.each<[string | undefined, string | undefined]>([
    ['foo.com', 'foo.com'],
    ['Foo.COM.:80', 'foo.com'],
    ['_x.foo.com', '_x.foo.com'],
    ['10.0.0.1:8080', '10.0.0.1'],
    ['[2001:DB8::1]:80', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', undefined],
    ['[fe80::1%eth0]', undefined],
    ['[foo.com]', undefined],
    ['a'.repeat(64), undefined],
    [`${'a.'.repeat(127)}aa`, undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (header, host) => {
    expect(readHost(header)).toBe(host);
  });
});
