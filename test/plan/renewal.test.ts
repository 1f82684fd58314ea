// When a certificate is renewed: the asked moment, the spread before it, and windows.

import { describe, expect, test } from 'vitest';
import type { CertificateRenewal } from '../../src/api/certmanager.ts';
import { checkRenewal, type Renewal, type RenewalInput, renewAt } from '../../src/plan/renewal.ts';
import { seeded } from '../pki/fixtures.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const born = Date.UTC(2026, 10, 21);
const ninety = { notBefore: born, notAfter: born + 90 * day };

type Due = Extract<Renewal, { kind: 'due' }>;

function due(input: Partial<RenewalInput>): Due {
  const renewal = renewAt({ leaf: ninety, seed: 'uid', ...input });
  if (renewal.kind !== 'due') throw new Error('disabled');
  return renewal;
}

const many = Array.from({ length: 200 }, (_, index) => `uid-${index}`);

function windows(cron: string, windowDuration: string, timezone?: string): CertificateRenewal {
  return { policy: 'RenewBefore', windows: [{ cron, windowDuration, ...(timezone !== undefined && { timezone }) }] };
}

describe('the asked moment', () => {
  test.each<[string, Partial<RenewalInput>, number, Due['why']]>([
    ['two thirds of the life', {}, 60 * day, 'twoThirds'],
    [
      'two thirds of a short life',
      { leaf: { notBefore: born, notAfter: born + 160 * hour } },
      (160 * hour * 2) / 3,
      'twoThirds',
    ],
    ['renewBefore', { renewBefore: '240h' }, 80 * day, 'renewBefore'],
    ['the percentage', { renewBeforePercentage: 10 }, 81 * day, 'percentage'],
    ['two thirds where renewBefore is too long', { renewBefore: '2160h' }, 60 * day, 'twoThirds'],
    [
      'the same with a policy and no windows',
      { renewal: { policy: 'RenewBefore', windows: [] } },
      60 * day,
      'twoThirds',
    ],
  ])('is %s, and never exceeded; it is brought forward by an hour at most', (_, input, after, why) => {
    for (const seed of many) {
      const { at, why: found } = due({ ...input, seed });
      expect(found).toBe(why);
      expect(at).toBeLessThanOrEqual(born + after);
      expect(at).toBeGreaterThanOrEqual(born + after - hour - 1000);
      expect(at % 1000).toBe(0);
    }
  });

  test('is spread evenly over certificates, and always the same for one', () => {
    const early = many.map((seed) => (born + 60 * day - due({ seed }).at) / hour);
    expect(Math.max(...early)).toBeGreaterThan(0.9);
    expect(Math.min(...early)).toBeLessThan(0.1);
    const mean = early.reduce((sum, each) => sum + each, 0) / early.length;
    expect(mean).toBeGreaterThan(0.4);
    expect(mean).toBeLessThan(0.6);
    expect(many.map((seed) => due({ seed }).at)).toEqual(many.map((seed) => due({ seed }).at));
  });

  test('is spread by a fiftieth of the rest where the life is short', () => {
    const leaf = { notBefore: born, notAfter: born + hour };
    const moments = many.map((seed) => due({ leaf, seed }).at - born);
    expect(Math.max(...moments)).toBeLessThanOrEqual(40 * minute);
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(40 * minute - (20 * minute) / 50 - 1000);
  });

  test('leaves a renewed certificate two hours, or a third of its life', () => {
    expect(due({ renewBefore: '2159h' }).at).toBe(born + 2 * hour);
    expect(due({ leaf: { notBefore: born, notAfter: born + 3 * hour }, renewBefore: '179m' }).at).toBe(born + hour);
  });

  test.each<[string, number, number, number]>([
    ['a CA that ends with it gains nothing: a minute apart', 60, 0, 60],
    ['of a shorter life it is the end', 40, 0, 40],
    ['a CA that lives longer is worth it in time', 31, 3600, 19],
    ['a life of a second is not over when it begins', 1, 3600, 1],
  ])('at the end of a CA: %s', (_, lifeS, moreS, afterS) => {
    const leaf = { notBefore: born, notAfter: born + lifeS * 1000 };
    const at = many.map((seed) => due({ leaf, seed, signerEnd: leaf.notAfter + moreS * 1000 }).at - born);
    expect(new Set(at)).toEqual(new Set([afterS * 1000]));
  });

  test('never issues more than once a minute under a CA that ends, whatever renewBefore asks', () => {
    for (const renewBefore of [undefined, '1s', '30s', '159s']) {
      const end = born + 160_000;
      const issued = [born];
      for (let at = born; at < end; ) {
        at = due({ leaf: { notBefore: at, notAfter: end }, signerEnd: end, renewBefore }).at;
        if (at < end) issued.push(at);
      }
      const pauses = issued.slice(1).map((at, index) => at - (issued[index] ?? 0));
      expect(Math.min(60_000, ...pauses)).toBe(60_000);
    }
  });

  test('is never with policy Disabled', () => {
    expect(renewAt({ leaf: ninety, seed: 'x', renewal: { policy: 'Disabled' }, renewBefore: '1h' })).toEqual({
      kind: 'disabled',
    });
  });
});

