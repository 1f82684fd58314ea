// Addresses to listen on, health, metrics, and how servers end.

import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/report/metrics.ts';
import { startHealth } from '../../src/serve/health.ts';
import { listen, parseListen } from '../../src/serve/listen.ts';
import { startMetrics } from '../../src/serve/metrics.ts';

describe('an address to listen on', () => {
  test.each<[string, object | undefined]>([
    ['127.0.0.1:8089', { host: '127.0.0.1', port: 8089 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::]:8089', { host: '::', port: 8089 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':8089', { port: 8089 }],
    ['8089', undefined],
    ['::1:8089', undefined],
    ['host:', undefined],
    ['host:65536', undefined],
    ['[host]:1', undefined],
    ['', undefined],
  ])('%j is %j', (text, address) => {
    const parsed = parseListen(text);
    expect(parsed.ok ? parsed.value : undefined).toEqual(address);
  });

  test.each(['127.0.0.1:0', ':0'])('%s is reported with the port that the system chose', async (address) => {
    await using server = await listen(address, (_, response) => response.end('hello'));
    expect(server.address).toMatch(new RegExp(`:${server.port}$`));
    expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe('hello');
  });

  test('that is taken or malformed is an error that names it', async () => {
    await using server = await listen('127.0.0.1:0', (_, response) => response.end());
    await expect(listen(server.address, () => undefined)).rejects.toThrow(`cannot listen on ${server.address}`);
    await expect(listen('nonsense', () => undefined)).rejects.toThrow('must be host:port');
  });
});

test('closing lets the request under way end, and ends idle connections at once', async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<() => void>();
  const server = await listen('127.0.0.1:0', (_, response) => arrive(() => response.end('done')));
  const idle = connect(server.port, '127.0.0.1');
  await once(idle, 'connect');
  const answer = fetch(`http://127.0.0.1:${server.port}/`);
  const finish = await arrived;
  const closed = server.close();
  finish();
  expect(await (await answer).text()).toBe('done');
  const since = performance.now();
  await closed;
  expect(performance.now() - since).toBeLessThan(2000);
  await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
  await server.close();
});

describe('health', () => {
  test('is ok without reasons, and says each reason otherwise', async () => {
    const reasons = { livez: [] as string[], readyz: ['the cache of Gateways is empty', 'no listener'] };
    await using server = await startHealth({
      listen: '127.0.0.1:0',
      livez: () => reasons.livez,
      readyz: () => reasons.readyz,
    });
    const get = async (path: string) => {
      const response = await fetch(`http://${server.address}${path}`);
      return [response.status, await response.text()];
    };
    expect(await get('/livez')).toEqual([200, 'ok\n']);
    expect(await get('/readyz')).toEqual([503, 'the cache of Gateways is empty\nno listener\n']);
    reasons.livez.push('the leader has made no progress for 90 s');
    expect(await get('/livez?verbose')).toEqual([503, 'the leader has made no progress for 90 s\n']);
    expect(await get('/')).toEqual([404, 'not found\n']);
  });

  test('notices an event loop that is late all the time', async () => {
    await using server = await startHealth({
      listen: '127.0.0.1:0',
      livez: () => [],
      readyz: () => [],
      mostLagMs: 50,
    });
    const until = performance.now() + 30_000;
    let status = 200;
    const blocking = setInterval(() => {
      for (const end = performance.now() + 150; performance.now() < end; );
    }, 1);
    while (status === 200 && performance.now() < until) status = (await fetch(`http://${server.address}/livez`)).status;
    clearInterval(blocking);
    expect(status).toBe(503);
  });
});

test('metrics are served as Prometheus reads them', async () => {
  const metrics = createMetrics();
  metrics.challengeAnswer(404);
  await using server = await startMetrics({ listen: '127.0.0.1:0', registry: metrics.registry });
  const response = await fetch(`http://${server.address}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(await response.text()).toContain('certway_http01_answers_total{status="404"} 1');
  expect((await fetch(`http://${server.address}/other`)).status).toBe(404);
});
