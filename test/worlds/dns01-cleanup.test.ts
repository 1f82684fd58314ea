// The TXT records of DNS-01 outlive the cluster's own garbage collection: whatever ends an order, and whatever dies meanwhile, its records go, nothing
// hangs, and what cannot be removed is told. BIND is asked each time.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeEvent } from '../../src/api/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { orders } from '../../src/api/resources.ts';
import type { Controller } from '../rig/controller.ts';
import { startRelay } from '../rig/dns/relay.ts';
import { until } from '../rig/wait.ts';
import { makeTeam, type Team } from '../world/team.ts';
import {
  certificateFor,
  clusterIssuerWith,
  issuerWith,
  keepUp,
  orderOf,
  rfc2136,
  type Scene,
  startScene,
  swept,
  tsigSecret,
} from './dns01-scene.ts';

let scene: Scene;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  scene = await startScene();
  controller = await scene.start();
  team = await prepared('cleanup');
  await team.kubectl.apply([
    tsigSecret('certway-system', scene.key.secret),
    clusterIssuerWith(scene.world.acme, 'dns', [rfc2136(scene)]),
  ]);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

/** A namespace with an Issuer of its own. */
async function prepared(stem: string): Promise<Team> {
  const made = await makeTeam(scene.world, stem);
  await made.kubectl.apply([
    tsigSecret(made.namespace, scene.key.secret),
    issuerWith(made.namespace, scene.world.acme, 'dns', [rfc2136(scene)]),
  ]);
  await made.issuerSays('dns', 'True', /^ACMEAccountRegistered/);
  return made;
}

const challengeOf = (name: string) => `_acme-challenge.${name}.example.test`;

/** An order whose record stands, and that goes no further: the secondary of the zone lags. */
async function standing(of: Team, name: string, wish: { issuer?: string; kind?: 'ClusterIssuer' } = {}): Promise<void> {
  await of.kubectl.apply([certificateFor(of.namespace, { name, dnsNames: [`${name}.example.test`], ...wish })]);
  await until(`a record for ${name}`, async () => (await valuesOf(name)).length > 0);
  expect((await orderOf(of, name))?.metadata.finalizers).toContain('certway.dev/records');
}

const valuesOf = (name: string) => scene.bind.values(scene.bind.primary, challengeOf(name));

async function gone(of: Team, name: string): Promise<void> {
  await swept(scene.bind, challengeOf(name));
  await until('the Order to be gone', async () => (await orderOf(of, name)) === undefined, { deadlineMs: 30_000 });
}

const remove = (of: Team, what: string) => of.kubectl.run(['delete', what, '-n', of.namespace, '--wait=false']);

async function vanished(namespace: string, deadlineMs: number): Promise<void> {
  await until(
    `the namespace ${namespace} to be gone`,
    async () => {
      const found = await team.kubectl.get<{ items: { metadata: { name: string } }[] }>('namespaces');
      return found.items.every(({ metadata }) => metadata.name !== namespace);
    },
    { deadlineMs },
  );
}

async function toldAbout(namespace: string): Promise<readonly string[]> {
  const { items } = await team.kubectl.get<{ items: KubeEvent[] }>('events', '-n', 'default');
  const said = items.filter(({ involvedObject }) => involvedObject.name === namespace);
  return said.map(({ reason, message }) => `${reason}: ${message}`);
}

describe('a record goes', () => {
  it('when its Certificate is deleted while the order is under way', async () => {
    await standing(team, 'deleted');
    await remove(team, 'certificate/deleted');
    await gone(team, 'deleted');
  });

  it('when its Certificate is deleted while no controller runs, the last one having been killed', async () => {
    await standing(team, 'killed');
    await controller.kill('SIGKILL');
    await remove(team, 'certificate/killed');
    await until('the garbage collector to have come by', async () => {
      const order = await orderOf(team, 'killed');
      return order?.metadata.deletionTimestamp !== undefined;
    });
    expect(await valuesOf('killed')).toHaveLength(1);
    controller = await scene.start();
    await gone(team, 'killed');
  });

  it('when the controller is killed and another one finishes the order', async () => {
    await standing(team, 'resumed');
    await controller.kill('SIGKILL');
    controller = await scene.start();
    await using _ = keepUp(scene.bind);
    await team.ready('resumed');
    await swept(scene.bind, challengeOf('resumed'));
  });

  it('when somebody deletes the Order, and comes again with the next one', async () => {
    await standing(team, 'again');
    const first = await orderOf(team, 'again');
    await remove(team, `order/${first?.metadata.name}`);
    await until('another Order', async () => {
      const now = await orderOf(team, 'again');
      return now !== undefined && now.metadata.uid !== first?.metadata.uid;
    });
    await using _ = keepUp(scene.bind);
    await team.ready('again');
    await swept(scene.bind, challengeOf('again'));
  });

  it('when its Order is deleted by whoever uninstalls, and none follows where others issue', async () => {
    await standing(team, 'uninstalled');
    await controller[Symbol.asyncDispose]();
    controller = await scene.start(['--issuance=external']);
    await remove(team, `order/${(await orderOf(team, 'uninstalled'))?.metadata.name}`);
    await gone(team, 'uninstalled');
    await remove(team, 'certificate/uninstalled');
    await controller[Symbol.asyncDispose]();
    controller = await scene.start();
  });

  it('when the CA refuses the proof', async () => {
    // Pebble asks the world’s DNS; the controller finds the record at the zone's own servers.
    scene.world.dns.set(challengeOf('refused'), 'NXDOMAIN');
    await using _ = keepUp(scene.bind);
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'refused', dnsNames: ['refused.example.test'] })]);
    await team.says('refused', 'Issuing', /^Failed: /);
    await swept(scene.bind, challengeOf('refused'));
    await until('the Order to be let go', async () => {
      const order = await orderOf(team, 'refused');
      return order?.status?.state === 'invalid' && (order.metadata.finalizers ?? []).length === 0;
    });
    await remove(team, 'certificate/refused');
  });

  it.each([
    ['an Issuer, although its Secret goes too', undefined],
    ['a ClusterIssuer', 'ClusterIssuer' as const],
  ])('when the whole namespace is deleted, by %s', async (_, kind) => {
    const own = await prepared('leaving');
    const name = kind === undefined ? 'issuer' : 'cluster';
    await standing(own, name, kind === undefined ? {} : { kind });
    await own[Symbol.asyncDispose]();
    await vanished(own.namespace, 60_000);
    expect(await valuesOf(name)).toEqual([]);
  });
});