describe('a window', () => {
  const asked = born + 60 * day;

  test('that is open then changes nothing', () => {
    const free = due({});
    for (const open of [windows('* * * * *', '1m'), windows('0 0 * * *', '24h'), windows('0 0 1 1 *', '8784h')]) {
      expect(due({ renewal: open })).toEqual(free);
    }
  });

  test('that is shut then is waited for, and entered in no crowd', () => {
    // 20 January 2027 is a Wednesday.
    const saturday = Date.UTC(2027, 0, 23, 1);
    const moments = many.map((seed) => due({ seed, renewal: windows('0 2 * * 6', '4h', 'Europe/Berlin') }));
    expect(new Set(moments.map(({ why }) => why))).toEqual(new Set(['window']));
    for (const { at } of moments) {
      expect(at).toBeGreaterThanOrEqual(saturday);
      expect(at).toBeLessThanOrEqual(saturday + hour);
    }
    expect(new Set(moments.map(({ at }) => at)).size).toBeGreaterThan(150);
  });

  test('of several is the first to open', () => {
    const renewal = {
      windows: [...(windows('0 2 * * 6', '4h').windows ?? []), ...(windows('0 2 * * 4', '10m').windows ?? [])],
    };
    const { at } = due({ renewal });
    expect(at).toBeGreaterThanOrEqual(Date.UTC(2027, 0, 21, 2));
    expect(at).toBeLessThanOrEqual(Date.UTC(2027, 0, 21, 2, 5));
  });

  test.each([
    ['never opens', windows('0 0 30 2 *', '4h')],
    ['opens only after the end', windows('0 0 1 6 *', '4h')],
    ['opens in the last hour', windows(`30 23 18 2 *`, '4h')],
  ])('that %s does not let the certificate end', (_, renewal) => {
    const { at, why } = due({ renewal });
    expect(why).toBe('noWindow');
    expect(at).toBe(due({}).at);
    expect(at).toBeLessThanOrEqual(asked);
  });

  test('that opens an hour before the end is in time', () => {
    expect(due({ renewal: windows('0 23 18 2 *', '4h') })).toMatchObject({ why: 'window' });
  });

  test.each([
    ['cron', windows('whenever', '4h')],
    ['duration', windows('0 2 * * 6', 'long')],
    ['zone', windows('0 2 * * 6', '4h', 'Mars/Olympus')],
  ])('whose %s cannot be read counts as not there', (_, renewal) => {
    expect(due({ renewal })).toEqual(due({}));
  });

  test('is kept for whatever life, rule and zone: inside it, or before the end without one (seed 11)', () => {
    const random = seeded(11);
    const weekDays: readonly (readonly [string, readonly string[]])[] = [
      ['*', ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']],
      ['1-5', ['Mon', 'Tue', 'Wed', 'Thu', 'Fri']],
      ['6', ['Sat']],
      ['0,3', ['Sun', 'Wed']],
    ];
    const zones = ['UTC', 'Europe/Berlin', 'America/Denver', 'Asia/Kathmandu', 'Pacific/Chatham'];
    for (let run = 0; run < 400; run += 1) {
      const notBefore = born + random(400) * day + random(1440) * minute;
      const leaf = { notBefore, notAfter: notBefore + hour * (1 + random(2400)) };
      const hours = 1 + random(20);
      // From 4 o'clock on, when no clock is changed.
      const minuteOfDay = 4 * 60 + random(20 * 60);
      const [field = '*', days = []] = weekDays[random(weekDays.length)] ?? [];
      const zone = zones[random(zones.length)] ?? 'UTC';
      const cron = `${minuteOfDay % 60} ${Math.floor(minuteOfDay / 60)} * * ${field}`;
      const renewal = windows(cron, `${hours}h`, zone);
      const base = due({ leaf, seed: `${run}` });
      const { at, why } = due({ leaf, seed: `${run}`, renewal });
      expect(at).toBeLessThan(leaf.notAfter);
      expect(at).toBeGreaterThanOrEqual(base.at);
      if (why !== 'window') expect(at).toBe(base.at);
      if (why === 'window') expect(isOpen(at, minuteOfDay, days, hours, zone), `run ${run}`).toBe(true);
    }
  });
});

/** Looks back minute by minute for an opening, with nothing but the zone's own clock. */
function isOpen(at: number, minuteOfDay: number, days: readonly string[], hours: number, zone: string): boolean {
  const clock = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: zone,
  });
  const time = [Math.floor(minuteOfDay / 60), minuteOfDay % 60].map((part) => String(part).padStart(2, '0')).join(':');
  const start = Math.floor(at / minute) * minute;
  return Array.from({ length: hours * 60 }, (_, back) => clock.format(start - back * minute)).some(
    (shown) => shown.endsWith(time) && days.some((each) => shown.startsWith(each)),
  );
}

describe('checkRenewal', () => {
  test.each<[CertificateRenewal | undefined, string | undefined]>([
    [undefined, undefined],
    [{ policy: 'Disabled' }, undefined],
    [windows('0 3 * * 1-5', '4h', 'Europe/Berlin'), undefined],
    [windows('@daily', '1h30m'), undefined],
    [
      { policy: 'Disabled', windows: [{ cron: '* * * * *', windowDuration: '1h' }] },
      'spec.renewal.windows has no effect with policy Disabled: remove one of the two.',
    ],
    [
      windows('0 3 * *', '4h'),
      'spec.renewal.windows[0].cron "0 3 * *" cannot be read; write minute, hour, day of month, month and day of week, as in "0 3 * * 1-5".',
    ],
    [
      windows('0 3 * * *', '4h', 'Berlin'),
      'spec.renewal.windows[0].timezone "Berlin" is not known; use an IANA name such as Europe/Berlin, or leave it out for UTC.',
    ],
    [
      windows('0 3 * * *', '0h'),
      'spec.renewal.windows[0].windowDuration "0h" is no duration above zero; write it as in "4h".',
    ],
  ])('of %j says %j', (renewal, sentence) => {
    expect(checkRenewal(renewal)).toBe(sentence);
  });
});
