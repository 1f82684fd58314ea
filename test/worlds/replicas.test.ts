// Two replicas behind one Service: whichever the CA meets, it gets its answer; and a leader that freezes between the CA's acceptance of an order and its
// own note of it leaves that order to the other, who finds it instead of making a second.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { orders } from '../../src/api/resources.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type ApiFault, kubeconfigThrough, startApiFault } from '../rig/proxy/api-fault.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';
import { type Customer, customer } from './faults-scene.ts';
import { startService } from './replicas-service.ts';

const flags = [
  '--acme-http01-listen-address=127.0.0.1:0',
  '--leader-election-lease-duration=3s',
  '--leader-election-renew-deadline=2s',
  '--leader-election-retry-period=300ms',
];

let world: World;
let team: Team;
let by: Customer;
let api: ApiFault;
let leader: Controller;
let follower: Controller;
let service: AsyncDisposable;

beforeAll(async () => {
  world = await startWorld();
  api = await startApiFault(world);
  const kubeconfig = await kubeconfigThrough(
    api,
    await world.controllerKubeconfig(),
    `${world.dir}/through.kubeconfig`,
  );
  leader = await startController(world, { flags, kubeconfig });
  await until('the first replica to lead', async () => (await metric(leader, 'certway_queue_depth')).length > 0);
  follower = await startController(world, { flags });
  service = await startService(world.acme.httpPort, [leader, follower]);
  team = await makeTeam(world, 'replicas');
  await team.kubectl.apply([gateway(team.namespace)]);
  by = await customer(world, team, 'both');
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await leader?.kill('SIGKILL').catch(() => undefined);
  await follower?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await by?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function metric({ metricsUrl }: Controller, name: string): Promise<readonly string[]> {
  const text = await (await fetch(metricsUrl)).text();
  return text.split('\n').filter((line) => line.startsWith(name));
}

it('both answer the CA, and only one speaks to it', async () => {
  const sets = Array.from({ length: 8 }, (_, index) => `app-${index}`);
  await by.want(...sets.map((set) => ({ set, hosts: [by.host(set)] })));
  const found = await Promise.all(sets.map((set) => team.ready(`${set}-tls`, 60_000)));
  expect(found.map(({ status }) => status?.failedIssuanceAttempts ?? 0)).toEqual(sets.map(() => 0));
  for (const replica of [leader, follower]) {
    expect(await metric(replica, 'certway_http01_answers_total{status="200"}')).not.toEqual([]);
    expect(await metric(replica, 'certway_http01_answers_total{status="404"}')).toEqual([]);
  }
  expect(await metric(follower, 'certmanager_http_acme_client_request_count')).toEqual([]);
  expect(by.placed()).toBe(sets.length);
});

it('what a slow API server kept it from writing, while it was not sure to lead, is written later', async () => {
  // Too slow for the age of its claim, not slow enough for the claim to be lost.
  const slow = at({ edge: 'update leases', name: /^cert-manager/ }, { kind: 'delay', ms: 950 });
  api.follow(slow);
  const sets: string[] = [];
  await until(
    'a dozen writes that were held back',
    async () => {
      const more = Array.from({ length: 5 }, (_, index) => `slow-${sets.length + index}`);
      sets.push(...more);
      await by.want(...more.map((set) => ({ set, hosts: [by.host(set)] })));
      return (await readFile(leader.logFile, 'utf8')).split('"notLeader"').length > 12;
    },
    { deadlineMs: 60_000 },
  );
  api.follow(() => forward);
  await Promise.all(sets.map((set) => team.ready(`${set}-tls`, 30_000)));
});

it('frozen with its order placed and not noted, the leader is not missed: the other finds the order', async () => {
  const before = by.placed();
  by.ca.proxy.follow(({ edge }) =>
    edge === 'newOrder'
      ? {
          kind: 'edit',
          edit: (answer) => {
            // Not at a bad nonce, which costs another try.
            if (answer.status === 201) process.kill(leader.pid, 'SIGSTOP');
            return answer;
          },
        }
      : forward,
  );
  await by.want({ set: 'web', hosts: [by.host('web')] });
  await until('the order to be placed', () => by.placed() > before);
  by.ca.proxy.follow(() => forward);
  expect((await by.order('web')).status?.url).toBeUndefined();
  await team.ready('web-tls', 60_000);
  expect(by.placed()).toBe(before + 1);
  const states = (await team.all(orders)).map(({ status }) => status?.state);
  expect(new Set(states)).toEqual(new Set(['valid']));
  process.kill(leader.pid, 'SIGCONT');
  expect(await leader.exited).toBe(1);
  expect(by.placed()).toBe(before + 1);
});
