// Leaders that die while most of the orders stand in line, with another replica beside them: whoever leads next issues the rest, nothing twice, and never
// asks the CA for more than it gives. The referee before the CA (test/rig/proxy/gcra.ts) counts by itself.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orders } from '../../src/api/resources.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { type Crowd, crowd, fewOrders, leaseFlags } from './budget-scene.ts';
import { startService } from './replicas-service.ts';

const pebbleEnv = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_WFE_ORDERS_PER_PAGE: '200' };
const flags = [...leaseFlags, '--acme-http01-listen-address=127.0.0.1:0'];

let world: World;
let service: AsyncDisposable;
const replicas: Controller[] = [];

beforeAll(async () => {
  world = await startWorld({ pebbleEnv });
  replicas.push(await startController(world, { flags }), await startController(world, { flags }));
  service = await startService(world.acme.httpPort, replicas);
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  await world?.[Symbol.asyncDispose]();
});

async function leads({ metricsUrl }: Controller): Promise<boolean> {
  return (await (await fetch(metricsUrl)).text()).includes('certway_leading 1');
}

/** The leader ends; a new replica stands beside the next one when it leads. */
async function endLeader(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const leader = await until('a replica to lead', async () => {
    const all = await Promise.all(replicas.map(async (each) => ({ each, isLeader: await leads(each) })));
    return all.find(({ isLeader }) => isLeader)?.each;
  });
  replicas.splice(replicas.indexOf(leader), 1);
  await leader.kill(signal);
  replicas.push(await startController(world, { flags }));
}

async function someAreReady(by: Crowd, enough: number): Promise<void> {
  await until(`${enough} certificates`, async () => (await by.ready()) >= enough, { deadlineMs: 120_000 });
}

/** A validation that meets nobody, because who was asked has just died, costs an order, and is no overspending. */
function spared(by: Crowd, count: number): void {
  const { issued, refusals, overruns } = by.ca.referee.tally;
  expect({ issued, refusals, overruns }).toEqual({ issued: count, refusals: {}, overruns: {} });
}

describe('a leader that ends while orders stand in line', { timeout: 330_000 }, () => {
  it('loses none of them and overspends nothing, killed twice among sixty', async () => {
    await using by = await crowd(world, 'killed', fewOrders, 3);
    await by.want('a', 20);
    for (const enough of [3, 25]) {
      await someAreReady(by, enough);
      await endLeader('SIGKILL');
    }
    await by.allReady(120_000);
    spared(by, 60);
  });

  it('has written down what it had spent when it is asked to end, and the next one counts on', async () => {
    await using by = await crowd(world, 'handed', fewOrders, 2);
    await by.want('a', 20);
    await someAreReady(by, 3);
    await endLeader('SIGTERM');
    expect((await by.books())?.data?.checkpoint).toContain('newOrdersPerAccount');
    await by.allReady(120_000);
    spared(by, 40);
  });

  it('is followed by one that counts the Orders again where its books are lost', async () => {
    await using by = await crowd(world, 'lost', fewOrders, 1);
    await by.want('a', 20);
    await by.allReady(120_000);
    await until('the books to be written', async () => (await by.books()) !== undefined, { deadlineMs: 90_000 });
    await endLeader('SIGKILL');
    await by.dropBooks();
    await by.want('b', 20);
    await by.allReady(120_000);
    spared(by, 40);
  });
});

it('an order that waits says for which limit, whose it is and until when, and no more once it is over', async () => {
  const scarce = { ...fewOrders, 'new-orders-per-account': { burst: 1, everyMs: 20_000 } };
  await using by = await crowd(world, 'told', scarce, 1);
  const [team] = by.teams;
  if (team === undefined) throw new Error('no team');
  await by.want('a', 2);
  const waiting = await until('a Certificate to wait', async () => {
    const found = await Promise.all(['a-0-tls', 'a-1-tls'].map((name) => team.certificate(name)));
    return found.find((each) => each?.status?.conditions?.some(({ type }) => type === 'RateLimited'));
  });
  const words =
    /^The CA's limit newOrdersPerAccount for https:\S+ leaves no room; it is this order's turn at about \d{4}-\S+Z\.$/;
  const said = waiting.status?.conditions ?? [];
  const issuing = said.find(({ type }) => type === 'Issuing');
  const limited = said.find(({ type }) => type === 'RateLimited');
  expect(limited).toMatchObject({ status: 'True', reason: 'RateLimited', message: expect.stringMatching(words) });
  expect(issuing).toMatchObject({ reason: 'RateLimited', message: limited?.message });
  const order = await until('its Order to say so', async () =>
    (await team.all(orders)).find(({ status, metadata }) => {
      return status?.reason === limited?.message && metadata.annotations?.['certway.dev/state'] !== undefined;
    }),
  );
  expect(JSON.parse(order.metadata.annotations?.['certway.dev/state'] ?? '')).toMatchObject({ inLine: true });
  expect(order.status?.url).toBeUndefined();
  await by.allReady(100_000);
  const { status } = await team.ready(waiting.metadata.name);
  expect(status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
  expect((await team.events(waiting.metadata.name)).map(({ reason }) => reason)).not.toContain('RateLimited');
  spared(by, 2);
});
