// Orders that a CA loses, withdraws, pauses or refuses, and CAs that move: each is found again, told, or made anew once, and none is asked for twice
// without need. Profiles, reuse of what is proven, and the choice of a chain, where the CA has its say as well.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitPem } from '../../src/pki/certificate.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { get } from '../rig/https.ts';
import { broken, paused, rateLimited, refuse, unavailable } from '../rig/proxy/acme-fault.ts';
import { at, cut, firstOf, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';
import { type Customer, changed, customer, pebbleEnv, renew, sessionOf } from './faults-scene.ts';

/** The heir need not wait for long; a slow moment of the machine is no loss of the lead, which would cost events. */
const hasty = [
  '--leader-election-lease-duration=3s',
  '--leader-election-renew-deadline=2s',
  '--leader-election-retry-period=300ms',
];

let world: World;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  world = await startWorld({ pebbleEnv });
  controller = await startController(world, { flags: hasty });
  team = await makeTeam(world, 'lost');
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

describe.concurrent('an order is found again', () => {
  it('although looking for it fails four times in four ways', async () => {
    await using by = await customer(world, team, 'search');
    await by.want({ set: 'early', hosts: [by.host('early')] });
    await team.ready('early-tls');
    by.ca.proxy.follow(
      firstOf(
        at({ edge: 'newOrder', nth: 1 }, { kind: 'dropReply' }),
        at({ edge: 'read account', nth: 1 }, cut),
        at({ edge: 'read orders', nth: 1 }, unavailable(1)),
        at({ edge: 'read order', nth: 1 }, broken()),
        at({ edge: 'read order', nth: 2 }, { kind: 'halveReply' }),
      ),
    );
    await by.want({ set: 'search', hosts: [by.host('a')] });
    await team.ready('search-tls');
    expect(by.placed()).toBe(2);
  });

  it('when a finalize was lost, and the CA lies about it once: it is refused, and the certificate fetched', async () => {
    await using by = await customer(world, team, 'twice');
    by.ca.proxy.follow(
      firstOf(
        at({ edge: 'finalize', nth: 1 }, { kind: 'dropReply' }),
        at({ edge: 'read order', nth: 1 }, changed({ status: 'ready' })),
      ),
    );
    await by.want({ set: 'twice', hosts: [by.host('a')] });
    await team.ready('twice-tls');
    const finalized = by.ca.proxy.passed.filter(({ edge }) => edge === 'finalize').map(({ upstream }) => upstream);
    expect(finalized).toEqual([200, 403]);
    expect(by.placed()).toBe(1);
  });

  it('behind an address of the directory that is gone, while the directory is a page for people', async () => {
    await using by = await customer(world, team, 'moved', {}, (request) =>
      request.edge === 'directory' && request.nth === 1
        ? changed({ newOrder: `https://${request.headers.host}/moved-away` })
        : forward,
    );
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' };
    by.ca.proxy.follow(at({ edge: 'directory', nth: 1 }, { kind: 'edit', edit: () => page }));
    await by.want({ set: 'moved', hosts: [by.host('a')] });
    const { status } = await team.ready('moved-tls');
    expect(status?.failedIssuanceAttempts ?? 0).toBe(0);
    expect([by.asked('other'), by.asked('directory'), by.placed()]).toEqual([1, 3, 1]);
  });

  it('after half a minute of silence', async () => {
    await using by = await customer(world, team, 'silence');
    by.ca.proxy.follow(at({ edge: 'newOrder', nth: 1 }, { kind: 'withholdReply' }));
    await by.want({ set: 'silence', hosts: [by.host('a')] });
    await team.ready('silence-tls', 90_000);
    expect(by.placed()).toBe(1);
  });
});

describe.concurrent('a wait without an end of its own', () => {
  it('is a minute after a 429 that does not say; a person who deletes the request begins anew', async () => {
    await using by = await customer(world, team, 'hour');
    by.ca.proxy.follow(at({ edge: 'newOrder' }, rateLimited('new-orders-per-account', 1, Date.now(), 'unsaid')));
    await by.want({ set: 'hour', hosts: [by.host('a')] });
    await team.says('hour-tls', 'Issuing', /^RateLimited: too many requests/);
    const { nextAttemptAt } = await by.toldWait('hour');
    expect(Math.abs(nextAttemptAt - Date.now() - 60_000)).toBeLessThan(40_000);
    by.ca.proxy.follow(() => forward);
    await team.kubectl.run(['delete', 'certificaterequest', 'hour-tls-1', '-n', team.namespace]);
    // Nobody of the account asks again for a minute where the CA does not say for how long.
    await team.ready('hour-tls', 90_000);
    expect(by.placed()).toBe(1);
  });

  it('is told with the page that ends it, whole, after a pause', async () => {
    await using by = await customer(world, team, 'pause');
    const page = `https://portal.example.com/sfe/v1/unpause?jwt=${'x'.repeat(500)}`;
    by.ca.proxy.follow(at({ edge: 'newOrder' }, paused(page)));
    await by.want({ set: 'pause', hosts: [by.host('a')] });
    const { message } = await team.says('pause-tls', 'Issuing', /^CAPaused: /);
    expect(message).toContain(page);
    expect((await team.told('pause-tls', /^CAPaused/)).message).toContain(page);
    expect((await by.toldWait('pause')).message).toContain(page);
    expect(by.asked('newOrder')).toBe(1);
  });
});

describe.concurrent('an order that the CA gives up is told, and a second one is made for it', () => {
  async function madeAnew(by: Customer, words: RegExp, phase: string): Promise<void> {
    const set = by.name;
    await by.want({ set, hosts: [by.host('a')] });
    await team.says(`${set}-tls`, 'Issuing', words);
    expect((await by.order(set)).status?.state).toBe(phase);
    expect(by.placed()).toBe(1);
    await renew(team, `${set}-tls`);
    await team.ready(`${set}-tls`);
    expect(by.placed()).toBe(2);
  }

  it.each([
    ['expired', 'expired', /authorization for a\..* is expired/],
    ['revoked', 'invalid', /authorization for a\..* is revoked/],
    ['deactivated', 'invalid', /authorization for a\..* is deactivated/],
  ] as const)('because an authorization is %s', async (status, phase, words) => {
    await using by = await customer(world, team, status);
    by.ca.proxy.follow(at({ edge: 'read authz', nth: 1 }, changed({ status })));
    await madeAnew(by, words, phase);
  });

  it('because the account gave its authorization back, behind our back', async () => {
    await using by = await customer(world, team, 'giveback');
    await using session = await sessionOf(by);
    by.ca.proxy.follow(async ({ edge, nth }) => {
      if (edge !== 'finalize' || nth > 1) return forward;
      const url = (await by.order(by.name)).status?.authorizations?.[0]?.url ?? '';
      const read = () => ({ ok: true as const, value: undefined });
      await session.endpoint.post({
        ...session,
        action: 'authorization',
        url,
        payload: { status: 'deactivated' },
        read,
      });
      return forward;
    });
    await madeAnew(by, /authorization for a\..* is deactivated/, 'invalid');
  });

  it('because it has expired', async () => {
    await using by = await customer(world, team, 'forgotten');
    const gone = refuse({ status: 404, type: 'malformed', detail: 'No such order' });
    by.ca.proxy.follow(at({ edge: 'read order', nth: 1 }, gone));
    await madeAnew(by, /no longer knows the order: No such order/, 'expired');
  });

  it('because it says so of the order alone', async () => {
    await using by = await customer(world, team, 'invalid');
    const error = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids issuance' };
    by.ca.proxy.follow(at({ edge: 'read order', nth: 1 }, changed({ status: 'invalid', error })));
    await madeAnew(by, /CAA forbids issuance/, 'invalid');
  });
});

describe.concurrent('the CA has its say', () => {
  it('a profile that it does not know is told, and not asked for again', async () => {
    await using by = await customer(world, team, 'profile', { profile: 'shortlived' });
    await by.want({ set: 'profile', hosts: [by.host('a')] });
    await team.says('profile-tls', 'Issuing', /invalidProfile.*"shortlived"/);
    expect((await by.order('profile')).status).toMatchObject({
      state: 'errored',
      reason: expect.stringContaining('shortlived'),
    });
    expect(by.asked('newOrder')).toBe(1);
  });

  it('what it holds as proven is not proven again: only the new name of two', async () => {
    await using by = await customer(world, team, 'reuse');
    await by.want({ set: 'reuse', hosts: [by.host('a')] });
    await team.ready('reuse-tls');
    await by.want({ set: 'reuse', hosts: [by.host('a'), by.host('b')] });
    await until('both names', async () => (await team.ready('reuse-tls')).status?.revision === 2);
    expect(by.asked('challenge')).toBe(2);
    await renew(team, 'reuse-tls');
    await until('the renewal', async () => (await team.ready('reuse-tls')).status?.revision === 3);
    expect([by.asked('challenge'), by.placed()]).toEqual([2, 3]);
  });
});

describe.concurrent('of the chains that it offers', () => {
  /** Pebble's roots, its default first. */
  const rootName = async (number: 0 | 1) => {
    const { body } = await get(`${world.acme.management}/roots/${number}`, { caPem: world.acme.caPem });
    return /CN=(.*)/.exec(new X509Certificate(body).subject)?.[1] ?? '';
  };
  const topOf = async (certificate: string) => {
    const secret = await team.secret(certificate);
    const chain = splitPem(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64').toString());
    return /CN=(.*)/.exec(new X509Certificate(chain.at(-1) ?? '').issuer)?.[1];
  };

  it.each([0, 1] as const)('the preferred one is served: root %d', async (number) => {
    const preferredChain = await rootName(number);
    await using by = await customer(world, team, `chain${number}`, { preferredChain });
    // The alternate is hidden once: it is waited for, not done without.
    by.ca.proxy.follow(at({ edge: 'read cert', name: /alternate/, nth: 1 }, unavailable(1)));
    await by.want({ set: by.name, hosts: [by.host('a')] });
    await team.ready(`${by.name}-tls`);
    expect(await topOf(`${by.name}-tls`)).toBe(preferredChain);
    expect((await team.events(`${by.name}-tls`)).map(({ reason }) => reason)).not.toContain('PreferredChainMissing');
  });

  it('none is the preferred one: the default is served, and what there is is told', async () => {
    await using by = await customer(world, team, 'nochain', { preferredChain: 'ISRG Root X1' });
    await by.want({ set: 'nochain', hosts: [by.host('a')] });
    await team.ready('nochain-tls');
    const { message } = await team.told('nochain-tls', /^PreferredChainMissing/);
    expect(message).toContain('"ISRG Root X1"');
    expect(message).toContain(JSON.stringify(await rootName(0)));
    expect(message).toContain(JSON.stringify(await rootName(1)));
    expect(await topOf('nochain-tls')).toBe(await rootName(0));
  });
});

it('a wait that the CA asked for outlives the process that heard of it', async () => {
  await using by = await customer(world, team, 'heir');
  by.ca.proxy.follow(at({ edge: 'newOrder', nth: 1 }, rateLimited('new-orders-per-account', 12, Date.now())));
  await by.want({ set: 'heir', hosts: [by.host('a')] });
  const { nextAttemptAt } = await by.toldWait('heir');
  await controller.kill('SIGKILL');
  controller = await startController(world, { flags: hasty });
  expect(Date.now()).toBeLessThan(nextAttemptAt);
  await team.ready('heir-tls');
  expect(by.hasty()).toEqual([]);
  expect(by.placed()).toBe(1);
});
