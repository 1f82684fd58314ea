// The kind of key is edited while an order is under way, or after the CA has refused it: one new key, one new request, no circle.

import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';
import { openTrail } from './trail.ts';

let world: SharedWorld;
beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

async function ask(team: Team, host: string, algorithm: string): Promise<void> {
  const annotations = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/private-key-algorithm': algorithm };
  await team.kubectl.apply([listenerSet(team.namespace, { name: 'web', hostname: host, annotations })]);
}

async function expectEcdsa(team: Team): Promise<void> {
  await team.ready('web-tls', 60_000);
  const secret = (await team.list<Secret>('secrets')).find((each) => each.metadata.name === 'web-tls');
  const key = createPrivateKey(Buffer.from(secret?.data?.['tls.key'] ?? '', 'base64'));
  expect(key.asymmetricKeyType).toBe('ec');
  const requests = await team.list('certificaterequests.cert-manager.io');
  expect(requests).toHaveLength(1);
}

it('while the name cannot be proven yet', async () => {
  await using team = await makeTeam(world, 'key-edit');
  const host = `${team.namespace}.example.com`;
  await world.dns.set(host, 'NXDOMAIN');
  await team.kubectl.apply([acmeIssuer(team.namespace, world.acme), gateway(team.namespace)]);
  await ask(team, host, 'RSA');
  await until('an order under way', async () => (await team.list('orders.acme.cert-manager.io')).length > 0);
  await ask(team, host, 'ECDSA');
  await world.dns.set(host, ['127.0.0.1']);
  await expectEcdsa(team);
  await world.dns.clear(host);
});

it('after the CA has refused the kind', async () => {
  await using team = await makeTeam(world, 'key-refused');
  const host = `${team.namespace}.example.com`;
  await team.kubectl.apply([acmeIssuer(team.namespace, world.acme), gateway(team.namespace)]);
  await ask(team, host, 'Ed25519');
  await until('the refusal to be told', async () => {
    const issuing = conditionOf((await team.certificate('web-tls'))?.status?.conditions, 'Issuing');
    return issuing?.reason === 'Failed';
  });
  const trail = await openTrail(world.auditLog);
  await ask(team, host, 'ECDSA');
  await expectEcdsa(team);
  const writes = (await trail.requests()).filter(
    ({ namespace, resource, verb }) =>
      namespace === team.namespace &&
      resource.startsWith('certificaterequests') &&
      !['get', 'list', 'watch'].includes(verb),
  );
  expect(writes.map(({ verb }) => verb).sort()).toEqual(['create', 'delete', 'update']);
});
