// Issuers that cannot issue: Ready=False in words that name what to change, Certificates that repeat them, and Ready without a restart as
// soon as it is mended.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { makeIdentity } from '../rig/proxy/identity.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'issuer');
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function issuer(name: string, spec: object): KubeObject {
  const metadata = { name, namespace: team.namespace };
  return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata, ...{ spec } };
}

function acmeOf(of: KubeObject): object {
  return 'spec' in of && typeof of.spec === 'object' && of.spec !== null && 'acme' in of.spec
    ? Object(of.spec.acme)
    : {};
}

function secret(name: string, type: string, stringData: Readonly<Record<string, string>>): KubeObject {
  const metadata = { name, namespace: team.namespace };
  return { apiVersion: 'v1', kind: 'Secret', metadata, ...{ type, stringData } };
}

function set(name: string, issuerName: string): KubeObject {
  const hostname = `${name}.${team.namespace}.example.com`;
  const annotations = { 'cert-manager.io/issuer': issuerName, 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  return listenerSet(team.namespace, { name, hostname, annotations });
}

interface Pair {
  readonly 'tls.crt': string;
  readonly 'tls.key': string;
}

async function selfSigned(as: 'ca' | 'leaf'): Promise<Pair> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const names = { commonName: `A ${as}`, dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [] };
  const isCA = as === 'ca';
  const csr = await createCsr({ key, names, isCA });
  const now = Math.floor(Date.now() / 1000) * 1000;
  const life = { notBefore: now - 60_000, notAfter: now + 86_400_000 };
  const signed = await selfSign({ csr, key, ...life, usages: [], isCA, serial: Buffer.alloc(16, 7) });
  if (!signed.ok) throw new Error(signed.problem.message);
  return { 'tls.crt': signed.value.chainPem, 'tls.key': keyToPem(key, 'PKCS8') };
}

describe('a CA issuer', () => {
  it('says what is wrong with its Secret until it can sign, and then signs', async () => {
    const put = (pair: Pair) => team.kubectl.apply([secret('root', 'kubernetes.io/tls', { ...pair })]);
    await team.kubectl.apply([issuer('ca', { ca: { secretName: 'root' } }), set('web', 'ca')]);
    await team.issuerSays(
      'ca',
      'False',
      /^ErrGetKeyPair: Secret ".*\/root" with the CA's tls\.crt and tls\.key does not/,
    );
    await team.told('web-tls', /^IssuerNotReady: Issuer "ca" is not ready: Secret ".*\/root"/);
    await put(await selfSigned('leaf'));
    await team.issuerSays('ca', 'False', /^ErrInvalidKeyPair: Secret ".*\/root": .*is not a CA: .*CA:TRUE/);
    const [one, other] = [await selfSigned('ca'), await selfSigned('ca')];
    await put({ 'tls.crt': one['tls.crt'], 'tls.key': other['tls.key'] });
    await team.issuerSays('ca', 'False', /^ErrInvalidKeyPair: .*private key does not belong to its certificate/);
    await put({ 'tls.crt': 'not a certificate', 'tls.key': one['tls.key'] });
    await team.issuerSays('ca', 'False', /^ErrInvalidKeyPair: .*not a PEM certificate/);
    await put({ 'tls.crt': one['tls.crt'], 'tls.key': 'not a key' });
    const said = await team.issuerSays('ca', 'False', /^ErrInvalidKeyPair: .*key/);
    expect(said.message).not.toContain('not a key');
    await put(one);
    await team.issuerSays('ca', 'True', /^KeyPairVerified/);
    await team.ready('web-tls');
  });
});

interface Row {
  readonly says: string;
  readonly change: () => Promise<object>;
  readonly words: RegExp;
}

const rows: readonly Row[] = [
  {
    says: 'a server that has no directory there',
    change: async () => ({ server: `${world.acme.directory}ectory` }),
    words: /^ErrRegisterACMEAccount: .*404/,
  },
  {
    says: 'a server that nobody answers for',
    change: async () => ({ server: 'https://127.0.0.1:1/directory' }),
    words: /^ErrRegisterACMEAccount: .*ECONNREFUSED/,
  },
  {
    says: 'a bundle of another CA',
    change: async () => ({ caBundle: Buffer.from((await makeIdentity()).caPem).toString('base64') }),
    words: /^ErrRegisterACMEAccount: .*certificate/,
  },
  {
    says: 'no bundle for a private CA',
    change: async () => ({ caBundle: undefined }),
    words: /^ErrRegisterACMEAccount: .*certificate/,
  },
  {
    says: 'a bundle that holds no certificate',
    change: async () => {
      const pem = '-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n';
      return { caBundle: Buffer.from(pem).toString('base64') };
    },
    words: /^\w+: .*caBundle/,
  },
];

