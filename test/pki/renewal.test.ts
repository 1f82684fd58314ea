// Durations as Go reads them, and when a certificate is renewed.

import { describe, expect, test } from 'vitest';
import { formatGoDuration, parseGoDuration, type RenewalTerms, renewalTime } from '../../src/pki/renewal.ts';
import { seeded } from './fixtures.ts';

const hour = 3_600_000;

describe('parseGoDuration', () => {
  test.each<[string, number | undefined]>([
    ['2160h', 2160 * hour],
    ['2160h30m', 2160.5 * hour],
    ['1h15m30.918s', 4_530_918],
    ['1.5h', 1.5 * hour],
    ['.5m', 30_000],
    ['1.s', 1000],
    ['100ms', 100],
    ['5us', 0.005],
    ['5µs', 0.005],
    ['0', 0],
    ['-1h', -hour],
    ['+1h', hour],
    ['30m1h', 1.5 * hour],
    ['', undefined],
    ['1', undefined],
    ['1d', undefined],
    ['h', undefined],
    ['1 h', undefined],
    ['1h\n', undefined],
    ['--1h', undefined],
    ['.h', undefined],
    ['3000000h', undefined],
  ])('%j is %s ms', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms);
  });

  test.each<[number, string]>([
    [0, '0s'],
    [2160 * hour, '2160h0m0s'],
    [90_000, '1m30s'],
    [1500, '1.5s'],
    [250, '250ms'],
    [-hour, '-1h0m0s'],
  ])('%i ms is written %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text);
  });

  test('reads back whatever formatGoDuration writes', () => {
    const random = seeded(1);
    for (let run = 0; run < 1000; run += 1) {
      const ms = random(2 ** 31) * (random(100) + 1);
      expect(parseGoDuration(formatGoDuration(ms))).toBeCloseTo(ms, 3);
    }
  });
});

describe('renewalTime', () => {
  const life = { notBefore: 0, notAfter: 90 * hour };
  test.each<[string, Partial<RenewalTerms>, number]>([
    ['at two thirds of the life by default', {}, 60 * hour],
    ['renewBefore ahead of the end', { renewBefore: '10h' }, 80 * hour],
    ['at two thirds where renewBefore is the whole life', { renewBefore: '90h' }, 60 * hour],
    ['at two thirds where renewBefore is longer than the life', { renewBefore: '91h' }, 60 * hour],
    ['at two thirds where renewBefore is no duration', { renewBefore: 'soon' }, 60 * hour],
    ['at the percentage that remains', { renewBeforePercentage: 25 }, 67.5 * hour],
    ['at 99 percent remaining', { renewBeforePercentage: 99 }, 0.9 * hour],
    ['at two thirds for 0 percent', { renewBeforePercentage: 0 }, 60 * hour],
    ['at two thirds for 100 percent', { renewBeforePercentage: 100 }, 60 * hour],
    ['by renewBefore where both are given', { renewBefore: '10h', renewBeforePercentage: 25 }, 80 * hour],
    ['by the percentage where renewBefore is too long', { renewBefore: '100h', renewBeforePercentage: 10 }, 81 * hour],
    ['cut to the second', { notAfter: 90 * hour + 999 }, 60 * hour],
  ])('is %s', (_, changes, at) => {
    expect(renewalTime({ ...life, ...changes })).toBe(at);
  });
});
