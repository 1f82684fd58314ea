// --enable-certificate-owner-ref, switched on and off between restarts: the Secret's owner comes and goes without an issuance, and with an owner
// the Secret is collected when its Certificate is deleted.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { caIssuer, makeTeam, type Team } from '../world/team.ts';

const withOwners = ['--enable-certificate-owner-ref'];

let world: World;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  world = await startWorld();
  controller = await startController(world, { flags: withOwners });
  team = await makeTeam(world, 'owner');
  const spec = { secretName: 'web-tls', issuerRef: { name: 'ca' }, dnsNames: ['web.example.com'] };
  const metadata = { name: 'web', namespace: team.namespace };
  const web: KubeObject = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, ...{ spec } };
  await team.kubectl.apply([...caIssuer(team.namespace), web]);
  await team.ready('web');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await controller?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function restart(...flags: readonly string[]): Promise<void> {
  await controller[Symbol.asyncDispose]();
  controller = await startController(world, { flags });
}

async function owners() {
  const secret = await team.secret('web-tls');
  if (secret === undefined) throw new Error('no Secret');
  return secret.metadata.ownerReferences ?? [];
}

const certificateText = async () => (await team.secret('web-tls'))?.data?.['tls.crt'];

it('names the Certificate as owner, as cert-manager does', async () => {
  const uid = (await team.certificate('web'))?.metadata.uid ?? '';
  expect(await owners()).toEqual([
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      name: 'web',
      uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
});

it('takes the owner away when the flag is gone, and gives it back with it', async () => {
  const before = await certificateText();
  await restart();
  await until('no owner', async () => (await owners()).length === 0);
  await restart(...withOwners);
  await until('an owner again', async () => (await owners()).length === 1);
  expect(await certificateText()).toBe(before);
  expect((await team.certificate('web'))?.status?.revision).toBe(1);
});

it('the Secret goes with its Certificate', async () => {
  await team.kubectl.run(['delete', 'certificate.cert-manager.io', 'web', '-n', team.namespace]);
  await until('no Secret', async () => (await team.secret('web-tls')) === undefined, { deadlineMs: 60_000 });
});
