// Renewal information over a restart, in a world of its own: the moment stays where it was, a renewal that has come due meanwhile asks the CA first, and the
// gate switches all of it off.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import {
  hour,
  type Issued,
  type Issuing,
  inside,
  issued,
  issuing,
  ordersOf,
  renewsWhen,
  suggest,
  type Window,
  windowOf,
  wish,
} from '../world/renewal-info-scene.ts';
import { atRevision } from '../world/spec-scene.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';

const hasty = [
  '--leader-election-lease-duration=1500ms',
  '--leader-election-renew-deadline=1s',
  '--leader-election-retry-period=200ms',
];

let world: World;
let team: Team;
let by: Issuing;
let controller: Controller;
let first: Issued;
let second: Issued;
let window: Window;

beforeAll(async () => {
  world = await startWorld();
  controller = await startController(world, { flags: hasty });
  team = await makeTeam(world, 'ari');
  await team.kubectl.apply([gateway(team.namespace)]);
  by = await issuing(team, world.acme, 'acme');
  await wish(team, 'kept', 'acme');
  await team.ready('kept-tls', 90_000);
  first = await issued(team, 'kept');
  window = await windowOf(world.acme, first.certId);
  await renewsWhen(team, 'kept', inside(window));
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await by?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function restarted(meanwhile: () => Promise<void>, flags: readonly string[] = []): Promise<void> {
  await controller.kill('SIGKILL');
  await meanwhile();
  controller = await startController(world, { flags: [...hasty, ...flags] });
}

/** As if its moment had come while nobody was there. */
async function overdue({ facts }: Issued): Promise<void> {
  const status = { renewalTime: `${new Date(facts.notBefore + 1000).toISOString().slice(0, 19)}Z` };
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
  await team.kubectl.run(['patch', 'certificate/kept-tls', '-n', team.namespace, ...patch]);
}

async function revisionOf(): Promise<number | undefined> {
  return (await team.certificate('kept-tls'))?.status?.revision;
}

describe('after a restart', () => {
  it('the moment stays where it was, and the CA is not asked', async () => {
    const before = await team.certificate('kept-tls');
    const asked = by.asked();
    await restarted(async () => undefined);
    // Another one is issued and asked about, so the new process has long looked at the first.
    await wish(team, 'later', 'acme');
    const later = await issued(team, 'later');
    await renewsWhen(team, 'later', inside(await windowOf(world.acme, later.certId)));
    expect(by.asked()).toBe(asked + 1);
    expect((await team.certificate('kept-tls'))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
  });

  it('a renewal that seems due is not made before the CA was asked, and then not at all', async () => {
    const asked = by.asked();
    await restarted(() => overdue(first));
    await renewsWhen(team, 'kept', inside(window));
    expect(by.asked()).toBe(asked + 1);
    expect(await revisionOf()).toBe(1);
  });

  it('one that the CA wants too is made at once, naming what it replaces', async () => {
    await restarted(async () => {
      await suggest(world.acme, first.leafPem, { start: Date.now() - 2 * hour, end: Date.now() - hour });
      await overdue(first);
    });
    await atRevision(team, 'kept-tls', 2);
    const made = await ordersOf(team, 'kept');
    expect(made.at(-1)?.spec.replaces).toBe(first.certId);
    second = await issued(team, 'kept');
    await renewsWhen(team, 'kept', inside(await windowOf(world.acme, second.certId)));
    expect(await revisionOf()).toBe(2);
  });

  it('a CA that is silent then keeps nobody from renewing', async () => {
    by.answer(() => ({ kind: 'respond', status: 503, headers: {}, body: '' }));
    await restarted(() => overdue(second));
    await atRevision(team, 'kept-tls', 3);
    expect((await ordersOf(team, 'kept')).at(-1)?.spec.replaces).toBeUndefined();
  });
});

it('with the gate off nothing is asked, and two thirds of the life stand', async () => {
  await restarted(async () => undefined, ['--feature-gates=ACMEUseARI=false']);
  const asked = by.asked();
  await wish(team, 'off', 'acme');
  const { facts } = await issued(team, 'off');
  const life = facts.notAfter - facts.notBefore;
  await renewsWhen(team, 'off', (at) => at <= facts.notBefore + (life * 2) / 3);
  await until('the controller to have no key left to look at', async () => {
    const metrics = await (await fetch(controller.metricsUrl)).text();
    const depths = [...metrics.matchAll(/^certway_queue_depth\{.*\} (\d+)$/gm)].map(([, depth]) => Number(depth));
    return depths.length > 0 && depths.every((depth) => depth === 0);
  });
  expect(by.asked()).toBe(asked);
});
