// Which keystores a spec asks for, and what is wrong with it where no CRD rule has looked.

import { expect, it } from 'vitest';
import type { Keystores } from '../../src/api/certmanager.ts';
import { keystoreMistake, passwordSecrets, wantedFiles, wantedKeystores } from '../../src/plan/keystores-wanted.ts';

const inSecret = { passwordSecretRef: { name: 'words', key: 'word' } };
const both: Keystores = { pkcs12: { create: true, ...inSecret }, jks: { create: true, ...inSecret } };

it('are none without the field, and none that are not to be created', () => {
  const off = { pkcs12: { create: false, password: 'x' }, jks: { create: false } };
  for (const spec of [{}, { keystores: {} }, { keystores: off }]) {
    expect(wantedKeystores(spec)).toEqual([]);
    expect(passwordSecrets(spec)).toEqual([]);
    expect(keystoreMistake(spec)).toBeUndefined();
  }
});

it("have cert-manager's profile and alias where none is said", () => {
  const password = { kind: 'secret', name: 'words', key: 'word' };
  expect(wantedKeystores({ keystores: both })).toEqual([
    { kind: 'pkcs12', profile: 'LegacyRC2', password },
    { kind: 'jks', alias: 'certificate', password },
  ]);
  expect(passwordSecrets({ keystores: both })).toEqual(['words']);
});

it('come with truststores only where there is a CA to trust', () => {
  expect(wantedFiles({ keystores: both }, 'noCa')).toEqual(['keystore.p12', 'keystore.jks']);
  expect(wantedFiles({ keystores: both }, 'hasCa')).toEqual([
    'keystore.p12',
    'truststore.p12',
    'keystore.jks',
    'truststore.jks',
  ]);
});

it.each<[Keystores, RegExp]>([
  [{ pkcs12: { create: true } }, /^spec\.keystores\.pkcs12 has no password/],
  [{ jks: { create: true, password: '' } }, /^spec\.keystores\.jks has no password/],
  [{ jks: { create: true, passwordSecretRef: { name: '' } } }, /has no password/],
  [{ jks: { create: true, passwordSecretRef: { name: 'words' } } }, /which key of Secret "words"/],
  [{ jks: { create: true, password: 'x', alias: 'a'.repeat(1001) } }, /alias is longer/],
])('%j cannot be made', (keystores, words) => {
  expect(keystoreMistake({ keystores })).toMatch(words);
});
