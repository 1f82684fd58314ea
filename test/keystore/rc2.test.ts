// The RC2 of LegacyRC2 against the vectors of RFC 2268 §5, those whose effective length is the key's own.

import { expect, it } from 'vitest';
import { encryptBlock, encryptRc2, expandKey } from '../../src/keystore/rc2.ts';

it.each([
  ['ffffffffffffffff', 'ffffffffffffffff', '278b27e42e2f0d49'],
  ['3000000000000000', '1000000000000001', '30649edf9be7d2c2'],
  ['88bca90e90875a7f0f79c384627bafb2', '0000000000000000', '2269552ab0f85ca6'],
])('encrypts a block under %s', (key, plain, cipher) => {
  const block = Buffer.from(plain, 'hex');
  encryptBlock(expandKey(Buffer.from(key, 'hex')), block);
  expect(block.toString('hex')).toBe(cipher);
});

it('chains blocks and pads a whole block where the text ends with one', () => {
  const key = Buffer.from('0123456789', 'hex');
  const [iv, text] = [Buffer.alloc(8, 7), Buffer.from('sixteen letters.')];
  const cipher = encryptRc2(key, iv, text);
  expect(cipher).toHaveLength(24);
  // CBC: from the second block on, the block before it is the vector.
  expect(encryptRc2(key, cipher.subarray(0, 8), text.subarray(8)).subarray(0, 8)).toEqual(cipher.subarray(8, 16));
  expect(text.toString()).toBe('sixteen letters.');
});
