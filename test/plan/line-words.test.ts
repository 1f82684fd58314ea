// What is told of an order that stands in line, and when it is worth telling again.

import { describe, expect, it } from 'vitest';
import { lineWords, retold } from '../../src/plan/line-words.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
const account = 'https://ca.example/acct/1';

describe('an order that waits', () => {
  it('for a limit is told which, whose, and until when', () => {
    const until = now + 36_000;
    const told = lineWords({ limit: 'newOrdersPerAccount', subject: account, until }, now, now);
    expect(told).toEqual({
      reason: 'RateLimited',
      message: `The CA's limit newOrdersPerAccount for ${account} leaves no room; it is this order's turn at about 2026-11-21T12:00:36Z.`,
      until,
    });
  });

  it.each([
    ['accountHeld', /has asked account https:\S+ to wait until about 2026-11-21T12:01:00Z/],
    ['directoryHeld', /has asked everybody to wait until about 2026-11-21T12:01:00Z/],
  ] as const)('for %s is told who has asked for that', (limit, words) => {
    const told = lineWords({ limit, subject: account, until: now + minute }, now, now);
    expect(told).toMatchObject({ reason: 'RateLimited', message: expect.stringMatching(words) });
  });

  it('for a person is told the page', () => {
    const told = lineWords({ limit: 'paused', subject: 'a.example', url: 'https://portal.example/x' }, now, now);
    expect(told).toMatchObject({
      reason: 'CAPaused',
      message: expect.stringContaining('at https://portal.example/x '),
    });
    expect(new Date(told.until).getUTCFullYear()).toBe(2126);
  });

  it('for its twin is told so when that takes more than a moment, and never whose it is', () => {
    const wait = { limit: 'equalNeed', subject: 'a.example' } as const;
    expect(lineWords(wait, now, now).until - now).toBeLessThan(5_000);
    const later = lineWords(wait, now - minute, now);
    expect(later).toMatchObject({ reason: 'EqualOrder', message: expect.not.stringContaining('a.example') });
    expect(later.until - now).toBeGreaterThan(minute);
  });
});

describe('an estimate', () => {
  const told = (until: number) =>
    lineWords({ limit: 'certificatesPerDomain', subject: 'shop.example', until }, now, now);
  const noted = (until: number) => ({ ...told(until), attempts: 0, inLine: true as const });

  it.each([
    ['moved by seconds', now + 10 * minute, now + 10 * minute + 30_000, 'stays'],
    ['moved by a quarter of a long wait', now + 8 * 60 * minute, now + 9 * 60 * minute, 'stays'],
    ['moved by minutes', now + 5 * minute, now + 9 * minute, 'changes'],
    ['came much sooner', now + 60 * minute, now + 5 * minute, 'changes'],
    ['is over', now - 1, now + 30_000, 'changes'],
  ] as const)('that %s', (_, before, after, what) => {
    const last = noted(before);
    expect(retold(last, told(after), now)).toEqual(what === 'stays' ? last : told(after));
  });

  it('of another limit is told at once', () => {
    const other = lineWords({ limit: 'newOrdersPerAccount', subject: account, until: now + 10 * minute }, now, now);
    expect(retold(noted(now + 10 * minute), other, now)).toBe(other);
  });
});
