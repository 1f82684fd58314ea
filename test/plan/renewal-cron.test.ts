// Cron expressions as cert-manager reads them, in time zones whose clocks change.

import { describe, expect, test } from 'vitest';
import { isTimeZone, nextTime, parseCron } from '../../src/plan/renewal-cron.ts';
import { seeded } from '../pki/fixtures.ts';

const minute = 60_000;
const day = 86_400_000;

function next(cron: string, zone: string, after: string, years = 20): string | undefined {
  const parsed = parseCron(cron);
  if (parsed === undefined) throw new Error(`${cron} cannot be read`);
  const at = nextTime(parsed, zone, Date.parse(after), Date.parse(after) + years * 366 * day);
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
}

describe('the next time', () => {
  test.each([
    ['0 3 * * *', 'UTC', '2026-11-21T02:59:59Z', '2026-11-21T03:00'],
    ['0 3 * * *', 'UTC', '2026-11-21T03:00:00Z', '2026-11-22T03:00'],
    ['0 3 * * *', 'America/Denver', '2026-11-21T03:00:00Z', '2026-11-21T10:00'],
    ['0 3 * * *', 'Asia/Kathmandu', '2026-11-21T03:00:00Z', '2026-11-21T21:15'],
    ['*/15 9-17 * * 1-5', 'UTC', '2026-11-20T17:45:00Z', '2026-11-23T09:00'],
    ['*/15 9-17 * * MON-fri', 'UTC', '2026-11-20T12:01:00Z', '2026-11-20T12:15'],
    ['40/10 0 1 1,JUL ?', 'UTC', '2026-01-01T00:50:00Z', '2026-07-01T00:40'],
    ['0 0 29 2 *', 'UTC', '2026-11-21T00:00:00Z', '2028-02-29T00:00'],
    ['0 0 29 2 *', 'UTC', '2096-03-01T00:00:00Z', '2104-02-29T00:00'],
    ['0 0 13 * 5', 'UTC', '2026-11-21T00:00:00Z', '2026-11-27T00:00'],
    ['0 0 13 * *', 'UTC', '2026-11-21T00:00:00Z', '2026-12-13T00:00'],
    ['0 0 */2 * 5', 'UTC', '2026-11-21T00:00:00Z', '2026-11-23T00:00'],
    ['0 0 */1 * 5', 'UTC', '2026-11-21T00:00:00Z', '2026-11-27T00:00'],
    ['@hourly', 'UTC', '2026-11-21T00:10:00Z', '2026-11-21T01:00'],
    ['@weekly', 'UTC', '2026-11-21T00:10:00Z', '2026-11-22T00:00'],
    ['@monthly', 'Pacific/Auckland', '2026-11-21T00:10:00Z', '2026-11-30T11:00'],
    ['@annually', 'UTC', '2026-11-21T00:10:00Z', '2027-01-01T00:00'],
  ])('%s in %s after %s is %s', (cron, zone, after, expected) => {
    expect(next(cron, zone, after)).toBe(expected);
  });

  test('never comes for a date that no year has, and that costs no time', () => {
    const started = performance.now();
    for (let run = 0; run < 20; run += 1)
      expect(next('0 0 30 2 *', 'Europe/Berlin', '2026-11-21T00:00:00Z')).toBeUndefined();
    expect((performance.now() - started) / 20).toBeLessThan(50);
  });

  test('does not come after the end', () => {
    expect(next('0 0 1 1 *', 'UTC', '2026-11-21T00:00:00Z', 0)).toBeUndefined();
  });
});

describe('when clocks change', () => {
  test.each([
    [
      'a time that is skipped comes an hour later',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      '2026-03-29T01:30',
    ],
    [
      'and is still to come just after the jump',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-29T01:10Z',
      '2026-03-29T01:30',
    ],
    ['but comes once', '30 2 * * *', 'Europe/Berlin', '2026-03-29T01:30Z', '2026-03-30T00:30'],
    [
      'a time that comes twice counts the first time',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      '2026-10-25T00:30',
    ],
    ['and only that', '30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30Z', '2026-10-26T01:30'],
    ['between the two it is tomorrow’s', '30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', '2026-10-26T01:30'],
    ['half an hour is a jump too', '15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', '2026-10-03T15:45'],
  ])('%s', (_, cron, zone, after, expected) => {
    expect(next(cron, zone, after.replace('Z', ':00Z'))).toBe(expected);
  });

  test('every minute is the next minute, also around them', () => {
    const random = seeded(5);
    for (let run = 0; run < 300; run += 1) {
      const change = [Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1)][random(2)] ?? 0;
      const after = change - 4 * 3_600_000 + random(8 * 3_600_000);
      const at = nextTime(parseCron('* * * * *') ?? never(), 'Europe/Berlin', after, after + day);
      const inSecondPass = after >= Date.UTC(2026, 9, 25, 0, 59) && after < Date.UTC(2026, 9, 25, 2);
      expect(at).toBe(inSecondPass ? Date.UTC(2026, 9, 25, 2) : (Math.floor(after / minute) + 1) * minute);
    }
  });
});

function never(): never {
  throw new Error('unreadable');
}

test.each([
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 7',
  '5-3 * * * *',
  '*/0 * * * *',
  '1,,2 * * * *',
  '* * L * *',
  '* * * * mon#1',
  '* * * foo *',
  '-1 * * * *',
  '1-2-3 * * * *',
  '@every 1h',
  '@reboot',
  'TZ=UTC 0 3 * * *',
])('%j is no expression', (text) => {
  expect(parseCron(text)).toBeUndefined();
});

test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Local', false],
  ['Mars/Olympus', false],
  ['../etc/passwd', false],
])('%s is a time zone: %s', (zone, known) => {
  expect(isTimeZone(zone)).toBe(known);
});
