// Whose a TXT value is: it proves a name by one account key and one token. A key that is rolled over takes the values of its time with it, and a value that
// a CA lets two orders share stays for the second one.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { conditionOf } from '../../src/plan/conditions.ts';
import type { Controller } from '../rig/controller.ts';
import { type AcmeFault, rateLimited, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { issuerNamed } from '../world/account-eyes.ts';
import { makeTeam, type Team } from '../world/team.ts';
import {
  certificateFor,
  issuerWith,
  keepUp,
  orderOf,
  rfc2136,
  type Scene,
  startScene,
  swept,
  tsigSecret,
} from './dns01-scene.ts';
import { changed } from './faults-scene.ts';

let scene: Scene;
let controller: Controller;
let team: Team;
let ca: AcmeFault;

beforeAll(async () => {
  scene = await startScene();
  controller = await scene.start();
  ca = await startAcmeFault(scene.world.acme);
  team = await makeTeam(scene.world, 'values');
  await team.kubectl.apply([
    tsigSecret(team.namespace, scene.key.secret),
    issuerWith(team.namespace, ca, 'dns', [rfc2136(scene)]),
  ]);
  await team.issuerSays('dns', 'True', /^ACMEAccountRegistered/);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

const challengeOf = (name: string) => `_acme-challenge.${name}.example.test`;
const valuesOf = (name: string) => scene.bind.values(scene.bind.primary, challengeOf(name));
const remove = (name: string) =>
  team.kubectl.run(['delete', 'certificate', name, '-n', team.namespace, '--wait=false']);

function want(name: string, ...hosts: readonly string[]): Promise<string> {
  const dnsNames = hosts.length === 0 ? [`${name}.example.test`] : [...hosts];
  return team.kubectl.apply([certificateFor(team.namespace, { name, dnsNames })]);
}

/** It waits until this process has led for longer than any validation lasts. */
async function rollOver(value: string): Promise<void> {
  const asked = `certway.dev/rollover-account-key=${value}`;
  await team.kubectl.run(['annotate', 'issuer/dns', '-n', team.namespace, '--overwrite', asked]);
  await until(
    'the key to be rolled over',
    async () => {
      const { metadata, status } = await issuerNamed(team, 'dns');
      const said = conditionOf(status?.conditions, 'AccountKeyRolledOver');
      if (metadata.annotations?.['certway.dev/rolled-over-account-key'] === value && said?.status === 'True')
        return true;
      throw new Error(`${said?.reason}: ${said?.message}`);
    },
    { deadlineMs: 110_000 },
  );
}

it('a value that two orders share goes with the last of them', async () => {
  await want('first', 'shared.example.test');
  const [value] = await until('the value', async () => {
    const found = await valuesOf('shared');
    return found.length > 0 && found;
  });
  const url = (await orderOf(team, 'first'))?.status?.authorizations?.[0]?.url;
  ca.proxy.follow(at({ edge: 'newOrder' }, changed({ authorizations: [url] })));
  // Of equal needs the second would wait for the first.
  await want('second', 'shared.example.test', 'more.example.test');
  await team.says('second', 'Issuing', /^NotPropagated: .* 1 of 2 lack it/);
  ca.proxy.follow(() => forward);
  expect(await valuesOf('shared')).toEqual([value]);
  await remove('first');
  await until('the first Order to be gone', async () => (await orderOf(team, 'first')) === undefined);
  expect(await valuesOf('shared')).toEqual([value]);
  await remove('second');
  await swept(scene.bind, challengeOf('shared'));
});

it('an account’s new key is proven by values of its own: for what waits for nameservers, and for what the CA had put off', async () => {
  await using _ = keepUp(scene.bind, 'proofs.test');
  // For longer than the rollover takes.
  ca.proxy.follow(at({ edge: 'challenge', nth: 1 }, rateLimited('new-orders-per-account', 125, Date.now())));
  const told = () => ca.proxy.passed.filter(({ edge }) => edge === 'challenge').map(({ status }) => status);
  await want('stands');
  const [value] = await until('the value', async () => {
    const found = await valuesOf('stands');
    return found.length > 0 && found;
  });
  await want('found', 'found.proofs.test');
  await until('the CA to put it off', () => told().length === 1);
  await rollOver('one');
  expect(told()).toEqual([429]);
  await until('the value of the new key', async () => (await valuesOf('stands')).some((each) => each !== value), {
    deadlineMs: 60_000,
  });
  await using __ = keepUp(scene.bind);
  for (const name of ['stands', 'found']) {
    const { status } = await team.ready(name, 90_000);
    expect([name, status?.failedIssuanceAttempts ?? 0]).toEqual([name, 0]);
  }
  expect(told()).toEqual([429, 200, 200]);
  await swept(scene.bind, challengeOf('stands'));
  await swept(scene.bind, '_acme-challenge.found.proofs.test');
}, 300_000);
