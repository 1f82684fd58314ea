// What the endpoint does on its own account: leadership, order of requests, the directory's cache, giving up, proxies, metrics.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { listOrders, newOrder, readOrder } from '../../src/acme/order.ts';
import type { AcmeSession } from '../../src/acme/session.ts';
import { freePort } from '../rig/ports.ts';
import { makeIdentity } from '../rig/proxy/identity.ts';
import { until } from '../rig/wait.ts';
import { type Deed, refusal, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';
import { got, problemOf } from './steps.ts';

const wish = { identifiers: [{ type: 'dns', value: 'a.example.com' }] } as const;

describe('a request', () => {
  test('is a GET for the directory, a HEAD for a nonce and a signed POST for everything else', async () => {
    await using ca = await startScriptedCa();
    const session = ca.session();
    got(await newOrder(session, wish));
    got(await readOrder(session, `${ca.origin}/order/1`));
    expect(ca.asked.map(({ method, path, payload }) => [method, path, payload])).toEqual([
      ['GET', '/dir', ''],
      ['HEAD', '/nonce', ''],
      ['POST', '/new-order', JSON.stringify(wish)],
      ['POST', '/order/1', ''],
    ]);
    expect(ca.asked[3]?.header).toMatchObject({
      alg: 'ES256',
      kid: session.accountUrl,
      url: `${ca.origin}/order/1`,
      nonce: expect.stringMatching(/^nonce-/),
    });
    expect(new Set(ca.asked.map(({ userAgent }) => userAgent))).toEqual(new Set(['certway-test']));
  });

  test('is reported with its purpose and status, also when no reply came', async () => {
    const seen: string[] = [];
    const cut: Deed = { kind: 'cut' };
    await using ca = await startScriptedCa(({ path }, nth) => (path === '/order/1' && nth === 2 ? cut : undefined));
    const session = ca.session({
      onRequest: ({ action, status, ms }) => void seen.push(`${action} ${status} ${ms > 0 && ms < 30_000}`),
    });
    await readOrder(session, `${ca.origin}/order/1`);
    await readOrder(session, `${ca.origin}/order/1`);
    expect(seen).toEqual(['directory 200 true', 'newNonce 200 true', 'order 200 true', 'order 0 true']);
  });

  test('waits while as many are on their way as may be', async () => {
    const hang: Deed = { kind: 'hang' };
    await using ca = await startScriptedCa(({ path }) => (path.startsWith('/order/') ? hang : undefined));
    const session = ca.session({ maxInFlight: 3 });
    const patience = new AbortController();
    const orders = Array.from({ length: 9 }, (_, index) =>
      readOrder(session, `${ca.origin}/order/${index}`, patience.signal),
    );
    const posts = () => ca.asked.filter(({ method }) => method === 'POST').length;
    await until('three requests to be on their way', () => posts() === 3);
    patience.abort(new Error('enough'));
    const sent = (await Promise.all(orders))
      .map((order) => problemOf(order))
      .map((each) => 'sent' in each && each.sent);
    expect(sent).toEqual(['maybe', 'maybe', 'maybe', 'no', 'no', 'no', 'no', 'no', 'no']);
    expect(posts()).toBe(3);
  });

  test('without leadership does not leave the process', async () => {
    await using ca = await startScriptedCa();
    const session = ca.session({ mayPost: () => false });
    const problem = problemOf(await newOrder(session, wish));
    expect(problem).toMatchObject({ kind: 'network', sent: 'no', detail: expect.stringContaining('leadership') });
    expect(ca.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('asks for leadership anew each time that it is repeated', async () => {
    let leads = true;
    await using ca = await startScriptedCa(({ path }) => {
      if (path !== '/new-order') return undefined;
      leads = false;
      return refusal(400, 'badNonce', 'bad');
    });
    const session = ca.session({ mayPost: () => leads });
    expect(problemOf(await newOrder(session, wish))).toMatchObject({ kind: 'network', sent: 'no' });
    expect(ca.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('is made over a server that is not verified, when told so', async () => {
    await using ca = await startScriptedCa();
    const caBundle = (await makeIdentity()).caPem;
    expect((await ca.open({ caBundle }).directory()).ok).toBe(false);
    expect((await ca.open({ caBundle, skipTlsVerify: true }).directory()).ok).toBe(true);
  });
});

describe('the directory', () => {
  test('is read once for many, and again after an hour', async () => {
    let now = 0;
    await using ca = await startScriptedCa();
    const endpoint = ca.open({ now: () => now });
    const reads = () => ca.asked.filter(({ path }) => path === '/dir').length;
    await Promise.all([endpoint.directory(), endpoint.directory()]);
    now = 3_599_999;
    await endpoint.directory();
    expect(reads()).toBe(1);
    now = 3_600_000;
    await endpoint.directory();
    expect(reads()).toBe(2);
  });

  test('is read again after a failure, and after the CA has denied an address that it gave', async () => {
    await using ca = await startScriptedCa(({ path }, nth) => {
      if (path === '/dir' && nth === 1) return { kind: 'reply', status: 502, body: '' };
      return path === '/new-order' && nth === 1 ? { kind: 'reply', status: 404, body: '' } : undefined;
    });
    const session = ca.session();
    expect(problemOf(await newOrder(session, wish))).toMatchObject({ kind: 'unavailable', status: 502 });
    expect(problemOf(await newOrder(session, wish))).toMatchObject({ kind: 'refused', status: 404 });
    got(await newOrder(session, wish));
    expect(ca.asked.filter(({ path }) => path === '/dir')).toHaveLength(3);
  });
});

describe('the list of orders', () => {
  test('ends after a hundred pages', async () => {
    await using ca = await startScriptedCa(({ path }, nth) =>
      path.startsWith('/orders')
        ? { kind: 'reply', headers: { link: `<${path}x>;rel="next"` } }
        : nth > 1
          ? { kind: 'cut' }
          : undefined,
    );
    const session = ca.session();
    let pages = 0;
    for await (const page of listOrders(session)) pages += got(page).length;
    expect(pages).toBe(100);
  });

  test('is empty at a CA that has none, and ends with a problem', async () => {
    await using silent = await startScriptedCa(() => ({
      kind: 'reply',
      body: JSON.stringify({ status: 'valid', ...dir(silent) }),
    }));
    const session = silent.session();
    expect(await pagesOf(session)).toEqual([]);

    await using broken = await startScriptedCa(({ path }) => (path === '/orders' ? { kind: 'cut' } : undefined));
    const second = broken.session();
    expect(await pagesOf(second)).toMatchObject([{ ok: false, problem: { kind: 'network' } }]);
  });

  async function pagesOf(session: AcmeSession) {
    const pages = [];
    for await (const page of listOrders(session)) pages.push(page);
    return pages;
  }

  function dir({ origin }: ScriptedCa) {
    return { newNonce: `${origin}/nonce`, newAccount: `${origin}/new-account`, newOrder: `${origin}/new-order` };
  }
});

describe('a proxy', () => {
  test('carries all requests', async () => {
    await using ca = await startScriptedCa();
    await using proxy = await startProxy('open');
    const session = ca.session({ proxyUrl: proxy.url });
    got(await newOrder(session, wish));
    expect(new Set(proxy.tunnels)).toEqual(new Set([new URL(ca.origin).host]));
  });

  test('that refuses, or is not there, lets nothing out', async () => {
    await using ca = await startScriptedCa();
    await using proxy = await startProxy('closed');
    for (const proxyUrl of [proxy.url, `http://127.0.0.1:${await freePort()}`]) {
      const endpoint = ca.open({ proxyUrl });
      expect(problemOf(await endpoint.directory())).toMatchObject({ kind: 'network', sent: 'no' });
    }
    expect(ca.asked).toEqual([]);
  });
});

async function startProxy(door: 'open' | 'closed') {
  const tunnels: string[] = [];
  const server = createServer();
  server.on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    client.on('error', () => undefined);
    if (door === 'closed') {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
