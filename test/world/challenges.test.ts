// Challenge objects of HTTP-01 in the shared world: what they say while an order waits, when they go, and that a name that stays dead writes little.
// test/worlds/dns01-challenges.test.ts is about those of DNS-01.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Challenge } from '../../src/api/challenge.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Order } from '../../src/api/order.ts';
import { challenges, orders } from '../../src/api/resources.ts';
import { controllerUser, openAudit } from '../rig/audit.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;
const dead: string[] = [];

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'challenges');
  await team.kubectl.apply([
    acmeIssuer(team.namespace, world.acme),
    patient('patient', '20s'),
    gateway(team.namespace),
  ]);
});
afterEach(() => Promise.all(dead.splice(0).map((host) => world.dns.clear(host))));
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const hostOf = (name: string) => `${name}.${team.namespace}.example.com`;

/** An issuer that has the CA told after a delay: until then an order that is placed waits with its challenges. */
function patient(name: string, waitInsteadOfSelfCheck: string): KubeObject {
  const issuer = acmeIssuer(team.namespace, world.acme, name);
  const { acme } = Object(issuer).spec;
  return { ...issuer, ...{ spec: { acme: { ...acme, solvers: [{ ...acme.solvers[0], waitInsteadOfSelfCheck }] } } } };
}

const wanted = (name: string, issuer: string) =>
  listenerSet(team.namespace, { name, hostname: hostOf(name), annotations: { 'cert-manager.io/issuer': issuer } });

const challengesOf = async (name: string): Promise<readonly Challenge[]> =>
  (await team.all(challenges)).filter(({ metadata }) => metadata.name.startsWith(`${name}-tls-1-`));

const told = (name: string) =>
  until(`a Challenge of ${name} that says why`, async () =>
    (await challengesOf(name)).find(({ status }) => status?.reason !== undefined),
  );

const vanished = (name: string) =>
  until(`no Challenge of ${name}`, async () => (await challengesOf(name)).length === 0);

const orderOf = async (name: string): Promise<Order | undefined> =>
  (await team.all(orders)).find(({ metadata }) => metadata.name.startsWith(`${name}-tls-1-`));

describe('a Challenge', () => {
  it('says what an order that is placed waits for, and goes when the certificate comes', async () => {
    await team.kubectl.apply([wanted('slow', 'patient')]);
    const challenge = await told('slow');
    const order = await orderOf('slow');
    const [offered] = order?.status?.authorizations ?? [];
    const http = offered?.challenges?.find(({ type }) => type === 'http-01');
    expect(challenge).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Order', uid: order?.metadata.uid, controller: true }] },
      spec: {
        type: 'HTTP-01',
        dnsName: hostOf('slow'),
        wildcard: false,
        url: http?.url,
        token: http?.token,
        authorizationURL: offered?.url,
        key: expect.stringMatching(new RegExp(`^${http?.token}\\.[\\w-]{43}$`)),
        solver: { waitInsteadOfSelfCheck: '20s' },
      },
      status: { state: 'pending', presented: true, processing: true },
    });
    const table = await team.kubectl.run(['get', 'challenges', '-n', team.namespace]);
    expect(table).toMatch(
      /^NAME +STATE +DOMAIN +REASON +AGE\nslow-tls-1-\S+ +pending +slow\.\S+ +The issuer’s solver asks for a delay/,
    );
    await team.ready('slow-tls', 60_000);
    await vanished('slow');
  });

  it('goes with its Certificate', async () => {
    await team.kubectl.apply([wanted('left', 'patient')]);
    await told('left');
    await team.kubectl.run(['delete', 'listenerset/left', '-n', team.namespace]);
    await vanished('left');
  });

  it('goes when the CA refuses the proof', async () => {
    await team.kubectl.apply([patient('hasty', '8s'), wanted('refused', 'hasty')]);
    await told('refused');
    dead.push(hostOf('refused'));
    await world.dns.set(hostOf('refused'), 'NXDOMAIN');
    await team.says('refused-tls', 'Issuing', /^Failed: /);
    await vanished('refused');
  });

  it('is not made for a name that goes through at its first try', async () => {
    const audit = openAudit(world.auditLog);
    await audit.writes();
    await team.kubectl.apply([wanted('smooth', 'acme')]);
    await team.ready('smooth-tls');
    const writes = (await audit.writes()).filter(({ name }) => name.startsWith('smooth-tls'));
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.filter(({ resource }) => resource.startsWith('challenges'))).toEqual([]);
  });
});

describe('a name that stays dead', () => {
  it('has no order at the CA and no Challenge; its Order says why, and is written once for each further look', async () => {
    dead.push(hostOf('gone'));
    await world.dns.set(hostOf('gone'), 'NXDOMAIN');
    await team.kubectl.apply([wanted('gone', 'acme')]);
    await team.says('gone-tls', 'Issuing', /^SelfCheckFailed: .* resolves to no address \(NXDOMAIN/);
    const noted = async () => (await orderOf('gone'))?.metadata.annotations?.['certway.dev/state'] ?? '';
    const changed = (last: string) =>
      until('another look', async () => (await noted()) !== last && noted(), { deadlineMs: 60_000 });
    const first = await changed('');
    const audit = openAudit(world.auditLog);
    const before = (await audit.writes()).length;
    const second = await changed(first);
    await changed(second);
    const writes = (await audit.writes()).slice(before).filter(({ user, name, namespace }) => {
      return user === controllerUser && namespace === team.namespace && name.startsWith('gone');
    });
    expect(writes.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(['update orders', 'update orders']);
    expect((await orderOf('gone'))?.status?.url).toBeUndefined();
    expect(await challengesOf('gone')).toEqual([]);
  });
});
