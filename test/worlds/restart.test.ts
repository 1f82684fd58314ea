// A controller that ends and starts again, alone in a world of its own: it asks nobody for what stands, sits still, puts right what others
// broke, and hands over at once. Its followers answer challenges meanwhile.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { orders, secrets } from '../../src/api/resources.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { privateMatter, whatLeaks } from '../world/leaks.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';
import { openTrail, sentences, type Trail } from '../world/trail.ts';

const hasty = [
  '--leader-election-lease-duration=1500ms',
  '--leader-election-renew-deadline=1s',
  '--leader-election-retry-period=200ms',
  '--log-level=debug',
];

let world: World;
let ca: AcmeFault;
let team: Team;
let controller: Controller;
const logs: string[] = [];

async function start(flags: readonly string[] = hasty): Promise<Controller> {
  const started = await startController(world, { flags });
  logs.push(started.logFile);
  return started;
}

const byCa = ['a', 'b', 'c', 'd'];
const byAcme = ['x', 'y'];
const all = [...byCa, ...byAcme];
const host = (name: string) => `${name}.${team.namespace}.example.com`;

function set(of: Team, name: string, issuer: string): KubeObject {
  const annotations = { 'cert-manager.io/issuer': issuer, 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  return listenerSet(of.namespace, { name, hostname: `${name}.${of.namespace}.example.com`, annotations });
}

/** The last thing that an issuance by ACME does is to delete the Secret that kept its key. */
async function tidied(): Promise<void> {
  await until('the issuances to be tidied up', async () => {
    const names = (await team.all(secrets)).map(({ metadata }) => metadata.name);
    return names.every((name) => !name.endsWith('-key'));
  });
}

beforeAll(async () => {
  world = await startWorld();
  ca = await startAcmeFault(world.acme);
  controller = await start();
  team = await makeTeam(world, 'restart');
  const { namespace } = team;
  await team.kubectl.apply([...caIssuer(namespace), acmeIssuer(namespace, ca), gateway(namespace)]);
  await team.kubectl.apply([
    ...byCa.map((name) => set(team, name, 'ca')),
    ...byAcme.map((name) => set(team, name, 'acme')),
  ]);
  await Promise.all(all.map((name) => team.ready(`${name}-tls`, 60_000)));
  await tidied();
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

async function writes(trail: Trail): Promise<readonly string[]> {
  const asked = await trail.requests();
  return sentences(asked.filter(({ verb, resource }) => writing.has(verb) && resource !== 'leases'));
}

/** Resolves when the new process has looked at every Secret and has no key left to look at. */
async function looked(trail: Trail, by: Controller): Promise<void> {
  await until(
    'the new controller to have looked at every Certificate',
    async () => {
      const read = new Set((await trail.requests()).filter(({ verb }) => verb === 'get').map(({ name }) => name));
      const missing = all.map((name) => `${name}-tls`).filter((name) => !read.has(name));
      if (missing.length > 0) throw new Error(`not yet ${missing}`);
      const metrics = await (await fetch(by.metricsUrl)).text();
      const depths = [...metrics.matchAll(/^certway_queue_depth\{.*\} (\d+)$/gm)].map(([, depth]) => Number(depth));
      return depths.length > 0 && depths.every((depth) => depth === 0);
    },
    { deadlineMs: 30_000 },
  );
}

describe('after a restart', () => {
  it.each(['SIGTERM', 'SIGKILL', 'SIGTERM'] as const)(
    'by %s nothing is written and the CA is asked nothing',
    async (signal) => {
      await controller.kill(signal);
      const trail = await openTrail(world.auditLog);
      const passed = ca.proxy.passed.length;
      controller = await start();
      await looked(trail, controller);
      expect(await writes(trail)).toEqual([]);
      expect(ca.proxy.passed.slice(passed)).toEqual([]);
    },
  );

  it('the one account is still the one that was registered first', async () => {
    await team.kubectl.apply([set(team, 'z', 'acme')]);
    await team.ready('z-tls');
    // Pebble refuses some nonces, and is then asked once more.
    const asked = ca.proxy.passed.filter(({ edge, upstream }) => edge === 'newAccount' && upstream !== 400);
    expect(asked.map(({ upstream }) => upstream)).toEqual([201]);
  });
});

describe('at rest', () => {
  it('nothing is asked but for the lease', async () => {
    const renewals = async (trail: Trail) =>
      (await trail.requests()).filter(({ verb, resource }) => verb === 'update' && resource === 'leases').length;
    await tidied();
    const settled = await openTrail(world.auditLog);
    await until('the last writes to have come back by the watches', async () => (await renewals(settled)) >= 2);
    const trail = await openTrail(world.auditLog);
    await until('many renewals of the lease', async () => (await renewals(trail)) >= 15, { deadlineMs: 30_000 });
    const others = (await trail.requests()).filter(({ resource, verb }) => resource !== 'leases' && verb !== 'watch');
    expect(sentences(others)).toEqual([]);
  });
});

describe('what somebody breaks', () => {
  const crt = async (name: string) => (await team.secret(`${name}-tls`))?.data?.['tls.crt'];
  const patch = (what: string, change: object) =>
    team.kubectl.run(['patch', what, '-n', team.namespace, '--type=merge', '-p', JSON.stringify(change)]);

  it('is made again: a deleted Secret', async () => {
    const before = await crt('a');
    await team.kubectl.run(['delete', 'secret/a-tls', '-n', team.namespace]);
    await until('a new certificate', async () => (await crt('a')) !== undefined && (await crt('a')) !== before);
    await until('the next revision', async () => (await team.ready('a-tls')).status?.revision === 2);
  });

  it('is made again: an edited tls.crt', async () => {
    const [before, strange] = [await crt('b'), await crt('c')];
    await patch('secret/b-tls', { data: { 'tls.crt': strange } });
    await until('a new certificate', async () => ![before, strange].includes(await crt('b')));
    const leaf = new X509Certificate(Buffer.from((await crt('b')) ?? '', 'base64'));
    expect(leaf.checkHost(host('b'))).toBe(host('b'));
  });

  it("is put right: a listener's Certificate, edited by hand", async () => {
    const before = await crt('d');
    await patch('certificate/d-tls', { spec: { dnsNames: ['elsewhere.example.com'] } });
    await until('its names to be right', async () => {
      const { spec } = (await team.certificate('d-tls')) ?? {};
      return spec?.dnsNames?.length === 1 && spec.dnsNames[0] === host('d');
    });
    await team.told('d', /^UpdateCertificate: Certificate "d-tls" updated: dnsNames/);
    await team.ready('d-tls');
    const leaf = new X509Certificate(Buffer.from((await crt('d')) ?? before ?? '', 'base64'));
    expect(leaf.checkHost(host('d'))).toBe(host('d'));
  });
});

function challenge(by: Controller, hostname: string, token: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const url = `${by.solverUrl}/.well-known/acme-challenge/${token}`;
    get(url, { headers: { host: hostname }, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    }).on('error', reject);
  });
}

describe('two replicas', () => {
  it('both answer a pending challenge; the second takes over within five seconds of a SIGTERM', async () => {
    // The default lease of 15 s: only its release makes this quick.
    await controller[Symbol.asyncDispose]();
    controller = await start(['--log-level=debug']);
    const follower = await start(['--log-level=debug', '--acme-http01-listen-address=127.0.0.1:0']);
    const released = Promise.withResolvers<void>();
    ca.proxy.follow(async ({ edge }) => {
      if (edge === 'challenge') await released.promise;
      return forward;
    });
    try {
      await team.kubectl.apply([set(team, 'held', 'acme')]);
      const token = await until('the token in the Order', async () => {
        const order = (await team.all(orders)).find(({ metadata }) => metadata.name.startsWith('held-tls'));
        const offered = order?.status?.authorizations?.flatMap((each) => each.challenges ?? []);
        return offered?.find(({ type }) => type === 'http-01')?.token;
      });
      const [first, second] = [
        await challenge(controller, host('held'), token),
        await challenge(follower, host('held'), token),
      ];
      expect(first.status).toBe(200);
      expect(first.body.startsWith(`${token}.`)).toBe(true);
      expect(second).toEqual(first);
      expect((await challenge(follower, host('a'), token)).status).toBe(404);
      released.resolve();
      await team.ready('held-tls');
      const asked = performance.now();
      await controller.kill('SIGTERM');
      await team.kubectl.apply([set(team, 'handed', 'ca')]);
      await team.ready('handed-tls');
      expect(performance.now() - asked).toBeLessThan(5_000);
    } finally {
      released.resolve();
      await follower[Symbol.asyncDispose]();
    }
  });
});

it('in all this, debug logs included, no controller has told a private key', async () => {
  const printed = await Promise.all(logs.map((file) => readFile(file, 'utf8')));
  expect(await whatLeaks(team, await privateMatter(team), printed)).toEqual([]);
});
