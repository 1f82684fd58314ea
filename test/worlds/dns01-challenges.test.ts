// Challenge objects of DNS-01: exactly the proofs that keep an order waiting have one, it says why, people's tools show it, and it goes with its reason.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Challenge } from '../../src/api/challenge.ts';
import { challenges } from '../../src/api/resources.ts';
import { controllerUser, openAudit } from '../rig/audit.ts';
import { buildCmctl } from '../rig/build.ts';
import type { Controller } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
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

let scene: Scene;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  scene = await startScene();
  controller = await scene.start();
  team = await makeTeam(scene.world, 'challenges');
  await team.kubectl.apply([
    tsigSecret(team.namespace, scene.key.secret),
    issuerWith(team.namespace, scene.world.acme, 'dns', [rfc2136(scene)]),
  ]);
  await team.issuerSays('dns', 'True', /^ACMEAccountRegistered/);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

const challengesOf = async (name: string): Promise<readonly Challenge[]> =>
  (await team.all(challenges)).filter(({ metadata }) => metadata.name.startsWith(`${name}-1-`));

const told = (name: string, count = 1) =>
  until(`${count} Challenges of ${name} that say why`, async () => {
    const found = await challengesOf(name);
    return found.length === count && found.every(({ status }) => status?.reason !== undefined) ? found : undefined;
  });

const vanished = (name: string) =>
  until(`no Challenge of ${name}`, async () => {
    const left = await challengesOf(name);
    if (left.length === 0) return true;
    throw new Error(left.map(({ spec, status }) => `${spec.dnsName}: ${status?.reason}`).join());
  });

describe('while one of two names is not at all nameservers', () => {
  it('that one alone has a Challenge, with all that a solver is told', async () => {
    await using _ = keepUp(scene.bind, 'proofs.test');
    const dnsNames = ['*.lag.example.test', 'kept.proofs.test'];
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'lag', dnsNames })]);
    await until('the name that is everywhere to have no Challenge', async () => {
      const [only, ...more] = await told('lag');
      return more.length === 0 && only?.spec.dnsName === 'lag.example.test';
    });
    const [challenge] = await told('lag');
    const order = await orderOf(team, 'lag');
    const [value] = await scene.bind.values(scene.bind.primary, '_acme-challenge.lag.example.test');
    expect(challenge).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Order', name: order?.metadata.name, controller: true }] },
      spec: {
        type: 'DNS-01',
        dnsName: 'lag.example.test',
        wildcard: true,
        key: value,
        issuerRef: { name: 'dns' },
        solver: rfc2136(scene),
      },
      status: { state: 'pending', presented: true, processing: true },
    });
    expect(challenge?.status?.reason).toMatch(/1 of 2 lack it: ns2\.example\.test\.$/);
    const offered = order?.status?.authorizations?.find(({ wildcard }) => wildcard === true)?.challenges;
    expect(offered?.map(({ token }) => token)).toContain(challenge?.spec.token);
    expect(offered?.map(({ url }) => url)).toContain(challenge?.spec.url);
    expect(createHash('sha256').update('').digest('base64url')).toHaveLength(challenge?.spec.key.length ?? 0);
  });

  it('kubectl and cmctl show it', async () => {
    const table = await team.kubectl.run(['get', 'challenges', '-n', team.namespace]);
    expect(table).toMatch(
      /^NAME +STATE +DOMAIN +REASON +AGE\nlag-1-\S+ +pending +lag\.example\.test +The TXT record at _acme/,
    );
    const program = await buildCmctl((line) => process.stdout.write(`  ${line}\n`));
    const args = [
      'status',
      'certificate',
      'lag',
      '-n',
      team.namespace,
      `--cache-dir=${join(scene.world.dir, 'cmctl')}`,
    ];
    const { stdout } = await execa(program, args, {
      env: { KUBECONFIG: scene.world.kubeconfig },
      cwd: scene.world.dir,
    });
    expect(stdout).toMatch(/^Challenges:\n- Name: lag-1-\S+, Type: DNS-01, Token: .*lack it: ns2\.example\.test\./m);
  }, 1_800_000);

  it('nothing is written but when it is looked again', async () => {
    const audit = openAudit(scene.world.auditLog);
    const next = async () => (await orderOf(team, 'lag'))?.metadata.annotations?.['certway.dev/state'] ?? '';
    const changed = async (last: string) =>
      until('another look', async () => (await next()) !== last && next(), { deadlineMs: 60_000 });
    const first = await changed(await next());
    const before = (await audit.writes()).length;
    await changed(first);
    const writes = (await audit.writes()).slice(before);
    const ours = writes.filter(({ user, name }) => user === controllerUser && name.startsWith('lag'));
    expect(ours.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(['update orders']);
  });

  it('it goes when the name is everywhere, and the certificate comes', async () => {
    await using _ = keepUp(scene.bind, 'proofs.test');
    await scene.bind.catchUp('example.test');
    // A touch of the solver's Secret ends the wait, which has grown to half a minute by now.
    await team.kubectl.run(['annotate', 'secret/tsig', 'touched=yes', '-n', team.namespace]);
    await team.ready('lag', 10_000);
    await vanished('lag');
    await swept(scene.bind, '_acme-challenge.lag.example.test');
  });
});

it('a record that cannot be presented has a Challenge that says so, and goes with its Certificate', async () => {
  const { rfc2136: spec } = rfc2136(scene).dns01 ?? {};
  const solver = Object({ dns01: { rfc2136: { ...spec, tsigKeyName: 'nobody.' } } });
  await team.kubectl.apply([
    issuerWith(team.namespace, scene.world.acme, 'misnamed', [solver]),
    certificateFor(team.namespace, { name: 'misnamed', dnsNames: ['misnamed.example.test'], issuer: 'misnamed' }),
  ]);
  const [challenge] = await told('misnamed');
  expect(challenge?.status).toMatchObject({ presented: false, reason: expect.stringMatching(/\(BADKEY\)/) });
  await team.kubectl.run(['delete', 'certificate/misnamed', '-n', team.namespace]);
  await vanished('misnamed');
  await until('the Order to be gone', async () => (await orderOf(team, 'misnamed')) === undefined);
});

it('a Challenge goes when the CA refuses what it told of', async () => {
  await team.kubectl.apply([certificateFor(team.namespace, { name: 'refused', dnsNames: ['refused.example.test'] })]);
  await told('refused');
  scene.world.dns.set('_acme-challenge.refused.example.test', 'NXDOMAIN');
  await scene.bind.catchUp('example.test');
  await team.says('refused', 'Issuing', /^Failed: /);
  await vanished('refused');
  await swept(scene.bind, '_acme-challenge.refused.example.test');
});
