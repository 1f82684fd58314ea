// PKCS #12 files of every profile and kind of key, opened by openssl, by node's own OpenSSL (the only one here with PBMAC1) and by Java.

import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Pkcs12Profile } from '../../src/api/certmanager.ts';
import { type KeystoreFile, makeKeystores } from '../../src/keystore/keystores.ts';
import { splitPem } from '../../src/pki/certificate.ts';
import { keyKinds, keytool, listed, type Pair, pairFor, run } from './pairs.ts';

const profiles: readonly Pkcs12Profile[] = ['LegacyRC2', 'LegacyDES', 'Modern2023', 'Modern2026'];
const password = 'pass wörd 🔑';
const slow = 60_000;

async function made(profile: Pkcs12Profile, pair: Pair, name: KeystoreFile, word = password): Promise<Buffer> {
  const files = await makeKeystores([{ kind: 'pkcs12', profile, password: word }], pair.key, pair, 0);
  return files.get(name) ?? Buffer.alloc(0);
}

function openssl(file: Buffer, word: string, ...options: readonly string[]): string {
  return run('openssl', ['pkcs12', '-in', '{file}', '-passin', `pass:${word}`, '-nodes', ...options], file);
}

function der(pem: string): readonly string[] {
  return splitPem(pem).map((each) => new X509Certificate(each).fingerprint256);
}

// The openssl of a distribution may be older than 3.4, which is the first that knows PBMAC1.
describe.each(profiles.filter((profile) => profile !== 'Modern2026'))('%s', { timeout: slow }, (profile) => {
  it.each(keyKinds)('with an $algorithm key is opened by openssl', async (kind) => {
    const pair = await pairFor(kind);
    const file = await made(profile, pair, 'keystore.p12');
    const text = openssl(file, password, ...(profile === 'LegacyRC2' ? ['-legacy'] : []));
    expect(der(text)).toEqual([...der(pair.chainPem), ...der(pair.caPem)]);
    expect(text).toContain(pair.key.export({ format: 'pem', type: 'pkcs8' }).toString());
  });

  it('is refused by openssl with another password', async () => {
    const file = await made(profile, await pairFor({ algorithm: 'ECDSA' }), 'keystore.p12');
    expect(openssl(file, 'other', '-legacy')).toMatch(/invalid password/i);
  });
});

describe.each(profiles.filter((profile) => profile !== 'LegacyRC2'))('%s', { timeout: slow }, (profile) => {
  it.each(keyKinds)('with an $algorithm key is opened by the OpenSSL of node', async (kind) => {
    const pair = await pairFor(kind);
    const pfx = await made(profile, pair, 'keystore.p12');
    expect(() => createSecureContext({ pfx, passphrase: password })).not.toThrow();
    expect(() => createSecureContext({ pfx, passphrase: 'other' })).toThrow(/mac verify failure/);
  });
});

it.each([
  ['LegacyRC2', 'pbeWithSHA1And40BitRC2-CBC', 'pbeWithSHA1And3-KeyTripleDES-CBC', 'MAC: sha1, Iteration 1\n'],
  ['LegacyDES', 'pbeWithSHA1And3-KeyTripleDES-CBC', 'pbeWithSHA1And3-KeyTripleDES-CBC', 'MAC: sha1, Iteration 1\n'],
  ['Modern2023', 'PBES2, PBKDF2, AES-256-CBC', 'PBES2, PBKDF2, AES-256-CBC', 'MAC: sha256, Iteration 2048\n'],
] as const)('%s is what its name says', async (profile, certificates, key, mac) => {
  const file = await made(profile, await pairFor({ algorithm: 'ECDSA' }), 'keystore.p12');
  const text = openssl(file, password, '-legacy', '-info', '-noout');
  expect(text).toContain(`Encrypted data: ${certificates}, Iteration 2048`);
  expect(text).toContain(`Shrouded Keybag: ${key}, Iteration 2048`);
  expect(text).toContain(mac);
});

it('two files of the same content share no salt', async () => {
  const pair = await pairFor({ algorithm: 'ECDSA' });
  const [one, two] = [await made('LegacyDES', pair, 'keystore.p12'), await made('LegacyDES', pair, 'keystore.p12')];
  expect(one.equals(two)).toBe(false);
});

it('there is no truststore without a CA from the issuer', async () => {
  const { key, chainPem } = await pairFor({ algorithm: 'ECDSA' });
  const files = await makeKeystores([{ kind: 'pkcs12', profile: 'LegacyDES', password }], key, { chainPem }, 0);
  expect([...files.keys()]).toEqual(['keystore.p12']);
});

// Java knows PBMAC1 from 26 on. Its command line takes passwords in the locale's encoding.
describe.skipIf(keytool === undefined)('keytool (skipped where there is no Java)', () => {
  it.each(profiles.filter((profile) => profile !== 'Modern2026'))(
    'opens %s',
    async (profile) => {
      const pair = await pairFor({ algorithm: 'RSA', size: 2048 });
      const keys = listed(await made(profile, pair, 'keystore.p12', 'changeit'), 'PKCS12', 'changeit');
      expect(keys).toContain('Your keystore contains 1 entry');
      expect(keys).toContain('Entry type: PrivateKeyEntry');
      expect(keys).toContain('Certificate chain length: 3');
      const trusted = listed(await made(profile, pair, 'truststore.p12', 'changeit'), 'PKCS12', 'changeit');
      expect(trusted).toContain('Your keystore contains 1 entry');
      expect(trusted).toContain('Entry type: trustedCertEntry');
      expect(trusted).toContain('Alias name: cn=test root');
    },
    slow,
  );

  it('says that another password is wrong', { timeout: slow }, async () => {
    const file = await made('LegacyRC2', await pairFor({ algorithm: 'ECDSA' }), 'keystore.p12');
    expect(listed(file, 'PKCS12', 'changeit')).toMatch(/password was incorrect/);
  });
});