describe('a record that cannot be removed', () => {
  it('holds back no certificate: it is told, and removed when the provider is back', async () => {
    await using relay = await startRelay('127.0.0.4', undefined, scene.bind.primary);
    const solver = rfc2136({ ...scene, bind: { ...scene.bind, primary: `127.0.0.4:${relay.port}` } });
    await team.kubectl.apply([issuerWith(team.namespace, scene.world.acme, 'relayed', [solver])]);
    await standing(team, 'down', { issuer: 'relayed' });
    relay.silence('on');
    await scene.bind.catchUp('example.test');
    await team.ready('down');
    const order = await orderOf(team, 'down');
    expect(order?.status?.state).toBe('valid');
    await team.told(
      order?.metadata.name ?? '',
      /^CleanUpError: Cannot remove the TXT record .*down\.example\.test .* yet\. /,
    );
    expect(await valuesOf('down')).toHaveLength(1);
    relay.silence('off');
    await swept(scene.bind, challengeOf('down'), 30_000);
    await until('the Order to be let go', async () => (await orderOf(team, 'down'))?.metadata.finalizers === undefined);
  });

  it('does not keep the next request of its Certificate from another issuer', async () => {
    await using relay = await startRelay('127.0.0.4', undefined, scene.bind.primary);
    const solver = rfc2136({ ...scene, bind: { ...scene.bind, primary: `127.0.0.4:${relay.port}` } });
    await team.kubectl.apply([issuerWith(team.namespace, scene.world.acme, 'left', [solver])]);
    await standing(team, 'moved', { issuer: 'left' });
    relay.silence('on');
    await using _ = keepUp(scene.bind);
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'moved', dnsNames: ['elsewhere.example.test'] })]);
    await team.ready('moved');
    const all = (await team.all(orders)).filter(({ metadata }) => metadata.name.startsWith('moved-1-'));
    expect(all.map(({ metadata }) => metadata.deletionTimestamp !== undefined).toSorted()).toEqual([false, true]);
    relay.silence('off');
    await swept(scene.bind, challengeOf('moved'), 60_000);
  });

  it('for want of credentials is given up in a namespace that is being deleted, and told about the namespace', async () => {
    const own = await prepared('bereft');
    await standing(own, 'bereft');
    await controller.kill('SIGKILL');
    await own[Symbol.asyncDispose]();
    await until('the Secret to be gone', async () => {
      const { items } = await team.kubectl.get<{ items: KubeObject[] }>('secrets', '-n', own.namespace);
      return items.every(({ metadata }) => metadata.name !== 'tsig');
    });
    controller = await scene.start();
    await until('it to be told', async () =>
      (await toldAbout(own.namespace)).some((said) => /^CleanUpError: Cannot remove/.test(said)),
    );
    // Ten minutes are not over.
    await controller[Symbol.asyncDispose]();
    expect((await team.kubectl.run(['get', 'orders', '-n', own.namespace])).trim()).not.toBe('');
    controller = await scene.start(['--dns01-cleanup-patience=5s']);
    await vanished(own.namespace, 60_000);
    expect(await toldAbout(own.namespace)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^CleanUpError: Gave up removing the TXT record _acme-challenge\.bereft\.example\.test in zone example\.test \(value [\w-]{43}\); remove it by hand\. /,
        ),
      ]),
    );
    expect(await valuesOf('bereft')).toHaveLength(1);
  });
});

it('in the end no Order of the team is held any more', async () => {
  await until('all finalizers to be gone', async () => {
    const held = (await team.all(orders)).filter(({ metadata }) => (metadata.finalizers ?? []).length > 0);
    if (held.length === 0) return true;
    throw new Error(held.map(({ metadata }) => metadata.name).join());
  });
});