describe.each(rows.map((row, index) => [row.says, row, `acme${index}`] as const))(
  'an ACME issuer with %s',
  (_, row, name) => {
    it('says so and is Ready when it is mended', async () => {
      const good = acmeIssuer(team.namespace, world.acme, name) as KubeObject & { readonly spec: { acme: object } };
      await team.kubectl.apply([{ ...good, spec: { acme: { ...good.spec.acme, ...(await row.change()) } } }]);
      await team.issuerSays(name, 'False', row.words);
      await team.told(name, row.words);
      await team.kubectl.apply([good]);
      await team.issuerSays(name, 'True', /^ACMEAccountRegistered/);
    });
  },
);

it('an ACME issuer whose server is no https URL is refused by the API server, in words', async () => {
  const good = acmeOf(acmeIssuer(team.namespace, world.acme, 'plain'));
  const plain = issuer('plain', { acme: { ...good, server: 'http://127.0.0.1/directory' } });
  await expect(team.kubectl.apply([plain])).rejects.toThrow(/spec\.acme\.server.*must be the https URL/);
});

describe('the account key of an ACME issuer', () => {
  it('is never overwritten where the Secret holds something else, and is taken up when it is mended', async () => {
    await team.kubectl.apply([secret('held-account', 'Opaque', { 'tls.key': 'not a key' })]);
    await team.kubectl.apply([acmeIssuer(team.namespace, world.acme, 'held')]);
    const words = /^ErrVerifyACMEAccount: Secret ".*\/held-account" holds no private key under "tls\.key"/;
    const said = await team.issuerSays('held', 'False', words);
    expect(said.message).not.toContain('not a key');
    const { 'tls.key': key } = await selfSigned('ca');
    await team.kubectl.apply([secret('held-account', 'Opaque', { 'tls.key': key })]);
    await team.issuerSays('held', 'True', /^ACMEAccountRegistered/);
  });

  it('is made again, with an account of its own, when somebody has deleted it', async () => {
    await team.kubectl.apply([acmeIssuer(team.namespace, world.acme, 'lost')]);
    await team.issuerSays('lost', 'True', /^ACMEAccountRegistered/);
    const before = await team.secret('lost-account');
    await team.kubectl.run(['delete', 'secret/lost-account', '-n', team.namespace]);
    await team.kubectl.apply([set('afterwards', 'lost')]);
    await team.ready('afterwards-tls', 60_000);
    const after = await team.secret('lost-account');
    expect(after).toBeDefined();
    expect(after?.data).not.toEqual(before?.data);
  });
});

describe('an external account binding', () => {
  it('whose Secret is missing is named, and asked of the CA when it is there', async () => {
    const externalAccountBinding = { keyID: 'kid', keySecretRef: { name: 'eab-key', key: 'secret' } };
    const good = acmeOf(acmeIssuer(team.namespace, world.acme, 'eab'));
    await team.kubectl.apply([issuer('eab', { acme: { ...good, externalAccountBinding } })]);
    await team.issuerSays('eab', 'False', /^ErrRegisterACMEAccount: Secret ".*\/eab-key" .* does not exist; create it/);
    await team.kubectl.apply([secret('eab-key', 'Opaque', { other: 'AAAA' })]);
    await team.issuerSays(
      'eab',
      'False',
      /^ErrRegisterACMEAccount: Secret ".*\/eab-key" .* holds nothing under "secret"/,
    );
    await team.kubectl.apply([secret('eab-key', 'Opaque', { secret: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ' })]);
    await team.issuerSays('eab', 'False', /^ErrRegisterACMEAccount: .*'kid' .* not known to the ACME server/);
    await team.kubectl.apply([issuer('eab', { acme: good })]);
    await team.issuerSays('eab', 'True', /^ACMEAccountRegistered/);
  });
});
