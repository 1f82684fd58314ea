// The self-signed stand-in: there while the CA cannot be satisfied, replaced by the issued certificate once it can.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam } from './team.ts';

let world: SharedWorld;
beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

it('stands in until the name can be proven', async () => {
  await using team = await makeTeam(world, 'temporary');
  const { namespace, kubectl } = team;
  const host = `${namespace}.example.com`;
  await world.dns.set(host, 'NXDOMAIN');
  const annotations = { 'cert-manager.io/issuer': 'acme', 'certway.dev/temporary-certificate': 'true' };
  await kubectl.apply([acmeIssuer(namespace, world.acme), gateway(namespace)]);
  await kubectl.apply([listenerSet(namespace, { name: 'web', hostname: host, annotations })]);
  const leaf = async () => {
    const secret = (await team.list<Secret>('secrets')).find((each) => each.metadata.name === 'web-tls');
    return secret && new X509Certificate(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64'));
  };
  const standIn = await until('the stand-in', leaf, { deadlineMs: 30_000 });
  expect(standIn.subject).toContain('1234567890');
  expect(standIn.checkHost(host)).toBe(host);
  const waiting = await until('the Certificate to say what it waits for', async () => {
    const ready = conditionOf((await team.certificate('web-tls'))?.status?.conditions, 'Ready');
    return ready?.reason === 'TemporaryCertificate' && ready;
  });
  expect(waiting.status).toBe('False');
  await world.dns.set(host, ['127.0.0.1']);
  await team.ready('web-tls', 90_000);
  const issued = await leaf();
  expect(issued?.issuer).toContain('Pebble');
  expect(issued?.publicKey.equals(standIn.publicKey)).toBe(true);
  await world.dns.clear(host);
});
