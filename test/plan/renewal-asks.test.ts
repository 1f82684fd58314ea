// When a CA is asked about its certificates: spread after a start, at once after an issuance, as it said itself, and in time for short windows.

import { describe, expect, test } from 'vitest';
import {
  afterSilence,
  askAfterFailure,
  firstAskAt,
  nextAskAt,
  nextLookAt,
  silenceOf,
} from '../../src/plan/renewal-asks.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 21);
const ids = Array.from({ length: 2000 }, (_, index) => `AA.${index}`);

function lifeOf(life: number, age: number) {
  return { notBefore: now - age, notAfter: now - age + life };
}

describe('the first question', () => {
  test('of 2,000 after a start is spread over six hours, none in the first five minutes', () => {
    const life = lifeOf(90 * day, 30 * day);
    const waits = ids.map((certId) => firstAskAt({ certId, life, due: now + 30 * day, decided: 'before' }, now) - now);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5 * minute);
    expect(Math.max(...waits)).toBeLessThanOrEqual(6 * hour);
    const perMinute = new Map<number, number>();
    for (const wait of waits)
      perMinute.set(Math.floor(wait / minute), (perMinute.get(Math.floor(wait / minute)) ?? 0) + 1);
    expect(Math.max(...perMinute.values())).toBeLessThan(20);
  });

  test('of 2,000 whose status nobody kept is spread as well', () => {
    const life = lifeOf(90 * day, 30 * day);
    const waits = ids.map((certId) => firstAskAt({ certId, life, due: now + 30 * day, decided: 'now' }, now) - now);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5 * minute);
  });

  test.each<[string, number, number, number, 'before' | 'now', number, number]>([
    ['one that was issued a moment ago', 90 * day, minute, 60 * day, 'now', 0, 0],
    ['one whose CA sets notBefore back by an hour', 90 * day, hour, 60 * day, 'now', 0, 0],
    ['one issued a moment ago, before a restart', 90 * day, minute, 60 * day, 'before', 5 * minute, 6 * hour],
    ['one that is due', 90 * day, 61 * day, -minute, 'before', 0, 0],
    ['one that is due in an hour', 90 * day, 60 * day, hour, 'before', 5 * minute, 30 * minute],
    ['one that is due in a minute', 90 * day, 60 * day, minute, 'before', 0, 30_000],
    ['one of 160 hours, long before', 160 * hour, 10 * hour, 70 * hour, 'before', 5 * minute, 1.6 * hour],
  ])('about %s comes in time', (_, life, age, due, decided, least, most) => {
    for (const certId of ids.slice(0, 200)) {
      const at = firstAskAt({ certId, life: lifeOf(life, age), due: now + due, decided }, now) - now;
      expect(at).toBeGreaterThanOrEqual(least);
      expect(at).toBeLessThanOrEqual(most);
    }
  });

  test('comes again at the same time for the same certificate', () => {
    const first = { certId: 'AA.7', life: lifeOf(90 * day, day), due: now + 50 * day, decided: 'before' } as const;
    expect(firstAskAt(first, now)).toBe(firstAskAt(first, now));
  });
});

describe('the next question', () => {
  test.each([
    ['after six hours, as the CA says', 6 * hour, 6 * hour, 6.6 * hour],
    ['after a minute at least', 1000, minute, 1.1 * minute],
    ['after a day at most', 40 * day, day, day],
    ['not in the past', -day, minute, 1.1 * minute],
  ])('comes %s', (_, said, least, most) => {
    for (const certId of ids.slice(0, 200)) {
      const wait = nextAskAt(certId, now + said, now) - now;
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
    }
  });

  test('to a CA that has no renewal information comes once a day', () => {
    for (const certId of ids.slice(0, 200)) expect(nextLookAt(certId, now) - now).toBeGreaterThan(0.9 * day - 1);
  });
});

describe('after a failure', () => {
  const life = lifeOf(90 * day, day);

  test.each([
    [1, minute],
    [2, 2 * minute],
    [5, 16 * minute],
    [9, 256 * minute],
    [30, 6 * hour],
  ])('number %d the wait is %d ms, and up to a fifth more', (failures, least) => {
    for (const certId of ids.slice(0, 50)) {
      const wait = askAfterFailure({ certId, life, failures }, now) - now;
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(least * 1.2);
    }
  });

  test('of a short life it stays short enough to meet a window of 3.2 hours', () => {
    const wait = askAfterFailure({ certId: 'AA.1', life: lifeOf(160 * hour, hour), failures: 30 }, now) - now;
    expect(wait).toBeLessThanOrEqual(1.2 * 1.6 * hour);
  });

  test.each([
    [2 * hour, 2 * hour],
    [9 * day, day],
    [-hour, minute],
  ])('the CA may say when: %d ms comes to at least %d', (said, least) => {
    expect(
      askAfterFailure({ certId: 'AA.1', life, failures: 1, retryAt: now + said }, now) - now,
    ).toBeGreaterThanOrEqual(least);
  });

  test('a silent CA is left alone for a minute, then for longer, up to an hour, and gets its questions back over ten minutes', () => {
    expect([1, 2, 3, 7, 40].map(silenceOf)).toEqual([minute, 2 * minute, 4 * minute, hour, hour]);
    const back = ids.map((certId) => afterSilence(certId, now) - now);
    expect(Math.min(...back)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...back)).toBeLessThan(10 * minute);
    expect(Math.max(...back) - Math.min(...back)).toBeGreaterThan(9 * minute);
  });
});
