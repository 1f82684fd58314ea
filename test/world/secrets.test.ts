// Private keys stay in Secrets: after an issuance of each kind, and after mistakes with keys in them, no log line, event or status shows one.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { privateMatter, whatLeaks } from './leaks.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'keys');
  const objects = [...caIssuer(team.namespace), acmeIssuer(team.namespace, world.acme), gateway(team.namespace)];
  await team.kubectl.apply([...objects, ...wishes.map(setOf)]);
  await Promise.all(wishes.map(({ name }) => team.ready(`${name}-tls`, 60_000)));
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Wish {
  readonly name: string;
  readonly issuer: string;
  readonly key?: string;
  readonly encoding?: string;
}

const wishes: readonly Wish[] = [
  { name: 'ca-rsa', issuer: 'ca' },
  { name: 'ca-ecdsa', issuer: 'ca', key: 'ECDSA', encoding: 'PKCS8' },
  { name: 'ca-ed', issuer: 'ca', key: 'Ed25519', encoding: 'PKCS8' },
  { name: 'self', issuer: 'selfsigned', key: 'ECDSA' },
  { name: 'acme-rsa', issuer: 'acme' },
  { name: 'acme-ecdsa', issuer: 'acme', key: 'ECDSA' },
];

function setOf({ name, issuer, key, encoding }: Wish): KubeObject {
  const annotations = {
    'cert-manager.io/issuer': issuer,
    ...(key !== undefined && { 'cert-manager.io/private-key-algorithm': key }),
    ...(encoding !== undefined && { 'cert-manager.io/private-key-encoding': encoding }),
  };
  return listenerSet(team.namespace, { name, hostname: `${name}.${team.namespace}.example.com`, annotations });
}

const printed = () => readFile(inject('controllerLog'), 'utf8');

/** A key of the namespace, in a Secret where it does not belong or does not parse. */
async function misplaced(name: string, change: (pem: string) => string): Promise<KubeObject> {
  const pem = Buffer.from((await team.secret('ca-rsa-tls'))?.data?.['tls.key'] ?? '', 'base64').toString();
  const metadata = { name, namespace: team.namespace };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    ...{ stringData: { 'tls.crt': pem, 'tls.key': change(pem) } },
  };
}

describe('no private key is shown', () => {
  it('by an issuance of any kind', async () => {
    const matter = await privateMatter(team);
    const holders = matter.map(({ secret }) => secret);
    for (const name of [...wishes.map((wish) => `${wish.name}-tls`), 'ca-root', 'acme-account']) {
      expect(holders).toContain(name);
    }
    expect(await whatLeaks(team, matter, [await printed()])).toEqual([]);
  });

  it('by the refusal of a Secret that holds one in the wrong place', async () => {
    const halved = (pem: string) => pem.slice(0, pem.length / 2);
    await team.kubectl.apply([
      await misplaced('mixed-up', (pem) => pem),
      await misplaced('torn', halved),
      await misplaced('torn-acme-account', halved),
    ]);
    const issuer = (name: string, spec: object): KubeObject => {
      const metadata = { name, namespace: team.namespace };
      return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata, ...{ spec } };
    };
    await team.kubectl.apply([
      issuer('mixed-up', { ca: { secretName: 'mixed-up' } }),
      issuer('torn', { ca: { secretName: 'torn' } }),
      acmeIssuer(team.namespace, world.acme, 'torn-acme'),
    ]);
    await team.issuerSays('mixed-up', 'False', /^ErrInvalidKeyPair/);
    await team.issuerSays('torn', 'False', /^ErrInvalidKeyPair/);
    await team.issuerSays('torn-acme', 'False', /^ErrVerifyACMEAccount/);
    const whole = (await privateMatter(team)).filter(({ secret }) => secret === 'ca-rsa-tls');
    expect(await whatLeaks(team, whole, [await printed()])).toEqual([]);
  });

  it('that this test would not find', async () => {
    const [first] = await privateMatter(team);
    const fragment = first?.fragments.at(-1) ?? '';
    expect(await whatLeaks(team, first === undefined ? [] : [first], [`{"msg":"${fragment}"}`])).toHaveLength(1);
  });
});
