// kill -9 behind each request of an issuance that leaves a mark, then a new process: one usable order, no key lost, no route left, nothing stuck.
// Dying before a request and after the one before it leave the same world, so «after» each covers every edge.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listOrders, readOrder } from '../../src/acme/order.ts';
import type { AcmeSession } from '../../src/acme/session.ts';
import { openAcme } from '../../src/acme/transport.ts';
import type { Issuer } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { type ApiFault, kubeconfigThrough, startApiFault } from '../rig/proxy/api-fault.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';

const flags = [
  '--leader-election-lease-duration=1500ms',
  '--leader-election-renew-deadline=1s',
  '--leader-election-retry-period=200ms',
];

let world: World;
let api: ApiFault;
let ca: AcmeFault;
let kubeconfig: string;
/** The survivor of each test is the victim of the next. */
let controller: Controller;

beforeAll(async () => {
  world = await startWorld();
  api = await startApiFault(world);
  ca = await startAcmeFault(world.acme);
  kubeconfig = await kubeconfigThrough(api, await world.controllerKubeconfig(), `${world.dir}/through.kubeconfig`);
  controller = await startController(world, { kubeconfig, flags });
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Edge {
  readonly edge: string;
  readonly name?: RegExp;
  readonly nth?: number;
  readonly readyWithinMs?: number;
}

const startup: readonly Edge[] = [
  { edge: 'create certificates', name: /^web-tls$/ },
  { edge: 'create events', name: /^web\./ },
];
const local: readonly Edge[] = [
  ...startup,
  { edge: 'create certificaterequests', name: /^web-tls/ },
  { edge: 'apply secrets', name: /^web-tls$/ },
  { edge: 'update certificaterequests/status', name: /^web-tls/ },
  { edge: 'update certificates/status', name: /^web-tls$/ },
];
const acme: readonly Edge[] = [
  ...startup,
  { edge: 'create secrets', name: /^web-tls-1-key$/ },
  { edge: 'create certificaterequests' },
  { edge: 'create orders' },
  { edge: 'newOrder' },
  { edge: 'update orders/status', nth: 1 },
  { edge: 'create httproutes' },
  // With one replica the CA may find nobody to ask: that costs the order, and the next attempt comes after a minute.
  { edge: 'challenge', readyWithinMs: 100_000 },
  { edge: 'finalize' },
  { edge: 'read cert' },
  { edge: 'apply secrets', name: /^web-tls$/ },
  { edge: 'delete httproutes' },
  { edge: 'update orders/status', nth: 2 },
  { edge: 'update certificaterequests/status' },
  { edge: 'update certificates/status', name: /^web-tls$/ },
  { edge: 'delete secrets' },
];

/** The controller is killed at the edge, and a second one finishes what it began. */
async function survive(team: Team, edge: Edge, objects: readonly KubeObject[]): Promise<void> {
  let killed = 0;
  const hook = async () => {
    killed += 1;
    await controller.kill('SIGKILL');
  };
  const { readyWithinMs: _, ...match } = edge;
  const kill = at({ nth: 1, ...match }, { kind: 'killAfter', hook });
  api.follow((request) => (request.namespace === team.namespace ? kill(request) : forward));
  ca.proxy.follow(kill);
  try {
    await team.kubectl.apply(objects);
    await until(`the controller to be killed behind ${edge.edge}`, () => killed > 0, { deadlineMs: 20_000 });
    await controller.exited;
  } finally {
    api.follow(() => forward);
    ca.proxy.follow(() => forward);
  }
  controller = await startController(world, { kubeconfig, flags });
  await team.ready('web-tls', edge.readyWithinMs ?? 40_000);
  await until('nothing of the issuance to be left', async () => {
    const keys = (await team.list<Secret>('secrets')).filter((each) => each.metadata.name.endsWith('-key'));
    const routes = await team.list('httproutes.gateway.networking.k8s.io');
    return keys.length === 0 && routes.length === 0;
  });
}

async function expectGoodPair(team: Team, host: string): Promise<void> {
  const secret = (await team.list<Secret>('secrets')).find((each) => each.metadata.name === 'web-tls');
  const read = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  const leaf = new X509Certificate(read('tls.crt'));
  expect(leaf.checkHost(host)).toBe(host);
  expect(leaf.checkPrivateKey(createPrivateKey(read('tls.key')))).toBe(true);
  const requests = await team.list<KubeObject>('certificaterequests.cert-manager.io');
  expect(requests.filter((each) => each.metadata.name.startsWith('web-tls'))).toHaveLength(1);
  const certificate = await team.certificate('web-tls');
  expect(certificate?.status?.revision).toBe(1);
  expect(certificate?.status?.failedIssuanceAttempts ?? 0).toBe(0);
}

/** The account's orders at Pebble, read with the account's own key, that are or may become a certificate for the host. */
async function usableOrders(team: Team, host: string): Promise<readonly string[]> {
  const [issuer] = await team.list<Issuer>('issuers.cert-manager.io');
  const secrets = await team.list<Secret>('secrets');
  const stored = secrets.find((each) => each.metadata.name === 'acme-account')?.data?.['tls.key'] ?? '';
  await using endpoint = openAcme({
    directoryUrl: ca.directory,
    caBundle: ca.caPem,
    skipTlsVerify: false,
    userAgent: 'certway-test',
    maxInFlight: 4,
  });
  const key = createPrivateKey(Buffer.from(stored, 'base64'));
  const session: AcmeSession = { endpoint, key, accountUrl: issuer?.status?.acme?.uri ?? '' };
  const usable: string[] = [];
  for await (const page of listOrders(session)) {
    if (!page.ok) throw new Error(page.problem.detail);
    for (const url of page.value) {
      const order = await readOrder(session, url);
      if (!order.ok) throw new Error(order.problem.detail);
      const { identifiers, status } = order.value.resource;
      if (status !== 'invalid' && identifiers.some(({ value }) => value === host)) usable.push(status);
    }
  }
  return usable;
}

const label = ({ edge, name, nth }: Edge) =>
  `${edge}${name === undefined ? '' : ` ${name}`}${nth === undefined ? '' : ` #${nth}`}`;

describe('a controller killed during an issuance by a CA issuer', () => {
  it.each(local.map((edge) => [label(edge), edge] as const))('behind «%s»', async (_, edge) => {
    await using team = await makeTeam(world, 'crash-ca');
    await withIssuer(team, caIssuer(team.namespace));
    const host = `${team.namespace}.example.com`;
    const set = listenerSet(team.namespace, {
      name: 'web',
      hostname: host,
      annotations: { 'cert-manager.io/issuer': 'ca' },
    });
    await survive(team, edge, [gateway(team.namespace), set]);
    await expectGoodPair(team, host);
  });
});

describe('a controller killed during an issuance by ACME', () => {
  it.each(acme.map((edge) => [label(edge), edge] as const))(
    'behind «%s»',
    async (_, edge) => {
      await using team = await makeTeam(world, 'crash-acme');
      await withIssuer(team, [acmeIssuer(team.namespace, ca)]);
      const host = `${createHash('sha1').update(team.namespace).digest('hex').slice(0, 12)}.example.com`;
      const set = listenerSet(team.namespace, {
        name: 'web',
        hostname: host,
        annotations: { 'cert-manager.io/issuer': 'acme' },
      });
      await survive(team, edge, [gateway(team.namespace), set]);
      await expectGoodPair(team, host);
      expect(await usableOrders(team, host)).toEqual(['valid']);
    },
    160_000,
  );
});

/** The issuer first, so that the edges counted are the issuance's own. */
async function withIssuer(team: Team, objects: readonly KubeObject[]): Promise<void> {
  await team.kubectl.apply(objects);
  await until('the issuer to be ready', async () => {
    const issuers = await team.list<Issuer>('issuers.cert-manager.io');
    return issuers.length > 0 && issuers.every((each) => each.status?.conditions?.[0]?.status === 'True');
  });
  await until('its Certificates to be settled', async () => {
    const found = await team.list<KubeObject & { status?: { revision?: number } }>('certificates.cert-manager.io');
    return found.every((each) => each.status?.revision === 1);
  });
}
