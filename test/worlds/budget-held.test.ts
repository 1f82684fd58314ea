// What the CA says of its limits beyond the ones that are known: who shares what it holds waits without asking it, and a pause waits for a person.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../src/api/core.ts';
import { annotations, labels } from '../../src/api/names.ts';
import { orders } from '../../src/api/resources.ts';
import { nameFor } from '../../src/apply/budget-checkpoints.ts';
import { writeCheckpoint } from '../../src/budget/checkpoint.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { paused, rateLimited, startAcmeFault, unavailable } from '../rig/proxy/acme-fault.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';
import { leaseFlags } from './budget-scene.ts';
import { type Customer, customer, pebbleEnv } from './faults-scene.ts';

let world: World;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  world = await startWorld({ pebbleEnv });
  controller = await startController(world, { flags: leaseFlags });
  team = await makeTeam(world, 'held');
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function annotate(issuer: string, name: string, value: string): Promise<void> {
  await team.kubectl.run(['annotate', 'issuer', issuer, '-n', team.namespace, `${name}=${value}`, '--overwrite']);
}

/** Two listeners cannot have one hostname, two Certificates can. */
async function certificateFor(by: Customer, name: string, host: string): Promise<void> {
  const parent = { [annotations.parentRefKind]: 'Gateway', [annotations.parentRefName]: 'parent' };
  const privateKey = { algorithm: 'ECDSA' };
  const spec = { secretName: name, dnsNames: [host], issuerRef: { name: by.name }, privateKey };
  const metadata = { name, namespace: team.namespace, annotations: parent };
  await team.kubectl.apply([{ apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec }]);
}

async function allReady(sets: readonly string[]): Promise<void> {
  await Promise.all(sets.map((set) => team.ready(`${set}-tls`, 90_000)));
}

describe.concurrent('what the CA refuses to one order', () => {
  it('by a limit that nobody knows, holds its account: the others wait, and the CA is not asked', async () => {
    await using by = await customer(world, team, 'unknown');
    by.ca.proxy.follow(at({ edge: 'newOrder', nth: 1 }, rateLimited('new-kind-of-limit', 15, Date.now())));
    await by.want({ set: 'unknown-0', hosts: [by.host('a')] });
    await team.says('unknown-0-tls', 'RateLimited', /new-kind-of-limit/);
    const others = ['unknown-1', 'unknown-2', 'unknown-3'];
    await by.want(...others.map((set) => ({ set, hosts: [by.host(set)] })));
    const said = await Promise.all(others.map((set) => team.says(`${set}-tls`, 'RateLimited', /asked account https:/)));
    expect(said.map(({ reason }) => reason)).toEqual(['RateLimited', 'RateLimited', 'RateLimited']);
    expect(by.asked('newOrder')).toBe(1);
    await allReady(['unknown-0', ...others]);
    expect(by.placed()).toBe(4);
    expect(by.hasty()).toEqual([]);
  });

  it('by an outage, holds everybody who asks this CA', async () => {
    await using by = await customer(world, team, 'outage');
    by.ca.proxy.follow(at({ edge: 'newOrder', nth: 1 }, unavailable(12)));
    await by.want({ set: 'outage-0', hosts: [by.host('a')] });
    await team.says('outage-0-tls', 'Issuing', /CAUnavailable/);
    await by.want({ set: 'outage-1', hosts: [by.host('b')] });
    await team.says('outage-1-tls', 'RateLimited', /asked everybody to wait/);
    expect(by.asked('newOrder')).toBe(1);
    await allReady(['outage-0', 'outage-1']);
    expect(by.hasty()).toEqual([]);
  });
});

describe('a pause', () => {
  const page = 'https://portal.example.com/sfe/v1/unpause?jwt=abc';

  async function pausedAt(by: Customer, set: string): Promise<void> {
    by.ca.proxy.follow(at({ edge: 'newOrder' }, paused(page)));
    await by.want({ set, hosts: [by.host('a')] });
    const { message } = await team.says(`${set}-tls`, 'RateLimited', /^CAPaused: /);
    expect(message).toContain(page);
    expect((await by.toldWait(set)).message).toContain(page);
  }

  it('outlasts the process, and ends when somebody says so on the issuer', async () => {
    await using by = await customer(world, team, 'ended');
    await pausedAt(by, 'ended');
    await controller.kill('SIGTERM');
    controller = await startController(world, { flags: leaseFlags });
    // Whoever comes with the same names shares it.
    await certificateFor(by, 'ended-too-tls', by.host('a'));
    await team.says('ended-too-tls', 'RateLimited', /^CAPaused: .*portal\.example\.com/);
    expect(by.asked('newOrder')).toBe(1);
    by.ca.proxy.follow(() => forward);
    await annotate('ended', annotations.unpause, 'today');
    await allReady(['ended', 'ended-too']);
    expect(by.placed()).toBe(2);
  });

  it('that goes on is told again, and asked about once for each word of a person', async () => {
    await using by = await customer(world, team, 'goes-on');
    await pausedAt(by, 'goes-on');
    await annotate('goes-on', annotations.unpause, 'too soon');
    await until('the CA to be asked again', () => by.asked('newOrder') === 2);
    await until('the Order to know of that word', async () =>
      (await by.order('goes-on')).metadata.annotations?.[annotations.state]?.includes('too soon'),
    );
    by.ca.proxy.follow(() => forward);
    await team.kubectl.run([
      'delete',
      'order.acme.cert-manager.io',
      (await by.order('goes-on')).metadata.name,
      '-n',
      team.namespace,
    ]);
    await allReady(['goes-on']);
    expect(by.placed()).toBe(1);
  });
});

