// DNS-01 from the Certificate to the Secret with everything real: the controller signs updates for BIND, Pebble asks the zone, and each name
// goes the way that its zone wants. dns01-told.test.ts is about what is in the way,
// dns01-cleanup.test.ts about what remains.

import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AcmeSolver } from '../../src/api/certmanager.ts';
import { controllerUser, countWrites, openAudit } from '../rig/audit.ts';
import type { Controller } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';
import {
  certificateFor,
  clusterIssuerWith,
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
  team = await makeTeam(scene.world, 'dns01');
  const { namespace } = team;
  await team.kubectl.apply([
    tsigSecret(namespace, scene.key.secret),
    tsigSecret('certway-system', scene.key.secret),
    issuerWith(namespace, scene.world.acme, 'dns', [rfc2136(scene)]),
    clusterIssuerWith(scene.world.acme, 'dns', [rfc2136(scene)]),
    gateway(namespace),
  ]);
  await team.issuerSays('dns', 'True', /^ACMEAccountRegistered/);
});
afterEach(() => scene.bind.ns2.silence('off'));
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

async function namesIn(secret: string): Promise<readonly string[]> {
  const data = (await team.secret(secret))?.data?.['tls.crt'] ?? '';
  const leaf = new X509Certificate(Buffer.from(data, 'base64'));
  return (leaf.subjectAltName ?? '')
    .split(', ')
    .map((name) => name.replace('DNS:', ''))
    .toSorted();
}

describe('a certificate by DNS-01', () => {
  it('for a zone’s apex and its wildcard comes within seconds, in twelve writes, and leaves no record', async () => {
    await using _ = keepUp(scene.bind);
    const audit = openAudit(scene.world.auditLog);
    const before = (await audit.writes()).length;
    const dnsNames = ['example.test', '*.example.test'];
    const started = performance.now();
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'apex', dnsNames })]);
    await team.ready('apex');
    const took = performance.now() - started;
    expect(await namesIn('apex-tls')).toEqual(dnsNames.toSorted());
    await swept(scene.bind, '_acme-challenge.example.test');
    await until('the Order to be let go', async () => {
      const order = await orderOf(team, 'apex');
      return order?.status?.state === 'valid' && (order.metadata.finalizers ?? []).length === 0;
    });
    const ours = async () =>
      (await audit.writes())
        .slice(before)
        .filter(({ user, name }) => user === controllerUser && name.startsWith('apex'));
    await until('the key to be deleted', async () =>
      (await ours()).some(({ verb, resource }) => `${verb} ${resource}` === 'delete secrets'),
    );
    const { total, rows } = countWrites(await ours(), {});
    const spelled = rows.map(({ verb, resource, count }) => `${count} ${verb} ${resource}`).join(', ');
    process.stdout.write(`  dns-01: apex and wildcard in ${(took / 1000).toFixed(2)} s, ${total} writes: ${spelled}\n`);
    expect(took).toBeLessThan(10_000);
    expect(total).toBeLessThanOrEqual(12);
  });

  it('by a ClusterIssuer takes its key from certway-system', async () => {
    await using _ = keepUp(scene.bind);
    const wish = { name: 'cluster', dnsNames: ['cluster.example.test'], kind: 'ClusterIssuer' } as const;
    await team.kubectl.apply([certificateFor(team.namespace, wish)]);
    await team.ready('cluster');
  });

  it('comes twice where two Certificates prove one name at the same time; each removes its own value', async () => {
    await using _ = keepUp(scene.bind);
    const dnsNames = ['twice.example.test'];
    await team.kubectl.apply(['one', 'two'].map((name) => certificateFor(team.namespace, { name, dnsNames })));
    await Promise.all([team.ready('one'), team.ready('two')]);
    await swept(scene.bind, '_acme-challenge.twice.example.test');
  });

  it('for a name that is delegated by CNAME is proven where the CNAME leads', async () => {
    await using _ = keepUp(scene.bind, 'proofs.test');
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'follow', [rfc2136(scene, { cnameStrategy: 'Follow' })]),
      certificateFor(team.namespace, { name: 'delegated', dnsNames: ['delegated.example.test'], issuer: 'follow' }),
    ]);
    const order = await until('the records to be noted', async () => {
      const found = await orderOf(team, 'delegated');
      return found?.metadata.annotations?.['certway.dev/records'] === undefined ? undefined : found;
    });
    expect(JSON.parse(order.metadata.annotations?.['certway.dev/records'] ?? '')).toMatchObject([
      { name: 'delegated.example.test', record: { fqdn: 'proof.proofs.test.', zone: 'proofs.test.' } },
    ]);
    await team.ready('delegated');
    await swept(scene.bind, 'proof.proofs.test');
  });

  it('shares an issuer with HTTP-01: each name goes the way that its zone selects', async () => {
    await using _ = keepUp(scene.bind);
    const http = { http01: { gatewayHTTPRoute: { parentRefs: [{ name: 'parent' }] } } };
    const dns = { ...rfc2136(scene), selector: { dnsZones: ['example.test'] } };
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'mixed', [http, dns]),
      certificateFor(team.namespace, {
        name: 'mixed',
        dnsNames: ['*.mixed.example.test', 'www.elsewhere.example.com'],
        issuer: 'mixed',
      }),
    ]);
    await team.ready('mixed');
    const order = await orderOf(team, 'mixed');
    const kinds = order?.status?.authorizations?.map(({ identifier, wildcard }) => `${identifier} ${wildcard}`);
    expect(kinds?.toSorted()).toEqual(['mixed.example.test true', 'www.elsewhere.example.com false']);
    await swept(scene.bind, '_acme-challenge.mixed.example.test');
  });
});

