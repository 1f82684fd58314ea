// What may be a password: any text that a person or a program can hand to a library.

import { expect, it } from 'vitest';
import { readPassword } from '../../src/keystore/password.ts';

it.each(['changeit', 'with a newline\n', 'pässwörd', '🔑'])('%j is one, as it stands', (text) => {
  expect(readPassword(Buffer.from(text))).toEqual({ ok: true, value: text });
});

it.each([
  [Buffer.alloc(0), /empty/],
  [Buffer.from([0x70, 0xff, 0x77]), /UTF-8/],
])('%j is none', (bytes, words) => {
  const read = readPassword(bytes);
  expect(read.ok ? '' : read.problem).toMatch(words);
});
