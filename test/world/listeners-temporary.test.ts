// The self-signed stand-in that an annotation asks for: a listener has a pair to serve before HTTP-01 begins, nobody takes it for the real one,
// and the real one comes with the same key.

import { createPublicKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { clusterIssued, door, eventually, kinds, openIssuer, put, setOf } from './listener-scene.ts';
import { acmeIssuer, httpsListener, makeTeam } from './team.ts';
import { openTrail } from './trail.ts';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const read = (secret: Secret | undefined, key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
const publicHalf = (key: Parameters<typeof createPublicKey>[0]) =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' });

describe.concurrent.each([
  ...kinds.map((kind) => [kind, 'certway.dev/temporary-certificate'] as const),
  ['Gateway', 'cert-manager.io/issue-temporary-certificate'] as const,
])('a %s with %s', (kind, annotation) => {
  it('has a stand-in while the CA has not issued, and then the certificate, with the same key', async () => {
    await using team = await makeTeam(world, 'stand-in');
    const host = `web.${team.namespace}.example.com`;
    const annotations = {
      'cert-manager.io/issuer': 'acme',
      'cert-manager.io/private-key-algorithm': 'ECDSA',
      [annotation]: 'true',
    };
    const listeners = [httpsListener('web', host, { name: 'web-tls' })];
    // Nobody answers there, so that the proof does not pass.
    await world.dns.set(host, ['127.0.0.9']);
    await put(team, [
      acmeIssuer(team.namespace, world.acme),
      door(team.namespace, 'parent', {
        allowed: { from: 'Same' },
        ...(kind === 'Gateway' && { annotations, listeners }),
      }),
      ...(kind === 'Gateway' ? [] : [setOf(team.namespace, { kind, name: 'web', annotations }, listeners)]),
    ]);
    const secret = await until('the stand-in', () => team.secret('web-tls'), eventually);
    const standIn = new X509Certificate(read(secret, 'tls.crt'));
    expect(standIn.verify(standIn.publicKey)).toBe(true);
    expect(standIn.checkHost(host)).toBe(host);
    expect(secret.type).toBe('kubernetes.io/tls');
    expect(publicHalf(read(secret, 'tls.key'))).toBe(standIn.publicKey.export({ type: 'spki', format: 'pem' }));
    expect(publicHalf(read(await team.secret('web-tls-1-key'), 'tls.key'))).toBe(publicHalf(read(secret, 'tls.key')));
    expect(await team.certificate('web-tls')).toMatchObject({
      metadata: { annotations: { 'cert-manager.io/issue-temporary-certificate': 'true' } },
    });
    await team.says('web-tls', 'Ready', /TemporaryCertificate/, eventually.deadlineMs);
    expect((await team.certificate('web-tls'))?.status?.revision).toBeUndefined();

    await world.dns.clear(host);
    await team.ready('web-tls', 60_000);
    const issued = await team.secret('web-tls');
    const leaf = new X509Certificate(read(issued, 'tls.crt'));
    expect(leaf.verify(leaf.publicKey)).toBe(false);
    expect(issued?.metadata.uid).toBe(secret.metadata.uid);
    expect(publicHalf(read(issued, 'tls.key'))).toBe(publicHalf(read(secret, 'tls.key')));
  });
});

describe('an issuer that signs at once', () => {
  it('needs no stand-in: the Secret is written once', async () => {
    await using team = await makeTeam(world, 'no-stand-in');
    await using self = await openIssuer(world);
    const trail = await openTrail(world.auditLog);
    const annotations = clusterIssued(self.name, { 'certway.dev/temporary-certificate': 'true' });
    const listeners = [httpsListener('web', `web.${team.namespace}.example.com`, { name: 'web-tls' })];
    await put(team, [door(team.namespace, 'parent', { annotations, listeners })]);
    await team.ready('web-tls', eventually.deadlineMs);
    const writes = (await trail.requests()).filter(
      ({ verb, resource, namespace }) => verb === 'patch' && resource === 'secrets' && namespace === team.namespace,
    );
    expect(writes).toHaveLength(1);
  });

  it('may be asked for the very subject that marks stand-ins, and does not sign it for ever', async () => {
    await using team = await makeTeam(world, 'looks-like');
    await using self = await openIssuer(world);
    const annotations = clusterIssued(self.name, { 'cert-manager.io/subject-serialnumber': '1234567890' });
    const listeners = [httpsListener('web', `web.${team.namespace}.example.com`, { name: 'web-tls' })];
    await put(team, [door(team.namespace, 'parent', { annotations, listeners })]);
    await team.says('web-tls', 'Issuing', /Failed: .*serial ?[nN]umber/, eventually.deadlineMs);
    expect(await team.secret('web-tls')).toBeUndefined();
  });
});
