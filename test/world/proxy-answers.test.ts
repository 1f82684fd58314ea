// What the fault proxy before Pebble does to answers, and what it remembers of them; Pebble's place is taken by a server that says one thing.

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { Agent, type Dispatcher, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type AcmeFault, rateLimited, startAcmeFault, unavailable } from '../rig/proxy/acme-fault.ts';
import { spoils } from '../rig/proxy/acme-spoils.ts';
import { makeIdentity } from '../rig/proxy/identity.ts';
import { type Passage, tooEarly } from '../rig/proxy/passage.ts';
import type { Verdict } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing[Symbol.asyncDispose]();
});

const order = '{"status":"pending","identifiers":[{"type":"dns","value":"a.example.com"}]}';
const pebble: RequestListener = (_, outgoing) =>
  outgoing
    .writeHead(201, { 'content-type': 'application/json', location: 'https://x/1', 'retry-after': '7' })
    .end(order);

async function proxied(verdict: Verdict): Promise<{ readonly ca: AcmeFault; ask(): Promise<Dispatcher.ResponseData> }> {
  const { caPem, certPem, keyPem } = await makeIdentity();
  const server = createServer({ cert: certPem, key: keyPem }, pebble);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const ca = await startAcmeFault({ directory: `https://127.0.0.1:${port}/dir`, caPem }, () => verdict);
  const dispatcher = new Agent({ connect: { ca: ca.caPem } });
  open.push({ [Symbol.asyncDispose]: async () => void server.close() }, ca);
  open.push({ [Symbol.asyncDispose]: () => dispatcher.destroy() });
  const wish = {
    identifiers: [
      { type: 'dns', value: 'b.example.com' },
      { type: 'dns', value: 'a.example.com' },
    ],
  };
  const body = JSON.stringify({ payload: Buffer.from(JSON.stringify(wish)).toString('base64url') });
  return { ca, ask: () => request(`${ca.proxy.origin}/order-plz`, { dispatcher, method: 'POST', body }) };
}

describe('the client cannot read', () => {
  it.each(spoils)('%s, and Pebble has acted', async (_, verdict) => {
    const { ca, ask } = await proxied(verdict);
    const readable = async () => {
      const { headers, statusCode, body } = await ask();
      const text = await body.text();
      return statusCode === 201 && headers['content-type'] === 'application/json' && text === order;
    };
    expect(await readable().catch(() => false)).toBe(false);
    expect(ca.proxy.passed).toMatchObject([{ edge: 'newOrder', name: 'a.example.com b.example.com', upstream: 201 }]);
  });

  it('what is withheld', async () => {
    const { ca, ask } = await proxied({ kind: 'withholdReply' });
    const asked = ask().catch(() => 'cut');
    await until('Pebble to have acted', () => ca.proxy.passed[0]?.upstream === 201);
    expect(ca.proxy.passed[0]?.status).toBeUndefined();
    await open.pop()?.[Symbol.asyncDispose]();
    expect(await asked).toBe('cut');
  });
});

describe('what it remembers', () => {
  it.each([
    ['seconds', rateLimited('new-orders-per-account', 36, Date.now())],
    ['a date', rateLimited('new-orders-per-account', 36, Date.now() - 5_000, 'date')],
    ['a date with 503', unavailable(36, Date.now() + 5_000, 'date')],
  ] as const)('is until when the client was told to stay away: %s', async (_, verdict) => {
    const { ca, ask } = await proxied(verdict);
    const before = Date.now();
    await (await ask()).body.dump();
    const [passage] = ca.proxy.passed;
    expect(passage?.upstream).toBeUndefined();
    const wait = (passage?.notBefore ?? 0) - before;
    expect(wait).toBeGreaterThanOrEqual(36_000);
    expect(wait).toBeLessThan(38_000);
  });

  it('is Pebble’s own wish too, and nothing where none was told', async () => {
    const forwarded = await proxied({ kind: 'forward' });
    await (await forwarded.ask()).body.dump();
    expect(forwarded.ca.proxy.passed[0]?.notBefore).toBeGreaterThan(Date.now() + 5_000);
    const silent = await proxied(rateLimited('new-orders-per-account', 36, Date.now(), 'unsaid'));
    expect((await silent.ask()).headers['retry-after']).toBeUndefined();
    expect(silent.ca.proxy.passed[0]?.notBefore).toBeUndefined();
  });

  it('shows who came too early, for the same thing only', () => {
    const passed: Passage[] = [
      { edge: 'newOrder', name: 'a', at: 1_000, notBefore: 5_000 },
      { edge: 'newOrder', name: 'b', at: 2_000 },
      { edge: 'newOrder', name: 'a', at: 4_990 },
      { edge: 'newOrder', name: 'a', at: 5_000 },
    ];
    expect(tooEarly(passed)).toEqual(['newOrder a came 10 ms before «newOrder» had allowed it']);
  });
});
