// JKS files opened by Java's keytool, and the ends of the format that it is no judge of.

import { describe, expect, it } from 'vitest';
import { authorityAliases } from '../../src/keystore/jks.ts';
import { type KeystoreFile, makeKeystores } from '../../src/keystore/keystores.ts';
import { keyKinds, keytool, listed, type Pair, pairFor, run } from './pairs.ts';

const password = 'changeit';
const slow = 60_000;
const createdAt = Date.UTC(2026, 10, 21, 12);

async function made(pair: Pair, name: KeystoreFile, alias = 'certificate'): Promise<Buffer> {
  const files = await makeKeystores([{ kind: 'jks', alias, password }], pair.key, pair, createdAt);
  return files.get(name) ?? Buffer.alloc(0);
}

describe.skipIf(keytool === undefined)('keytool (skipped where there is no Java)', () => {
  it.each(keyKinds)(
    'opens a keystore with an $algorithm key, and the key in it',
    async (kind) => {
      const file = await made(await pairFor(kind), 'keystore.jks', 'My-Key');
      const text = listed(file, 'JKS', password);
      expect(text).toContain('Your keystore contains 2 entries');
      expect(text).toContain('Alias name: my-key\nCreation date: Nov 21, 2026\nEntry type: PrivateKeyEntry');
      expect(text).toContain('Certificate chain length: 2');
      expect(text).toMatch(/Alias name: ca\n.*\nEntry type: trustedCertEntry/);
      // A request is signed with the key, so it must have come out of its protection whole.
      const asking = ['-certreq', '-keystore', '{file}', '-storetype', 'JKS', '-storepass', password];
      const request = run(keytool ?? '', [...asking, '-alias', 'my-key'], file);
      expect(request).toContain('BEGIN NEW CERTIFICATE REQUEST');
    },
    slow,
  );

  it('opens a truststore', { timeout: slow }, async () => {
    const text = listed(await made(await pairFor({ algorithm: 'ECDSA' }), 'truststore.jks'), 'JKS', password);
    expect(text).toContain('Your keystore contains 1 entry');
    expect(text).toContain('Entry type: trustedCertEntry');
  });

  it('finds a key by an alias of any alphabet', { timeout: slow }, async () => {
    const file = await made(await pairFor({ algorithm: 'ECDSA' }), 'keystore.jks', 'schlüssel-🔑');
    expect(listed(file, 'JKS', password)).toContain('Your keystore contains 2 entries');
  });

  it('says that another password is wrong', { timeout: slow }, async () => {
    const file = await made(await pairFor({ algorithm: 'ECDSA' }), 'keystore.jks');
    expect(listed(file, 'JKS', 'other-password')).toMatch(/password was incorrect/);
  });
});

describe('the aliases of authorities', () => {
  it.each([
    [1, undefined, ['ca']],
    [3, undefined, ['ca', 'ca-1', 'ca-2']],
    [2, 'ca', ['ca-1', 'ca-2']],
    [2, 'ca-1', ['ca', 'ca-2']],
    [0, undefined, []],
  ] as const)('%i beside a key named %s', (count, taken, expected) => {
    expect(authorityAliases(count, taken)).toEqual(expected);
  });
});
