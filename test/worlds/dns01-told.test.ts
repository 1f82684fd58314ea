// What is in the way of DNS-01, told in words: before anything is asked of the CA where that can be known, and mended by an event, not by waiting.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orders } from '../../src/api/resources.ts';
import type { Controller } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';
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
  team = await makeTeam(scene.world, 'dns01');
  const { namespace } = team;
  await team.kubectl.apply([
    tsigSecret(namespace, scene.key.secret),
    issuerWith(namespace, scene.world.acme, 'dns', [rfc2136(scene)]),
    gateway(namespace),
  ]);
  await team.issuerSays('dns', 'True', /^ACMEAccountRegistered/);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
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
      issuerWith(team.namespace, scene.world.acme, 'azure', [
        { dns01: { azureDNS: { subscriptionID: 'x', resourceGroupName: 'x' } } },
      ]),
      certificateFor(team.namespace, { name: 'azure', dnsNames: ['azure.example.test'], issuer: 'azure' }),
    ]);
    await team.says('azure', 'Issuing', /^NoChallengePath: Certway does not write records at Azure DNS .*webhook/);
    expect(await orderOf(team, 'azure')).toBeUndefined();
  });

  it('a name in nobody’s zone is told, and makes no order', async () => {
    await team.kubectl.apply([certificateFor(team.namespace, { name: 'nowhere', dnsNames: ['a.nowhere.test'] })]);
    await team.says('nowhere', 'Issuing', /^DNSLookupFailed: No DNS zone holds _acme-challenge\.a\.nowhere\.test/);
    const order = await orderOf(team, 'nowhere');
    expect(order?.status?.url).toBeUndefined();
    expect(order?.metadata.finalizers).toBeUndefined();
  });

  it('a circle of CNAMEs is told, with its names', async () => {
    await team.kubectl.apply([
      issuerWith(team.namespace, scene.world.acme, 'round', [rfc2136(scene, { cnameStrategy: 'Follow' })]),
      certificateFor(team.namespace, { name: 'circle', dnsNames: ['circle.example.test'], issuer: 'round' }),
    ]);
    await team.says(
      'circle',
      'Issuing',
      /^DNSLookupFailed: The CNAMEs of .* turn in a circle: .* → there\.example\.test/,
    );
    expect((await orderOf(team, 'circle'))?.status?.url).toBeUndefined();
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
    const noted = await until('the wait to be noted', async () => {
      const text = (await orderOf(team, 'wrong'))?.metadata.annotations?.['certway.dev/state'];
      return text === undefined ? undefined : JSON.parse(text);
    });
    expect(noted.attempts).toBeLessThanOrEqual(2);
    expect(Date.parse(noted.nextAttemptAt) - Date.now()).toBeGreaterThan(5_000);
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
