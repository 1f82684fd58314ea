// A Pebble, its DNS and an HTTP-01 responder of a test file's own: the shared world's challenge port belongs to the controller, and these
// tests want other nonces, roots and account rules than it does.

import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { type AcmeOptions, openAcme } from '../../src/acme/transport.ts';
import { buildParts } from '../rig/build.ts';
import { createAuthority } from '../rig/certificates.ts';
import { startDns } from '../rig/dns/server.ts';
import { get } from '../rig/https.ts';
import { startPart } from '../rig/part.ts';
import { freePort } from '../rig/ports.ts';
import { startTether } from '../rig/tether.ts';

export interface OwnCa extends AsyncDisposable {
  readonly directory: string;
  readonly caPem: string;
  /** Bodies by token, as the responder serves them. */
  readonly answers: Map<string, string>;
  /** Pebble's management API: what it tells and, with a body, what it is told. */
  readonly manage: (path: string, body?: object) => Promise<unknown>;
  readonly open: (options?: Partial<AcmeOptions>) => ReturnType<typeof openAcme>;
}

export interface OwnCaOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

const environment = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' };

export async function startOwnCa({ env = {}, config = {} }: OwnCaOptions = {}): Promise<OwnCa> {
  const { pebble } = await buildParts(() => undefined);
  const dir = await mkdtemp(join(tmpdir(), 'certway-acme-'));
  const tether = await startTether(dir);
  const authority = await createAuthority(dir);
  const { certificate, key } = await authority.server('pebble');
  const dns = await startDns();
  const responder = await startResponder();
  const { urls } = await startPart(tether, async () => {
    const port = await freePort();
    const managementPort = await freePort();
    const configFile = join(dir, `pebble-${port}.json`);
    const settings = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate,
      privateKey: key,
      httpPort: responder.port,
      tlsPort: await freePort(),
      keyAlgorithm: 'ecdsa',
      profiles: { default: { description: 'Ninety days', validityPeriod: 7_776_000 } },
      ...config,
    };
    await writeFile(configFile, JSON.stringify({ pebble: settings }));
    const url = `https://127.0.0.1:${port}/dir`;
    return {
      urls: { directory: url, management: `https://127.0.0.1:${managementPort}` },
      command: {
        argv: [pebble, '-strict', '-config', configFile, '-dnsserver', dns.address],
        env: { ...environment, ...env },
        logFile: join(dir, 'pebble.log'),
      },
      readiness: {
        name: 'Pebble',
        deadlineMs: 20_000,
        probe: async () => (await get(url, { caPem: authority.caPem })).status === 200,
      },
    };
  });
  const { caPem } = authority;
  const { directory, management } = urls;
  return {
    directory,
    manage: (path, body) => manage(`${management}${path}`, caPem, body),
    caPem,
    answers: responder.answers,
    open: (options = {}) => openAcme({ ...defaults, directoryUrl: directory, caBundle: caPem, ...options }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([tether, dns, responder].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

async function manage(url: string, ca: string, body?: object): Promise<unknown> {
  await using dispatcher = disposable(new Agent({ connect: { ca } }));
  const headers = { 'user-agent': 'certway-test' };
  const wanted = body === undefined ? { method: 'GET' } : { method: 'POST', body: JSON.stringify(body) };
  const reply = await request(url, { ...wanted, headers, dispatcher });
  const said = await reply.body.text();
  if (reply.statusCode !== 200) throw new Error(`Pebble's management answered ${reply.statusCode}: ${said}`);
  return body === undefined ? JSON.parse(said) : undefined;
}

function disposable(agent: Agent): Agent & AsyncDisposable {
  return Object.assign(agent, { [Symbol.asyncDispose]: () => agent.destroy() });
}

const defaults = { skipTlsVerify: false, userAgent: 'certway-test', maxInFlight: 8 } as const;

async function startResponder() {
  const answers = new Map<string, string>();
  const server = createServer((request, response) => {
    const body = answers.get(request.url?.split('/').at(-1) ?? '');
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the responder has no port');
  return {
    port: address.port,
    answers,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
