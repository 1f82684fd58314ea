// Certificates that stand in somebody's way: Secrets that are not ours, one Secret for two Certificates, a listener's name taken by a person's
// Certificate. What is not ours is never written, and everything goes on by itself when its owner gives way.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { caIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';
import { askedMeanwhile, openTrail, type Trail } from './trail.ts';

const byCa = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };

let world: SharedWorld;
let team: Team;
let trail: Trail;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'way');
  await team.kubectl.apply([...caIssuer(team.namespace), gateway(team.namespace)]);
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const host = (name: string) => `${name}.${team.namespace}.example.com`;

function set(name: string): KubeObject {
  return listenerSet(team.namespace, { name, hostname: host(name), annotations: byCa });
}

function certificate(name: string, secretName: string): KubeObject {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace: team.namespace },
    ...{
      spec: {
        secretName,
        dnsNames: [host(name)],
        issuerRef: { name: 'ca' },
        privateKey: { algorithm: 'ECDSA', size: 256 },
      },
    },
  };
}

function secret(name: string, type: string, stringData: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: team.namespace }, ...{ type, stringData } };
}

let markers = 0;

/** Certificates that come later are issued; meanwhile nothing is asked about the one that cannot be. */
async function expectQuiet(stem: string): Promise<void> {
  const disturb = async () => {
    markers += 1;
    await team.kubectl.apply([certificate(`marker${markers}`, `marker${markers}`)]);
    await team.ready(`marker${markers}`);
  };
  expect(await askedMeanwhile(trail, { namespace: team.namespace, stem }, disturb)).toEqual([]);
}

const remove = (what: string) => team.kubectl.run(['delete', what, '-n', team.namespace]);

describe('a Secret that Certway did not make', () => {
  it.each([
    ['of another type', 'Opaque', { password: 'mine' }],
    ['of type TLS', 'kubernetes.io/tls', { 'tls.crt': 'mine', 'tls.key': 'mine' }],
  ] as const)('%s is left as it is, and filled when its owner has deleted it', async (what, type, data) => {
    const name = what.endsWith('TLS') ? 'taken' : 'held';
    await team.kubectl.apply([secret(`${name}-tls`, type, data)]);
    const before = await team.secret(`${name}-tls`);
    await team.kubectl.apply([set(name)]);
    await team.told(`${name}-tls`, /^SecretNotOurs: Secret ".*" exists .* left alone\. Delete it, or choose another/);
    await team.says(`${name}-tls`, 'Ready', /exists and was not made for a Certificate/);
    await expectQuiet(name);
    expect(await team.secret(`${name}-tls`)).toEqual(before);
    await remove(`secret/${name}-tls`);
    await team.ready(`${name}-tls`);
  });

  it('and stands in place of ours is left as it is as well', async () => {
    await team.kubectl.apply([set('swapped')]);
    await team.told('swapped-tls', /^Issuing: .*issued/);
    const own = secret('swapped-tls', 'kubernetes.io/tls', { 'tls.crt': 'mine', 'tls.key': 'mine' });
    await team.kubectl.run(['replace', '-f', '-'], JSON.stringify(own));
    await team.told('swapped-tls', /^SecretNotOurs: /);
    await expectQuiet('swapped');
    expect((await team.secret('swapped-tls'))?.data?.['tls.key']).toBe(Buffer.from('mine').toString('base64'));
  });

  it('and came after the last look is not overwritten by the issuance that then begins', async () => {
    const meant = { ...byCa, 'cert-manager.io/issuer': 'later' };
    await team.kubectl.apply([
      listenerSet(team.namespace, { name: 'raced', hostname: host('raced'), annotations: meant }),
    ]);
    await team.told('raced-tls', /^IssuerNotFound: /);
    await team.kubectl.apply([secret('raced-tls', 'kubernetes.io/tls', { 'tls.crt': 'mine', 'tls.key': 'mine' })]);
    const before = await team.secret('raced-tls');
    const spec = { ca: { secretName: 'ca-root' } };
    const metadata = { name: 'later', namespace: team.namespace };
    await team.kubectl.apply([{ apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata, spec }]);
    await team.told('raced-tls', /^SecretNotOurs: /);
    await expectQuiet('raced');
    expect(await team.secret('raced-tls')).toEqual(before);
    await remove('secret/raced-tls');
    await team.ready('raced-tls');
  });
});

describe('two Certificates with one secretName', () => {
  it('do not fight: the first keeps it, the second says which, and takes over when the first is gone', async () => {
    await team.kubectl.apply([certificate('first', 'shared')]);
    await team.told('first', /^Issuing: .*issued/);
    const issued = await team.secret('shared');
    await team.kubectl.apply([certificate('second', 'shared')]);
    await team.told(
      'second',
      /^DuplicateSecretName: Certificate "first" already writes Secret "shared"; choose another/,
    );
    await expectQuiet('second');
    expect(await team.secret('shared')).toEqual(issued);
    await remove('certificate/first');
    await team.ready('second');
    const noted = (await team.secret('shared'))?.metadata.annotations ?? {};
    expect(noted['cert-manager.io/certificate-name']).toBe('second');
  });
});

describe('a Certificate of a person under the name that a listener wants', () => {
  it('is left alone, the set says so, and gets its own when it is gone', async () => {
    await team.kubectl.apply([certificate('theirs-tls', 'theirs-tls')]);
    const before = await team.ready('theirs-tls');
    await team.kubectl.apply([set('theirs')]);
    await team.told('theirs', /^BadConfig: Certificate "theirs-tls" .* left alone\. To go on, name another Secret/);
    await expectQuiet('theirs.');
    expect((await team.certificate('theirs-tls'))?.spec).toEqual(before.spec);
    await remove('certificate/theirs-tls');
    const made = await until('the Certificate of the listener', async () => {
      const found = await team.certificate('theirs-tls');
      return found?.metadata.ownerReferences?.[0]?.name === 'theirs' ? found : undefined;
    });
    expect(made.spec.dnsNames).toEqual([host('theirs')]);
    await team.ready('theirs-tls');
  });
});