describe('a name by HTTP-01 and its wildcard by DNS-01', () => {
  const viaParent = { http01: { gatewayHTTPRoute: { parentRefs: [{ name: 'parent' }] } } };

  async function ask(name: string, http: AcmeSolver): Promise<void> {
    const host = `${name}.example.test`;
    scene.world.dns.set(host, ['127.0.0.1']);
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, name, [http, rfc2136(scene)]),
      certificateFor(team.namespace, { name, dnsNames: [host, `*.${host}`], issuer: name }),
    ]);
  }

  it('are each looked at with its own token', async () => {
    await using _ = keepUp(scene.bind);
    await ask('both', viaParent);
    await team.ready('both');
    await swept(scene.bind, '_acme-challenge.both.example.test');
  });

  it('are both waited for where HTTP-01 has a delay instead of a look', async () => {
    await ask('delayed', { ...viaParent, waitInsteadOfSelfCheck: '1s' });
    await team.says('delayed', 'Issuing', /^NotPropagated: .* ns2\.example\.test/);
    await scene.bind.catchUp('example.test');
    await team.ready('delayed');
  });
});

describe('a record', () => {
  it('that a secondary lacks is told with the server’s name, and the CA is asked when the secondary has it', async () => {
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'lag', dnsNames: ['lag.example.test'] })]);
    const said = await team.says('lag', 'Issuing', /^NotPropagated: .* 1 of 2 lack it: ns2\.example\.test/);
    expect(said.message).toContain('_acme-challenge.lag.example.test');
    expect((await orderOf(team, 'lag'))?.status?.state).toBe('pending');
    await scene.bind.catchUp('example.test');
    await team.ready('lag');
    await swept(scene.bind, '_acme-challenge.lag.example.test');
  });

  it('of which one server says nothing is waited for half a minute, then believed', async () => {
    await using _ = keepUp(scene.bind);
    scene.bind.ns2.silence('on');
    const started = performance.now();
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'silent', dnsNames: ['silent.example.test'] })]);
    await team.says(
      'silent',
      'Issuing',
      /^NotPropagated: Some nameservers do not tell .*ns2\.example\.test \(no answer\)/,
    );
    await team.ready('silent', 90_000);
    expect(performance.now() - started).toBeGreaterThan(28_000);
  });
});