describe('limits that are written on an issuer', () => {
  it('and cannot be read are told there, and the ones before them stay', async () => {
    await using by = await customer(world, team, 'written');
    await annotate('written', annotations.limits, '{"limits": {"newOrdersPerAccount": {"count": 1, "period": "60s"}}}');
    await by.want({ set: 'written-0', hosts: [by.host('a')] });
    await allReady(['written-0']);
    await annotate('written', annotations.limits, '{"limits": {"ordersPerDay": 1}}');
    expect((await team.told('written', /^BadLimits/)).message).toMatch(/limits\.ordersPerDay is not known/);
    await by.want({ set: 'written-1', hosts: [by.host('b')] });
    await team.says('written-1-tls', 'RateLimited', /newOrdersPerAccount/);
    await annotate('written', annotations.limits, '{"limits": {"newOrdersPerAccount": "none"}}');
    await allReady(['written-1']);
    expect(by.placed()).toBe(2);
    expect((await team.all(orders)).length).toBeGreaterThan(1);
  });
});

describe('limits that the platform owner writes in the ConfigMap certway-limits', () => {
  async function write(by: Customer, limits: object): Promise<void> {
    const text = JSON.stringify({ directory: by.ca.directory, limits });
    const metadata = { name: 'certway-limits', namespace: 'certway-system' };
    await team.kubectl.apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ours: text } }]);
  }
  const erase = () => team.kubectl.run(['delete', 'configmap', 'certway-limits', '-n', 'certway-system']);

  it('bind orders while they stand there', async () => {
    await using by = await customer(world, team, 'mapped');
    await write(by, { newOrdersPerAccount: { count: 1, period: '1h' } });
    await by.want({ set: 'mapped-0', hosts: [by.host('a')] });
    await allReady(['mapped-0']);
    await by.want({ set: 'mapped-1', hosts: [by.host('b')] });
    await team.says('mapped-1-tls', 'RateLimited', /newOrdersPerAccount/);
    await erase();
    await allReady(['mapped-1']);
    expect(by.placed()).toBe(2);
  });

  it('bind new accounts, and none that exists', async () => {
    await using by = await customer(world, team, 'first');
    await write(by, { newAccountsPerIp: { count: 1, period: '1h' } });
    const second = acmeIssuer(team.namespace, by.ca, 'second');
    const third = acmeIssuer(team.namespace, by.ca, 'third');
    await team.kubectl.apply([second]);
    await team.issuerSays('second', 'True', /./);
    await team.kubectl.apply([third]);
    await team.issuerSays('third', 'False', /newAccountsPerIp leaves no room for another account before about 2/);
    // Its key has an account already.
    await team.kubectl.run(['delete', 'issuer', 'second', '-n', team.namespace]);
    await team.kubectl.apply([second]);
    await team.issuerSays('second', 'True', /./);
    await erase();
    // It was told to come again in an hour.
    await team.issuerSays('third', 'True', /./);
  });
});

it('what accounts without an issuer have spent is counted, and forgotten once it is back', async () => {
  await using ca = await startAcmeFault(world.acme);
  const bookOf = (account: string, tat: number): ConfigMap => {
    const url = `https://127.0.0.1/${account}`;
    const cells = [{ limit: 'certificatesPerDomain', subject: 'example.com', tat, spentBy: {} }] as const;
    const text = writeCheckpoint({ account: url, at: Date.now(), cells, placed: [], finished: [], pauses: [] });
    const metadata = {
      name: nameFor(ca.directory, url),
      namespace: 'certway-system',
      labels: { [labels.budget]: 'checkpoint' },
      annotations: { [annotations.account]: url, [annotations.directory]: ca.directory },
    };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { checkpoint: text } };
  };
  const [lasting, past] = [bookOf('lasting', Date.now() + 3_600_000), bookOf('past', Date.now() - 1_000)];
  const heir = acmeIssuer(team.namespace, ca, 'heir');
  const written = '{"limits": {"certificatesPerDomain": {"count": 1, "period": "1h"}}}';
  await team.kubectl.apply([
    lasting,
    past,
    { ...heir, metadata: { ...heir.metadata, annotations: { [annotations.limits]: written } } },
  ]);
  await team.kubectl.apply([
    listenerSet(team.namespace, {
      name: 'heir',
      hostname: `heir.${team.namespace}.example.com`,
      annotations: { 'cert-manager.io/issuer': 'heir' },
    }),
  ]);
  await team.says('heir-tls', 'RateLimited', /certificatesPerDomain for example\.com/);
  const left = await team.kubectl.get<{ items: readonly ConfigMap[] }>('configmaps', '-n', 'certway-system');
  const names = left.items.map(({ metadata }) => metadata.name);
  expect(names).toContain(lasting.metadata.name);
  expect(names).not.toContain(past.metadata.name);
});

it('equal needs of two Certificates run one after the other', async () => {
  await using by = await customer(world, team, 'twins');
  await Promise.all(['twin-0-tls', 'twin-1-tls'].map((name) => certificateFor(by, name, by.host('a'))));
  await allReady(['twin-0', 'twin-1']);
  const edges = by.ca.proxy.passed
    .map(({ edge }) => edge)
    .filter((edge) => edge === 'newOrder' || edge === 'read cert');
  expect(edges).toEqual(['newOrder', 'read cert', 'newOrder', 'read cert']);
});
