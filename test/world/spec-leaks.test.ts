// Passwords, tokens and shared keys stay in Secrets as private keys do (secrets.test.ts): where they are used, where they are wrong, and where the other side
// refuses them, no log line, event or object shows one.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { annotations } from '../../src/api/names.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { privateMatter, secretWord, whatLeaks } from './leaks.ts';
import { atRevision, issuerOf, put } from './spec-scene.ts';
import { acmeIssuer, caIssuer, gateway, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'words');
  await team.kubectl.apply([...caIssuer(team.namespace), gateway(team.namespace)]);
  await team.kubectl.apply(Object.entries(words).map(([name, word]) => secretOf(name, word)));
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** By the name of the Secret that it stands in, under the key "word". */
const words = {
  keystore: 'the password of a keystore 4711',
  token: 'hvs.CAESIJq0Zkm2YvL0h8u3nTtTokenOfNobody',
  'secret-id': '5f0c0a7e-secret-id-of-an-app-role',
  tsig: 'dHNpZyBrZXkgb2YgYSB6b25lIHRoYXQgaXMgbm9ib2R5cw==',
  'bad-tsig': '%%% a TSIG key that is not base64 %%%',
  eab: 'ZWFiIGtleSBvZiBhbiBhY2NvdW50IHRoYXQgaXMgbm9ib2R5cw',
  'bad-eab': '%%% an EAB key that is not base64url %%%',
} as const;

type Word = keyof typeof words;

function secretOf(name: string, word: string): KubeObject {
  const metadata = { name, namespace: team.namespace };
  return { apiVersion: 'v1', kind: 'Secret', metadata, ...{ stringData: { word } } };
}

const ref = (name: Word) => ({ name, key: 'word' });

async function shown(): Promise<readonly string[]> {
  const matter = Object.entries(words).map(([name, word]) => secretWord(name, word));
  const printed = await readFile(inject('controllerLog'), 'utf8');
  expect(printed).toContain(team.namespace);
  return whatLeaks(team, [...matter, ...(await privateMatter(team))], [printed]);
}

it('by keystores that are made and made again, and by one that cannot be', async () => {
  const store = { create: true, passwordSecretRef: ref('keystore') };
  const wish = { dnsNames: ['stores.example.com'], keystores: { pkcs12: store, jks: store } };
  await put(team, 'stores', wish);
  await atRevision(team, 'stores', 1);
  await put(team, 'stores', { ...wish, keystores: { pkcs12: { ...store, profile: 'Modern2023' } } });
  await atRevision(team, 'stores', 1);
  const wrongKey = { create: true, passwordSecretRef: { name: 'keystore', key: 'other' } };
  await put(team, 'no-stores', { dnsNames: ['no-stores.example.com'], keystores: { jks: wrongKey } });
  await team.says('no-stores', 'Issuing', /^KeystorePasswordMissing: /);
  expect(await shown()).toEqual([]);
});

describe('by a Vault issuer', () => {
  const vault = (server: string, auth: object) => {
    const caBundle = Buffer.from(world.acme.caPem).toString('base64');
    return { vault: { server, path: 'pki/sign/web', caBundle, auth } };
  };
  const auths: readonly (readonly [string, () => object])[] = [
    ['a token', () => ({ tokenSecretRef: ref('token') })],
    ['a secret ID', () => ({ appRole: { path: 'approle', roleId: 'web', secretRef: ref('secret-id') } })],
  ];
  it.each(auths)('with %s, whether nobody answers or somebody who is no Vault', async (what, auth) => {
    const stem = what.replaceAll(/\W/g, '').toLowerCase();
    const [nobody, other] = [`${stem}-nobody`, `${stem}-other`];
    await team.kubectl.apply([
      issuerOf(team.namespace, nobody, vault('https://127.0.0.1:1', auth())),
      issuerOf(team.namespace, other, vault(new URL(world.acme.directory).origin, auth())),
    ]);
    await team.issuerSays(nobody, 'False', /127\.0\.0\.1:1/);
    await team.issuerSays(other, 'False', /./);
    expect(await shown()).toEqual([]);
  });
});

describe('by an ACME issuer', () => {
  it.each(['eab', 'bad-eab'] as const)('whose binding has the key %s', async (name) => {
    const issuer = acmeIssuer(team.namespace, world.acme, name) as KubeObject & { readonly spec: { acme: object } };
    const externalAccountBinding = { keyID: 'nobody', keySecretRef: ref(name) };
    await team.kubectl.apply([{ ...issuer, spec: { acme: { ...issuer.spec.acme, externalAccountBinding } } }]);
    await team.issuerSays(name, 'False', /./);
    expect(await shown()).toEqual([]);
  });

  it.each(['tsig', 'bad-tsig'] as const)('whose DNS server is changed with the key %s', async (name) => {
    const issuer = acmeIssuer(team.namespace, world.acme, name) as KubeObject & { readonly spec: { acme: object } };
    const tsig = { tsigKeyName: 'certway', tsigAlgorithm: 'HMACSHA256', tsigSecretSecretRef: ref(name) };
    const solvers = [{ dns01: { rfc2136: { nameserver: '127.0.0.1:1', ...tsig } } }];
    await team.kubectl.apply([{ ...issuer, spec: { acme: { ...issuer.spec.acme, solvers } } }]);
    const noted = { [annotations.parentRefKind]: 'Gateway', [annotations.parentRefName]: 'parent' };
    const certificate = `by-${name}`;
    await put(team, certificate, { dnsNames: [`${name}.example.com`], issuerRef: { name } }, noted);
    await team.says(certificate, 'Issuing', /127\.0\.0\.1:1|TSIG|tsig/, 60_000);
    expect(await shown()).toEqual([]);
  });
});

it('that this test would not find', async () => {
  for (const form of [words.keystore, Buffer.from(words.keystore).toString('base64')]) {
    const found = await whatLeaks(team, [secretWord('keystore', words.keystore)], [`{"msg":"${form}"}`]);
    expect(found).toEqual(['keystore in what was printed']);
  }
});
