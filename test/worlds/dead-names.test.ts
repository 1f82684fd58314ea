// Names that lead nowhere, ordered before names that do: the living are issued as if they were alone, the CA never hears of the dead, people are told
// why, and a dead name that comes alive is issued.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Controller, startController } from '../rig/controller.ts';
import type { Answer } from '../rig/dns/table.ts';
import { type DeadAddresses, startDeadAddresses } from '../rig/proxy/dead-addresses.ts';
import { startWorld, type World } from '../rig/world.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';
import { type Customer, customer, type Wish } from './faults-scene.ts';

let world: World;
let controller: Controller;
let team: Team;
let by: Customer;
let addresses: DeadAddresses;

beforeAll(async () => {
  world = await startWorld();
  addresses = await startDeadAddresses(world.acme.httpPort);
  controller = await startController(world);
  team = await makeTeam(world, 'dead');
  await team.kubectl.apply([gateway(team.namespace)]);
  by = await customer(world, team, 'names');
});
afterAll(async () => {
  await by?.[Symbol.asyncDispose]();
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await addresses?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Death {
  readonly kind: string;
  readonly answer: () => Answer;
  readonly told: RegExp;
}

const deaths: readonly Death[] = [
  { kind: 'nxdomain', answer: () => 'NXDOMAIN', told: /nxdomain-\d\..* resolves to no address \(NXDOMAIN/ },
  { kind: 'servfail', answer: () => 'SERVFAIL', told: /servfail-\d\..* resolves to no address \(SERVFAIL/ },
  {
    kind: 'dropped',
    answer: () => [addresses.dropping],
    told: /dropped-\d\..*\/… cannot be reached \(127\.0\.0\.2: no answer\)/,
  },
  {
    kind: 'foreign',
    answer: () => [addresses.foreign],
    told: /foreign-\d\..* answered 200 with another body: something else serves this path/,
  },
];
const numbers = [0, 1, 2, 3, 4];
const wish = (set: string): Wish => ({ set, hosts: [by.host(set)] });
const good = numbers.map((number) => `good-${number}`);
const orderedFor = () =>
  new Set(by.ca.proxy.passed.flatMap(({ edge, name }) => (edge === 'newOrder' && name !== undefined ? [name] : [])));

describe('five good names behind twenty dead ones', () => {
  beforeAll(async () => {
    const dead = deaths.flatMap(({ kind }) => numbers.map((number) => `${kind}-${number}`));
    for (const { kind, answer } of deaths) {
      for (const number of numbers) world.dns.set(by.host(`${kind}-${number}`), answer());
    }
    await by.want(...dead.map(wish), ...good.map(wish));
  });

  it('are all issued', async () => {
    await Promise.all(good.map((set) => team.ready(`${set}-tls`, 30_000)));
  });

  it.each(deaths)('which are told why ($kind), and are not asked of the CA', async ({ kind, told }) => {
    for (const number of numbers) {
      const set = `${kind}-${number}`;
      const { reason } = await team.says(`${set}-tls`, 'Issuing', told, 60_000);
      expect(reason).toBe('SelfCheckFailed');
      expect((await by.toldWait(set)).message).toMatch(told);
    }
    expect(orderedFor()).toEqual(new Set(good.map((set) => by.host(set))));
    expect(by.placed()).toBe(good.length);
  });

  // No Challenge stands for them: its URL and token would have to come from a CA that has not been asked.
  it.each(deaths)('which `kubectl get orders,challenges` lists with the reason ($kind)', async ({ kind, told }) => {
    const table = await team.kubectl.run(['get', 'orders,challenges', '-n', team.namespace]);
    const line = table.split('\n').find((each) => each.includes(`/${kind}-1-tls-1-`));
    expect(line).toMatch(/^order\.acme\.cert-manager\.io\//);
    expect(line).toMatch(told);
    expect(table).not.toContain('challenge.acme.cert-manager.io/');
  });

  it('of which one of each kind comes alive, and is issued', async () => {
    const alive = deaths.map(({ kind }) => `${kind}-0`);
    for (const set of alive) world.dns.set(by.host(set), ['127.0.0.1']);
    const found = await Promise.all(alive.map((set) => team.ready(`${set}-tls`, 90_000)));
    expect(found.map(({ status }) => status?.failedIssuanceAttempts ?? 0)).toEqual([0, 0, 0, 0]);
    expect(by.placed()).toBe(good.length + alive.length);
  });
});

it('a name that answers us and not the CA costs one order, and is told in the CA’s words', async () => {
  const host = by.host('forbidden');
  world.dns.set(host, [addresses.forbidding]);
  await by.want(wish('forbidden'));
  await team.says('forbidden-tls', 'Issuing', /could not validate forbidden\..*403/);
  expect((await by.order('forbidden')).status?.state).toBe('invalid');
  const placed = by.ca.proxy.passed.filter(({ edge, name, upstream }) => {
    return edge === 'newOrder' && name === host && upstream === 201;
  });
  expect(placed).toHaveLength(1);
});
