// DNS-01 from the Certificate to the Secret with everything real: the controller signs updates for BIND, Pebble asks the zone, and what is in the way
// is told in words. dns01-cleanup.test.ts is about what remains.

import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orders } from '../../src/api/resources.ts';
import { controllerUser, countWrites, openAudit } from '../rig/audit.ts';
import type { Controller } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';
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
  it('for a zone’s apex and its wildcard comes within seconds, in sixteen writes, and leaves no record', async () => {
    await using _ = keepUp(scene.bind);
    const audit = openAudit(scene.world.auditLog);
    await audit.writes();
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
    const writes = (await audit.writes()).filter(
      ({ user, namespace }) => user === controllerUser && namespace === team.namespace,
    );
    process.stdout.write(`  dns-01: apex and wildcard in ${(took / 1000).toFixed(2)} s, ${writes.length} writes\n`);
    expect(took).toBeLessThan(10_000);
    expect(countWrites(writes, {}).total).toBeLessThanOrEqual(16);
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

describe('before anything is asked of the CA', () => {
  it('a listener for a wildcard is refused where its issuer has HTTP-01 only, with the remedy', async () => {
    const http = { http01: { gatewayHTTPRoute: {} } };
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'http-only', [http]),
      listenerSet(team.namespace, {
        name: 'wild',
        hostname: '*.wild.example.test',
        annotations: { 'cert-manager.io/issuer': 'http-only' },
      }),
    ]);
    await team.says('wild-tls', 'Issuing', /^NoChallengePath: .*\*\.wild\.example\.test.* proven by DNS-01 only/);
    expect(await orderOf(team, 'wild-tls')).toBeUndefined();
  });

  it('a provider that Certway does not write to is named, with the ways round it', async () => {
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'azure', [{ dns01: { azureDNS: { hostedZoneName: 'x' } } }]),
      certificateFor(team.namespace, { name: 'azure', dnsNames: ['azure.example.test'], issuer: 'azure' }),
    ]);
    await team.says('azure', 'Issuing', /^NoChallengePath: Certway does not write records at Azure DNS .*webhook/);
    expect(await orderOf(team, 'azure')).toBeUndefined();
  });

  it('a solver’s Secret that is missing makes its issuer not ready; with the Secret it is, at once', async () => {
    const solver = rfc2136(scene);
    const { rfc2136: spec } = solver.dns01 ?? {};
    const named = { dns01: { rfc2136: { ...spec, tsigSecretSecretRef: { name: 'later', key: 'secret' } } } };
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'later', [Object(named)]),
      certificateFor(team.namespace, { name: 'later', dnsNames: ['later.example.test'], issuer: 'later' }),
    ]);
    await team.issuerSays('later', 'False', /^InvalidSolver: Secret ".*\/later" .* does not exist/);
    expect(await orderOf(team, 'later')).toBeUndefined();
    await using _ = keepUp(scene.bind);
    await team.kubectl.apply([tsigSecret(team.namespace, scene.key.secret, 'later')]);
    await team.ready('later', 10_000);
  });

  it('what a tenant writes into the annotation of records is not believed', async () => {
    const { secret, ...forged } = { secret: 'x', name: 'victim.example.test', solver: rfc2136(scene).dns01 };
    const record = {
      dnsName: 'victim.example.test',
      fqdn: 'victim.example.test.',
      zone: 'example.test.',
      value: secret,
      ttl: 60,
    };
    const annotations = { 'certway.dev/records': JSON.stringify([{ ...forged, record }]) };
    await using _ = keepUp(scene.bind);
    const wish = { name: 'forged', dnsNames: ['forged.example.test'], annotations };
    await team.kubectl.apply([certificateFor(team.namespace, wish)]);
    const order = await until('the Order', () => orderOf(team, 'forged'));
    expect(order.metadata.annotations?.['certway.dev/records'] ?? '').not.toContain('victim');
    await team.ready('forged');
    expect(await scene.bind.values(scene.bind.primary, 'victim.example.test')).toEqual([]);
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

describe('a key that the nameserver refuses', () => {
  it('is told, is not tried over and over, and once the Secret is mended the certificate comes at once', async () => {
    await using _ = keepUp(scene.bind);
    const wrong = Buffer.from('not the key that BIND has, at all').toString('base64');
    const { rfc2136: spec } = rfc2136(scene).dns01 ?? {};
    const named = { dns01: { rfc2136: { ...spec, tsigSecretSecretRef: { name: 'wrong', key: 'secret' } } } };
    await team.kubectl.apply([
      tsigSecret(team.namespace, wrong, 'wrong'),
      issuerWith(team.namespace, scene.world.acme, 'wrong', [Object(named)]),
      certificateFor(team.namespace, { name: 'wrong', dnsNames: ['wrong.example.test'], issuer: 'wrong' }),
    ]);
    await team.says('wrong', 'Issuing', /^PresentError: .* refuses the TSIG key .* \(BADSIG\)/);
    const audit = openAudit(scene.world.auditLog);
    await audit.writes();
    await team.kubectl.apply([tsigSecret(team.namespace, scene.key.secret, 'wrong')]);
    const mended = performance.now();
    await team.ready('wrong', 8_000);
    process.stdout.write(
      `  dns-01: ready ${((performance.now() - mended) / 1000).toFixed(2)} s after the Secret was mended\n`,
    );
    await swept(scene.bind, '_acme-challenge.wrong.example.test');
    expect((await team.all(orders)).filter(({ metadata }) => metadata.name.startsWith('wrong-')).length).toBe(1);
  });

  it('named wrongly in the issuer is told, and an edit of the issuer is enough', async () => {
    await using _ = keepUp(scene.bind);
    const { rfc2136: spec } = rfc2136(scene).dns01 ?? {};
    const named = { dns01: { rfc2136: { ...spec, tsigKeyName: 'nobody.' } } };
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'misnamed', [Object(named)]),
      certificateFor(team.namespace, { name: 'misnamed', dnsNames: ['misnamed.example.test'], issuer: 'misnamed' }),
    ]);
    await team.says('misnamed', 'Issuing', /^PresentError: .* \(BADKEY\)/);
    await team.kubectl.apply([issuerWith(team.namespace, scene.world.acme, 'misnamed', [rfc2136(scene)])]);
    await team.ready('misnamed', 8_000);
    await swept(scene.bind, '_acme-challenge.misnamed.example.test');
  });
});
