// A cluster on its way from XListenerSet to ListenerSet, in a world of its own: Certificates and Secrets are handed over, whenever the old
// kind goes; kinds that are missing are waited for, and work when they come, without a restart.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import {
  clusterIssued,
  door,
  eventually,
  gone,
  openIssuer,
  put,
  remove,
  requestUids,
  resourceOf,
  type SetKind,
  setOf,
  wanted,
} from '../world/listener-scene.ts';
import { httpsListener, makeTeam, type Team } from '../world/team.ts';

const x = 'xlistenersets.gateway.networking.x-k8s.io';
const group = 'gateway.networking.k8s.io';
const gatewayApi = ['gatewayclasses', 'gateways', 'listenersets', 'httproutes', 'referencegrants'].map(
  (plural) => `${plural}.${group}`,
);
const slow = { deadlineMs: 90_000 };

let world: World;
let controller: Controller;
let team: Team;
let self: Awaited<ReturnType<typeof openIssuer>>;
/** As they were installed, to be installed again. */
const crds = new Map<string, KubeObject>();

beforeAll(async () => {
  world = await startWorld();
  controller = await startController(world);
  self = await openIssuer(world);
  team = await makeTeam(world, 'move');
  for (const name of [x, ...gatewayApi]) {
    const { apiVersion, kind, metadata, ...rest } = await team.kubectl.get<KubeObject & { spec: object }>('crd', name);
    const { annotations = {}, labels = {} } = metadata;
    crds.set(name, { apiVersion, kind, metadata: { name, annotations, labels }, ...{ spec: rest.spec } });
  }
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const hostOf = (name: string) => `${name}.${team.namespace}.example.com`;

function set(kind: SetKind, name: string): KubeObject {
  const listener = httpsListener('web', hostOf(name), { name: `${name}-tls` });
  return setOf(team.namespace, { kind, name, annotations: clusterIssued(self.name) }, [listener]);
}

async function install(...names: readonly string[]): Promise<void> {
  const objects = names.flatMap((name) => crds.get(name) ?? []);
  await team.kubectl.apply(objects, '--server-side', '--force-conflicts');
  await team.kubectl.run(['wait', '--for=condition=Established', 'crd', ...names, '--timeout=60s']);
}

async function uninstall(...names: readonly string[]): Promise<void> {
  await team.kubectl.run(['delete', 'crd', ...names]);
}

/** What tells whether something was issued, or merely kept. */
async function traces(name: string) {
  const [certificate, secret] = [await team.certificate(name), await team.secret(name)];
  return {
    certificate: certificate?.metadata.uid,
    revision: certificate?.status?.revision,
    secret: secret?.metadata.uid,
    pair: secret?.data,
    requests: await requestUids(team, name),
  };
}

async function watchState(kind: string): Promise<string | undefined> {
  const page = await (await fetch(controller.metricsUrl)).text();
  return page.match(new RegExp(`certway_watch_state\\{kind="${kind}",state="([a-z]+)"\\} 1`))?.[1];
}

async function missed(kind: string): Promise<number> {
  const lines = (await readFile(controller.logFile, 'utf8')).split('\n');
  return lines.filter((line) => line.includes('kind is not served') && line.includes(`"kind":"${kind}"`)).length;
}

describe('the move from XListenerSet to ListenerSet', () => {
  beforeAll(async () => {
    await put(team, [door(team.namespace, 'parent', { allowed: { from: 'Same' } })]);
    await put(
      team,
      ['both', 'first', 'late'].map((name) => set('XListenerSet', name)),
    );
    for (const name of ['both', 'first', 'late']) await team.ready(`${name}-tls`, eventually.deadlineMs);
  });

  it('hands Certificates over by name in one write, issues nothing, and is told by nobody as a conflict', async () => {
    const before = [await traces('both-tls'), await traces('first-tls')];
    await put(team, [set('ListenerSet', 'both'), set('ListenerSet', 'first')]);
    for (const name of ['both', 'first']) {
      await wanted(team, `${name}-tls`, {
        metadata: {
          ownerReferences: [
            { apiVersion: `${group}/v1`, kind: 'ListenerSet', name, controller: true, blockOwnerDeletion: true },
          ],
          annotations: { 'acme.cert-manager.io/http01-parentrefkind': 'ListenerSet' },
        },
      });
    }
    await remove(team, resourceOf.XListenerSet, 'first');
    // Later on the same Gateway: by then the deletion has been looked at.
    await put(team, [set('ListenerSet', 'marker')]);
    await team.ready('marker-tls', eventually.deadlineMs);
    expect([await traces('both-tls'), await traces('first-tls')]).toEqual(before);
    const said = [...(await team.events('both')), ...(await team.events('first'))];
    expect(said.filter(({ type }) => type === 'Warning')).toEqual([]);
  });

  it('outlives the CRD of the old kind: what was moved loses nothing, what was not keeps its Secret', async () => {
    const before = await traces('both-tls');
    const late = await traces('late-tls');
    await uninstall(x);
    await until(
      'Certificate late-tls to be collected',
      async () => (await team.certificate('late-tls')) === undefined,
      slow,
    );
    await until('the watch to know', async () => (await watchState('XListenerSet')) === 'absent', slow);
    expect(await missed('XListenerSet')).toBe(1);
    expect(await traces('both-tls')).toEqual(before);
    expect((await team.secret('late-tls'))?.metadata.uid).toBe(late.secret);

    await put(team, [set('ListenerSet', 'late')]);
    await team.ready('late-tls', eventually.deadlineMs);
    const adopted = await traces('late-tls');
    expect(adopted).toMatchObject({ secret: late.secret, pair: late.pair, requests: [] });
  });

  it('can be begun again: the kind comes back and is served at once', async () => {
    await install(x);
    await put(team, [set('XListenerSet', 'again')]);
    await team.ready('again-tls', slow.deadlineMs);
    expect(await watchState('XListenerSet')).toBe('watching');
    await remove(team, x, 'again');
    await gone(team, 'again-tls');
  });
});

describe('a cluster without the Gateway API', () => {
  beforeEach(async () => {
    await controller[Symbol.asyncDispose]();
    await uninstall(x, ...gatewayApi);
    controller = await startController(world);
  });

  it('is told of each missing kind in one line, and served as soon as they come', async () => {
    const kinds = ['GatewayClass', 'Gateway', 'ListenerSet', 'XListenerSet', 'HTTPRoute', 'ReferenceGrant'];
    for (const kind of kinds) {
      expect([kind, await missed(kind), await watchState(kind)]).toEqual([kind, 1, 'absent']);
    }
    await install(x, ...gatewayApi);
    await put(team, [door(team.namespace, 'parent', { allowed: { from: 'Same' } })]);
    await put(team, [set('ListenerSet', 'new'), set('XListenerSet', 'new-x')]);
    await team.ready('new-tls', slow.deadlineMs);
    await team.ready('new-x-tls', slow.deadlineMs);
    for (const kind of kinds) {
      await until(`${kind} to be watched`, async () => (await watchState(kind)) === 'watching', slow);
      expect([kind, await missed(kind)]).toEqual([kind, 1]);
    }
    expect((await fetch(`${controller.healthUrl}/readyz`)).status).toBe(200);
  });
});
