// Cloudflare's API as its documentation has it (v4: zones, dns_records, the envelope with success, errors and result), on loopback.

import { describe, expect, it } from 'vitest';
import type { CloudflareSolver } from '../../src/api/dns01-solver.ts';
import type { DnsProvider } from '../../src/dns/provider.ts';
import { type Asked, type LoopbackApi, startLoopbackApi, type Told } from './loopback-api.ts';
import { got, never, problemIn, providerWith, record } from './stage.ts';

const zoneId = '023e105f4ecef8ad9ca31a8372d0c353';
const token = 'YQSn-xWAQiiEh9qM58wZNnyQS7FUdoqGIUAbrh7T';
const byToken: CloudflareSolver = { apiTokenSecretRef: { name: 'cloudflare', key: 'token' } };

function success(result: unknown): Told {
  return { status: 200, body: JSON.stringify({ success: true, errors: [], messages: [], result }) };
}

function failure(status: number, code: number, message: string, rest: object = {}): Told {
  const errors = [{ code, message, ...rest }];
  return { status, body: JSON.stringify({ success: false, errors, messages: [], result: null }) };
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

/** One zone, example.com, with the records that requests make and delete. */
function zoneScript(rows: Row[]): (asked: Asked) => Told {
  return ({ method, path, body }) => {
    const url = new URL(path, 'http://api.invalid');
    const records = `/zones/${zoneId}/dns_records`;
    if (url.pathname === '/zones') {
      return success(url.searchParams.get('name') === 'example.com' ? [{ id: zoneId, name: 'example.com' }] : []);
    }
    if (method === 'POST' && url.pathname === records) {
      const { name, type, content } = JSON.parse(body);
      if (rows.some((row) => row.name === name && row.content === content)) {
        return failure(400, 81058, 'An identical record already exists.');
      }
      const row = { id: `record${rows.length + 1}`, name, type, content };
      rows.push(row);
      return success(row);
    }
    if (method === 'GET' && url.pathname === records) {
      return success(
        rows.filter((row) => row.name === url.searchParams.get('name') && row.type === url.searchParams.get('type')),
      );
    }
    const index = rows.findIndex((row) => url.pathname === `${records}/${row.id}`);
    if (method !== 'DELETE' || index === -1) return failure(404, 81044, 'Record does not exist.');
    const [gone] = rows.splice(index, 1);
    return success({ id: gone?.id });
  };
}

function providerAt(api: LoopbackApi, solver = byToken, secret = `${token}\n`): DnsProvider {
  return providerWith({ cloudflare: solver }, secret, { endpoints: { cloudflare: api.url } });
}

async function refusedBy(told: Told | undefined) {
  await using api = await startLoopbackApi(() => told);
  return problemIn(await providerAt(api).present(record('example.com', 'proof'), never));
}

describe('a value', () => {
  it('is one record of its own, made with two requests and deleted with one', async () => {
    const rows: Row[] = [];
    await using api = await startLoopbackApi(zoneScript(rows));
    const provider = providerAt(api);
    const proof = record('www.example.com', 'proof');
    const note = got(await provider.present(proof, never));
    expect(rows).toMatchObject([{ name: '_acme-challenge.www.example.com', type: 'TXT', content: '"proof"' }]);
    expect(note).toEqual({ zoneId, recordId: 'record1' });
    got(await provider.cleanUp(proof, note, never));
    expect(rows).toEqual([]);
    expect(api.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /zones?name=example.com',
      `POST /zones/${zoneId}/dns_records`,
      `DELETE /zones/${zoneId}/dns_records/record1`,
    ]);
    expect(JSON.parse(api.asked[1]?.body ?? '')).toMatchObject({ ttl: 60 });
    for (const { headers } of api.asked) {
      expect(headers).toMatchObject({ authorization: `Bearer ${token}`, 'user-agent': 'certway-test' });
    }
  });

  it('stands beside others at its name, which clean-up leaves, also without a note', async () => {
    const rows: Row[] = [];
    await using api = await startLoopbackApi(zoneScript(rows));
    const provider = providerAt(api);
    const [apex, wildcard] = [record('example.com', 'for-apex'), record('example.com', 'for-wildcard')];
    got(await provider.present(apex, never));
    got(await provider.present(wildcard, never));
    got(await provider.cleanUp(apex, undefined, never));
    expect(rows.map(({ content }) => content)).toEqual(['"for-wildcard"']);
  });

  it('that stands already, or is gone already, is as it should be', async () => {
    const rows: Row[] = [];
    await using api = await startLoopbackApi(zoneScript(rows));
    const provider = providerAt(api);
    const proof = record('example.com', 'proof');
    const note = got(await provider.present(proof, never));
    expect(got(await provider.present(proof, never))).toEqual({});
    got(await provider.cleanUp(proof, note, never));
    got(await provider.cleanUp(proof, note, never));
    got(await provider.cleanUp(proof, undefined, never));
    expect(rows).toEqual([]);
  });

  it('of a zone that DNS knows below the one of the account goes to that one', async () => {
    const rows: Row[] = [];
    await using api = await startLoopbackApi(zoneScript(rows));
    const proof = { ...record('a.lab.example.com', 'proof'), zone: 'lab.example.com.' };
    got(await providerAt(api).present(proof, never));
    expect(api.asked.map(({ path }) => path).slice(0, 2)).toEqual([
      '/zones?name=lab.example.com',
      '/zones?name=example.com',
    ]);
  });
});

