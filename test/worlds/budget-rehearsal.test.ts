// Rehearsals at a staging directory before the issuer's own CA hears of an order: two Pebbles, a real path for HTTP-01, BIND for DNS-01, and a kill in
// the middle. What passes is never finalized there; what fails costs production nothing.

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { annotations } from '../../src/api/names.ts';
import { notedRehearsal } from '../../src/plan/rehearsal.ts';
import type { Controller } from '../rig/controller.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';
import { certificateFor, keepUp, orderOf, rfc2136, type Scene, startScene, tsigSecret } from './dns01-scene.ts';
import { passed, rehearsingIssuer, type Stages, startStages } from './rehearsal-scene.ts';

const viaParent = { http01: { gatewayHTTPRoute: { parentRefs: [{ name: 'parent' }] } } };

let scene: Scene;
let stages: Stages;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  scene = await startScene();
  stages = await startStages(scene.world, { 'example.test': scene.bind.primary });
  controller = await scene.start();
  team = await makeTeam(scene.world, 'rehearsal');
  const { namespace } = team;
  const dns = { ...rfc2136(scene), selector: { dnsZones: ['example.test'] } };
  await team.kubectl.apply([
    tsigSecret(namespace, scene.key.secret),
    gateway(namespace),
    rehearsingIssuer(namespace, stages, { name: 'both', solvers: [viaParent, dns] }),
  ]);
  await team.issuerSays('both', 'True', /./);
});
afterEach(() => {
  stages.staging.proxy.follow(() => forward);
  stages.production.proxy.follow(() => forward);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await stages?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

/** What the two CAs are asked for from now on. */
function counted() {
  const edges = ['newOrder', 'challenge', 'finalize'] as const;
  const all = () => [stages.staging, stages.production].flatMap((ca) => edges.map((edge) => passed(ca, edge)));
  const before = all();
  return () => {
    const [there = 0, thereAnswered = 0, thereFinal = 0, own = 0, ownAnswered = 0, ownFinal = 0] = all().map(
      (count, index) => count - (before[index] ?? 0),
    );
    return {
      staging: { newOrder: there, challenge: thereAnswered, finalize: thereFinal },
      production: { newOrder: own, challenge: ownAnswered, finalize: ownFinal },
    };
  };
}

async function ask(name: string, dnsNames: readonly string[], issuer = 'both'): Promise<void> {
  const parent = { [annotations.parentRefKind]: 'Gateway', [annotations.parentRefName]: 'parent' };
  await team.kubectl.apply([certificateFor(team.namespace, { name, dnsNames, issuer, annotations: parent })]);
}

const once = { newOrder: 1, challenge: 1, finalize: 0 };

it('an order by HTTP-01 is proven at staging, then at its own CA', async () => {
  const count = counted();
  await ask('http', ['http.rehearsal.example.com']);
  await team.ready('http');
  expect(count()).toEqual({ staging: once, production: { newOrder: 1, challenge: 1, finalize: 1 } });
  const order = await orderOf(team, 'http');
  expect(order === undefined ? undefined : notedRehearsal(order)).toMatchObject({ state: 'passed' });
  expect(order?.status?.url).toContain(new URL(stages.production.directory).origin);
  await team.told('http', /^Rehearsed: The rehearsal at 127\.0\.0\.1:\d+ passed/);
});

it('names that have been rehearsed are not rehearsed again by another Certificate', async () => {
  const count = counted();
  await ask('http-too', ['http.rehearsal.example.com']);
  await team.ready('http-too');
  expect(count().staging.newOrder).toBe(0);
});

it('an order by DNS-01 is proven at staging, then at its own CA', async () => {
  await using _ = keepUp(scene.bind);
  const count = counted();
  await ask('dns', ['dns.example.test']);
  await team.ready('dns');
  expect(count()).toEqual({ staging: once, production: { newOrder: 1, challenge: 1, finalize: 1 } });
});

it('what fails at staging costs its own CA nothing, is told, and passes once it is mended', async () => {
  const host = 'broken.rehearsal.example.com';
  stages.stagingDns.set(host, 'NXDOMAIN');
  const count = counted();
  await ask('broken', [host]);
  const said = await team.says('broken', 'Issuing', /^RehearsalFailed: The rehearsal at 127\.0\.0\.1:\d+ failed: /);
  expect(said.message).toContain(`could not validate ${host}`);
  expect(said.message).toContain('The issuer’s own CA has not been asked.');
  expect((await team.certificate('broken'))?.status?.failedIssuanceAttempts).toBeUndefined();
  const order = await orderOf(team, 'broken');
  expect(order?.status?.state).toBeUndefined();
  expect(order?.status?.reason).toContain('The rehearsal at');
  await team.told('broken', /^RehearsalFailed: /);
  expect(count().production).toEqual({ newOrder: 0, challenge: 0, finalize: 0 });
  stages.stagingDns.clear(host);
  await team.ready('broken', 60_000);
  expect(count().production).toEqual({ newOrder: 1, challenge: 1, finalize: 1 });
});

it('a kill in the rehearsal loses nothing: the next process goes on with the order that stands there', async () => {
  const count = counted();
  let killed = 0;
  const hook = async () => {
    killed += 1;
    await controller.kill('SIGKILL');
  };
  stages.staging.proxy.follow(at({ edge: 'challenge', nth: 1 }, { kind: 'killAfter', hook }));
  await ask('killed', ['killed.rehearsal.example.com']);
  await until('the controller to be killed', () => killed > 0, { deadlineMs: 30_000 });
  await controller.exited;
  stages.staging.proxy.follow(() => forward);
  controller = await scene.start();
  await team.ready('killed', 60_000);
  const { staging, production } = count();
  // The CA may have looked while nobody answered: then another rehearsal follows.
  expect(staging.newOrder).toBeLessThanOrEqual(2);
  expect(staging.finalize).toBe(0);
  expect(production).toEqual({ newOrder: 1, challenge: 1, finalize: 1 });
});

it('rehearsals keep within the limits of staging, which are counted apart', async () => {
  const { directory } = stages.staging;
  const limits = { newOrdersPerAccount: { count: 1, period: '1h' } };
  const metadata = { name: 'certway-limits', namespace: 'certway-system' };
  const text = JSON.stringify({ directory, limits });
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { staging: text } };
  await kubectlFor(scene.world).apply([map]);
  const count = counted();
  await Promise.all([0, 1].map((n) => ask(`few-${n}`, [`few-${n}.rehearsal.example.com`])));
  const waits = await until('one of them to wait', async () => {
    const all = await Promise.all([0, 1].map((n) => team.certificate(`few-${n}`)));
    return all
      .flatMap((each) => each?.status?.conditions ?? [])
      .find(({ type, message = '' }) => type === 'RateLimited' && message.startsWith('Rehearsal at '));
  });
  expect(waits.message).toMatch(/^Rehearsal at 127\.0\.0\.1:\d+: The CA's limit newOrdersPerAccount for https:/);
  await until('the other one to be there', () => count().production.finalize === 1);
  expect(count().staging.newOrder).toBe(1);
  await kubectlFor(scene.world).run(['delete', 'configmap', 'certway-limits', '-n', 'certway-system']);
  await Promise.all([0, 1].map((n) => team.ready(`few-${n}`)));
  expect(count().production.newOrder).toBe(2);
});

it('an annotation that names no other directory is told, and nothing is asked of any CA', async () => {
  const solvers = [viaParent];
  await team.kubectl.apply([rehearsingIssuer(team.namespace, stages, { name: 'unclear', solvers, place: 'staging' })]);
  const count = counted();
  await ask('unclear', ['unclear.rehearsal.example.com'], 'unclear');
  await team.says('unclear', 'Issuing', /^RehearsalUnreadable: .*certway\.dev\/rehearse says "staging"/);
  expect(count()).toEqual({
    staging: { newOrder: 0, challenge: 0, finalize: 0 },
    production: { newOrder: 0, challenge: 0, finalize: 0 },
  });
});
