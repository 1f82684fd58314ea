// The question that a preflight asks and the answer that only a replica with the unfinished Order can give.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { answer, isToken } from '../../src/serve/answers.ts';
import { isProbe, probeAnswer, probeToken } from '../../src/solve/probe-token.ts';

const nonce = randomBytes(16);
const token = probeToken('thumb', 'foo.com', nonce);

describe('a probe', () => {
  test('looks like a token, never like the answer, and is new each time', () => {
    expect(isToken(token)).toBe(true);
    expect(isProbe(token)).toBe(true);
    const said = probeAnswer('thumb', 'foo.com', token) ?? '';
    for (const part of [nonce.toString('base64url'), 'thumb', token.slice(-22)]) expect(said).not.toContain(part);
    expect(probeToken('thumb', 'foo.com', randomBytes(16))).not.toBe(token);
  });

  test('is answered the same by every replica, whatever the letters of the host', () => {
    expect(probeAnswer('thumb', 'FOO.com', token)).toBe(probeAnswer('thumb', 'foo.com', token));
    expect(probeAnswer('thumb', 'foo.com', token)).toMatch(/^certway-probe-[A-Za-z0-9_-]{22}$/);
  });

  test.each<[string, string, string, string]>([
    ['another account', 'other', 'foo.com', token],
    ['another host', 'thumb', 'bar.com', token],
    [
      'a changed nonce',
      'thumb',
      'foo.com',
      token.replace(/^certway-probe-./, (head) => `certway-probe-${head.endsWith('A') ? 'B' : 'A'}`),
    ],
    ['a seal that is too short', 'thumb', 'foo.com', token.slice(0, -1)],
    ['nothing but the prefix', 'thumb', 'foo.com', 'certway-probe-'],
  ])('is not answered for %s', (_, thumbprint, host, asked) => {
    expect(probeAnswer(thumbprint, host, asked)).toBeUndefined();
  });
});

test('the responder answers it for the account that is about to order the host, among several', () => {
  const orders = [
    { tokens: [], thumbprint: 'other' },
    { tokens: ['t'], thumbprint: 'thumb' },
  ];
  expect(answer('foo.com', token, { orders: () => orders })).toBe(probeAnswer('thumb', 'foo.com', token));
  expect(answer('foo.com', token, { orders: () => [{ tokens: [], thumbprint: 'other' }] })).toBeUndefined();
  expect(answer('foo.com', token, { orders: () => [] })).toBeUndefined();
});