describe('an API key', () => {
  it('goes with the address of its account', async () => {
    await using api = await startLoopbackApi(zoneScript([]));
    const solver = { email: 'ops@example.com', apiKeySecretRef: { name: 'cloudflare', key: 'key' } };
    got(
      await providerAt(api, solver, 'c2547eb745079dac9320b638f5e225cf483cc5cfdda41').present(
        record('example.com', 'x'),
        never,
      ),
    );
    expect(api.asked[0]?.headers).toMatchObject({
      'x-auth-email': 'ops@example.com',
      'x-auth-key': 'c2547eb745079dac9320b638f5e225cf483cc5cfdda41',
    });
  });
});

describe('Cloudflare refuses', () => {
  it('a token that it does not know, and the Secret is named', async () => {
    expect(await refusedBy(failure(403, 9109, 'Invalid access token'))).toEqual({
      kind: 'refused',
      message:
        'Cloudflare refuses the credentials from Secret cloudflare, key token: Invalid access token (9109); a token needs Zone:Read and DNS:Edit for the zone.',
    });
  });

  it('a token that is none, with the reason from its error chain', async () => {
    const chain = { error_chain: [{ code: 6111, message: 'Invalid format for Authorization header' }] };
    const problem = await refusedBy(failure(400, 6003, 'Invalid request headers', chain));
    expect(problem.kind).toBe('refused');
    expect(problem.message).toContain('Invalid request headers: Invalid format for Authorization header (6003)');
  });

  it('a token without rights', async () => {
    expect(await refusedBy(failure(403, 10000, 'Authentication error'))).toMatchObject({ kind: 'refused' });
  });

  it('too many requests, until Retry-After', async () => {
    const before = Date.now();
    const told = { ...failure(429, 10013, 'Rate limited'), headers: { 'retry-after': '120' } };
    const problem = await refusedBy(told);
    expect(problem.kind).toBe('rateLimited');
    const at = problem.kind === 'rateLimited' ? problem.retryAt : 0;
    expect(at - before).toBeGreaterThanOrEqual(120_000);
    expect(at - before).toBeLessThan(150_000);
  });

  it('a zone that the credentials do not see', async () => {
    expect(await refusedBy(success([]))).toEqual({
      kind: 'refused',
      message: expect.stringMatching(
        /^The Cloudflare credentials from Secret cloudflare, key token see no zone example\.com/,
      ),
    });
  });
});

describe('Cloudflare fails', () => {
  it.each([
    ['an outage', { status: 502, body: '<html>Bad gateway</html>' }],
    ['an error of its own', failure(500, 10001, 'Internal error')],
    ['a success that is no JSON', { status: 200, body: 'ok' }],
    ['zones that are none', success('none')],
  ])('with %s: tried again', async (_, told) => {
    expect(await refusedBy(told)).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/^Cloudflare.*\.$/),
    });
  });

  it('by cutting the connection: tried again', async () => {
    expect(await refusedBy(undefined)).toMatchObject({ kind: 'network' });
  });

  it('with an answer without end', async () => {
    const huge = { status: 200, body: `"${'x'.repeat(2 * 1024 * 1024)}"` };
    expect(await refusedBy(huge)).toEqual({
      kind: 'unavailable',
      message: expect.stringContaining('larger than 1 MiB'),
    });
  });

  it('never with the token in what we say', async () => {
    const echo = await refusedBy(failure(400, 1004, `Validation failed\r\nRay ID: 8a9b-FRA`));
    expect(echo.message).toBe('Cloudflare does not do what it is asked: Validation failed (1004).');
    expect(echo.message).not.toContain(token);
  });
});
