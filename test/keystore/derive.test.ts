// Keys derived from passwords, against vectors that Stephen Henson published for RFC 7292 appendix B and that every implementation is tried with.

import { expect, it } from 'vitest';
import { derive, purposes } from '../../src/keystore/derive.ts';

it.each([
  ['key', 'smeg', '0a58cf64530d823f', 1, '8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3'],
  ['iv', 'smeg', '0a58cf64530d823f', 1, '79993dfe048d3b76'],
  ['mac', 'smeg', '3d83c0e4546ac140', 1, '8d967d88f6caa9d714800ab3d48051d63f73a312'],
  ['key', 'queeg', '05dec959acff72f7', 1000, 'ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4'],
  ['iv', 'queeg', '05dec959acff72f7', 1000, '11dedad7758d4860'],
  ['mac', 'queeg', '263216fcc2fab31c', 1000, '5ec4c7a80df652294c3925b6489a7ab857c83476'],
] as const)('a %s from "%s"', async (purpose, password, salt, iterations, expected) => {
  const length = expected.length / 2;
  const terms = { digest: 'sha1', password, salt: Buffer.from(salt, 'hex'), iterations, length } as const;
  expect((await derive({ ...terms, purpose: purposes[purpose] })).toString('hex')).toBe(expected);
});
