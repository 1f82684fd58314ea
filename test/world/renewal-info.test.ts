// Renewal information (RFC 9773) end to end: the moment is chosen in the window that a real Pebble suggests, a window that is over renews at once, and what
// the CA does not say, or says wrongly, is made up for by two thirds of the life.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuse } from '../rig/proxy/acme-fault.ts';
import { forward } from '../rig/proxy/verdict.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import {
  answering,
  day,
  hour,
  type Issuing,
  inside,
  issued,
  issuing,
  ordersOf,
  renewsWhen,
  suggest,
  windowOf,
  windowText,
  wish,
} from './renewal-info-scene.ts';
import { atRevision } from './spec-scene.ts';
import { gateway, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;
const open: Issuing[] = [];

async function issuer(name: string, script?: Parameters<typeof issuing>[3]): Promise<Issuing> {
  const made = await issuing(team, world.acme, name, script);
  open.push(made);
  return made;
}

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'ari');
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await Promise.all(open.map((each) => each[Symbol.asyncDispose]()));
  await world?.[Symbol.asyncDispose]();
});

/** By which a certificate of 90 days is renewed where the CA does not say. */
function isFallback({ notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number }) {
  const life = notAfter - notBefore;
  return (at: number) => at <= notBefore + (life * 2) / 3 && at >= notBefore + (life * 2) / 3 - life / 50 - 1000;
}

describe('a certificate', () => {
  it('is to be renewed inside the window that the CA suggests, which is asked once', async () => {
    const by = await issuer('usual');
    await wish(team, 'usual', by.name);
    const { certId } = await issued(team, 'usual');
    const window = await windowOf(world.acme, certId);
    expect(window.end - window.start).toBe(2 * day);
    await renewsWhen(team, 'usual', inside(window));
    expect(by.asked()).toBe(1);
    expect((await ordersOf(team, 'usual')).map(({ spec }) => spec.replaces)).toEqual([undefined]);
  });

  it('whose user wants it sooner than the CA does is renewed when the user says', async () => {
    const by = await issuer('sooner');
    await wish(team, 'sooner', by.name, { 'cert-manager.io/renew-before': '1800h' });
    const { facts } = await issued(team, 'sooner');
    await until('the CA to be asked', () => by.asked() === 1);
    const asked = facts.notAfter - 1800 * hour;
    await renewsWhen(team, 'sooner', (at) => at <= asked && at >= asked - hour - 1000);
  });

  it('that the CA wants sooner than the user does is renewed when the CA says', async () => {
    const by = await issuer('forward');
    const window = { start: Date.now() + 10 * day, end: Date.now() + 11 * day };
    by.answer(() => answering(windowText(window)));
    await wish(team, 'forward', by.name, { 'cert-manager.io/renew-before': '240h' });
    await issued(team, 'forward');
    await renewsWhen(team, 'forward', inside(window));
  });
});

describe('a window that is over', () => {
  it('renews at once, once, naming what is replaced, and people are told', async () => {
    const by = await issuer('over');
    const released = Promise.withResolvers<void>();
    by.answer(async () => {
      await released.promise;
      return forward;
    });
    await wish(team, 'over', by.name);
    const first = await issued(team, 'over');
    await suggest(world.acme, first.leafPem, { start: Date.now() - 2 * hour, end: Date.now() - hour });
    released.resolve();
    await atRevision(team, 'over-tls', 2);
    const second = await issued(team, 'over');
    expect(second.certId).not.toBe(first.certId);
    await team.told('over-tls', /^RecalledByCA: .*replaced at once/);
    // Of the second one the CA says what it says of all.
    await renewsWhen(team, 'over', inside(await windowOf(world.acme, second.certId)));
    expect((await team.certificate('over-tls'))?.status?.revision).toBe(2);
    const made = await ordersOf(team, 'over');
    expect(made.at(-1)?.spec.replaces).toBe(first.certId);
    expect(
      by.ca.proxy.passed.filter(({ edge, upstream }) => edge === 'newOrder' && (upstream ?? 0) < 300),
    ).toHaveLength(2);
    expect(by.asked()).toBe(2);
  });

  it('for every certificate of a CA gone wrong renews once, and not again for a day', async () => {
    const by = await issuer('wrong');
    by.answer(() => answering(windowText({ start: Date.now() - hour, end: Date.now() - hour + 1000 })));
    await wish(team, 'wrong', by.name);
    await atRevision(team, 'wrong-tls', 2);
    await until('the second one to be asked about', () => by.asked() === 2);
    const [order] = (await ordersOf(team, 'wrong')).slice(-1);
    const ordered = Date.parse(order?.metadata.creationTimestamp ?? '');
    const { status } = await renewsWhen(team, 'wrong', (at) => at === ordered + day);
    expect(status?.revision).toBe(2);
  });
});

describe('two thirds of the life stand in', () => {
  it.each([
    ['broken', 'an answer that is none', () => answering('<html>')],
    ['unknown', 'a refusal', () => refuse({ status: 404, type: 'malformed', detail: 'no such certificate' })],
    ['down', 'an outage', () => refuse({ status: 503, type: 'serverInternal', detail: 'maintenance' })],
  ])('for %s: %s', async (name, _, verdict) => {
    const by = await issuer(name);
    by.answer(verdict);
    await wish(team, name, by.name);
    const { facts } = await issued(team, name);
    await until('the CA to be asked', () => by.asked() > 0);
    await renewsWhen(team, name, isFallback(facts));
    expect(by.asked()).toBe(1);
  });

  it('for a CA without renewal information, which is asked nothing', async () => {
    const by = await issuer('without', ({ edge }) => {
      if (edge !== 'directory') return forward;
      return {
        kind: 'edit',
        edit: (answer) => {
          const { renewalInfo: _, ...left } = JSON.parse(answer.body.toString());
          return { ...answer, headers: { 'content-type': 'application/json' }, body: JSON.stringify(left) };
        },
      };
    });
    await wish(team, 'without', by.name);
    const { facts } = await issued(team, 'without');
    await renewsWhen(team, 'without', isFallback(facts));
    expect(by.asked()).toBe(0);
  });
});

describe('a window that moves', () => {
  it('is heard of when the CA said to ask again, and moves the renewal with it', async () => {
    const by = await issuer('moves');
    const first = { start: Date.now() + 40 * day, end: Date.now() + 41 * day };
    const second = { start: Date.now() + 20 * day, end: Date.now() + 21 * day };
    // A minute is the least that is obeyed.
    const windows = [first];
    by.answer(() => answering(windowText(windows.shift() ?? second), { 'retry-after': '1' }));
    await wish(team, 'moves', by.name);
    await issued(team, 'moves');
    const before = await renewsWhen(team, 'moves', inside(first));
    const asked = Date.now();
    const after = await renewsWhen(team, 'moves', inside(second), 90_000);
    expect(Date.now() - asked).toBeGreaterThan(45_000);
    expect(after.status?.revision).toBe(before.status?.revision);
  });
});
