// Keys: what is made, how it is written, and what is refused.

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { PrivateKeySpec } from '../../src/api/certmanager.ts';
import {
  checkKeySpec,
  fingerprint,
  generateKey,
  keyFromPem,
  keyMatchesSpec,
  keyToPem,
  kindOfKey,
  publicKeysEqual,
} from '../../src/pki/keys.ts';
import { keyFor, value } from './fixtures.ts';
import { openssl } from './openssl.ts';

describe('generateKey', () => {
  test.each<[PrivateKeySpec, string, number]>([
    [{}, 'RSA', 2048],
    [{ algorithm: 'RSA', size: 3072 }, 'RSA', 3072],
    [{ algorithm: 'ECDSA' }, 'ECDSA', 256],
    [{ algorithm: 'ECDSA', size: 384 }, 'ECDSA', 384],
    [{ algorithm: 'ECDSA', size: 521 }, 'ECDSA', 521],
    [{ algorithm: 'Ed25519' }, 'Ed25519', 256],
  ])('makes for %j a key of %s with %i bits', async (spec, algorithm, size) => {
    const key = await generateKey(spec);
    expect(kindOfKey(key)).toEqual({ algorithm, size });
    expect(keyMatchesSpec(key, spec)).toBe(true);
    expect(keyMatchesSpec(key, { algorithm: 'ECDSA', size: 111 })).toBe(false);
  });

  test('lets the event loop run while RSA keys are made', async () => {
    const key = generateKey({ algorithm: 'RSA', size: 4096 });
    const first = await Promise.race([key.then(() => 'key'), new Promise((resolve) => setImmediate(resolve, 'loop'))]);
    expect(first).toBe('loop');
    await key;
  });
});

describe('checkKeySpec', () => {
  test.each<[PrivateKeySpec, boolean]>([
    [{}, true],
    [{ size: 0 }, true],
    [{ algorithm: 'RSA', size: 8192 }, true],
    [{ algorithm: 'RSA', size: 1024 }, false],
    [{ algorithm: 'RSA', size: 16_384 }, false],
    [{ algorithm: 'RSA', size: 2048.5 }, false],
    [{ algorithm: 'ECDSA', size: 224 }, false],
    [{ algorithm: 'Ed25519', size: 7 }, true],
  ])('%j is possible: %s', (spec, ok) => {
    expect(checkKeySpec(spec).ok).toBe(ok);
  });
});

describe('a key as PEM', () => {
  test.each([
    ['RSA', 'PKCS1', 'RSA PRIVATE KEY'],
    ['RSA', 'PKCS8', 'PRIVATE KEY'],
    ['ECDSA', 'PKCS1', 'EC PRIVATE KEY'],
    ['ECDSA', 'PKCS8', 'PRIVATE KEY'],
    ['Ed25519', 'PKCS1', 'PRIVATE KEY'],
    ['Ed25519', 'PKCS8', 'PRIVATE KEY'],
  ] as const)('%s in %s begins with %s and reads back', async (algorithm, encoding, label) => {
    const key = await keyFor({ algorithm });
    const pem = keyToPem(key, encoding);
    expect(pem.split('\n')[0]).toBe(`-----BEGIN ${label}-----`);
    expect(publicKeysEqual(value(keyFromPem(pem)), key)).toBe(true);
    expect(openssl(['pkey', '-in', '{key}', '-noout', '-check'], { key: pem })).toContain('Key is valid');
  });

  test('openssl’s own EC file, with its parameters block, is read', () => {
    const pem = openssl(['ecparam', '-name', 'prime256v1', '-genkey'], {});
    expect(kindOfKey(value(keyFromPem(pem)))).toEqual({ algorithm: 'ECDSA', size: 256 });
  });

  test.each([
    ['nothing', ''],
    ['a certificate’s frame', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['a cut key', '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B'],
    [
      'an encrypted key',
      generateKeyPairSync('ed25519')
        .privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
    ],
    [
      'a Diffie-Hellman key',
      generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ],
    [
      'a curve nobody issues for',
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
        .privateKey.export({ format: 'pem', type: 'pkcs8' })
        .toString(),
    ],
  ])('%s is refused without quoting it', (_, pem) => {
    const reply = keyFromPem(pem);
    expect(reply.ok).toBe(false);
    expect(JSON.stringify(reply)).not.toContain('MII');
  });
});

test('a key prints nothing of itself', async () => {
  const key = await keyFor({ algorithm: 'ECDSA' });
  expect(inspect(key, { depth: 9, showHidden: true })).not.toMatch(/BEGIN|0x|<Buffer/);
  expect(JSON.stringify({ key })).toBe('{"key":{}}');
});

test('both halves of a key have one fingerprint, another key has another', async () => {
  const key = await keyFor({ algorithm: 'RSA' });
  expect(fingerprint(createPublicKey(key))).toBe(fingerprint(key));
  expect(fingerprint(await keyFor({ algorithm: 'RSA' }, 1))).not.toBe(fingerprint(key));
});
