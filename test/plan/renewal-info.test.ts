// What a CA's suggestion comes to: the moment in its window, what it changes for the renewal, and whether an order names what it replaces.

import { describe, expect, test } from 'vitest';
import type { CertificateRenewal } from '../../src/api/certmanager.ts';
import { type RenewalInput, renewAt } from '../../src/plan/renewal.ts';
import type { SuggestedWindow } from '../../src/plan/renewal-class.ts';
import {
  chosenIn,
  isRecall,
  replaces,
  type Suggested,
  soonestReplacement,
  suggestionOf,
} from '../../src/plan/renewal-info.ts';
import { seeded } from '../pki/fixtures.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const born = Date.UTC(2026, 10, 21);
const ninety = { notBefore: born, notAfter: born + 90 * day };
/** Boulder's: two thirds, a hundredth of the life to either side. */
const usual = { start: born + 60 * day - 21.6 * hour, end: born + 60 * day + 21.6 * hour };
const certId = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyEA';

function heardAt(
  now: number,
  window: SuggestedWindow = usual,
  change: { last?: number; soonest?: number } = {},
): Suggested {
  const { last, soonest = 0 } = change;
  return suggestionOf({ certId, window, soonest, ...(last !== undefined && { last: { moment: last } }) }, now);
}

function due(input: Partial<RenewalInput>) {
  const renewal = renewAt({ leaf: ninety, seed: 'uid', width: 'wide', ...input });
  if (renewal.kind !== 'due') throw new Error('disabled');
  return renewal;
}

describe('the moment in a window', () => {
  test('lies inside, in whole seconds, evenly over certificates, and is always the same for one', () => {
    const moments = Array.from({ length: 400 }, (_, index) => chosenIn(usual, `AA.${index}`));
    for (const at of moments) {
      expect(at).toBeGreaterThanOrEqual(usual.start);
      expect(at).toBeLessThan(usual.end);
      expect(at % 1000).toBe(0);
    }
    const quarters = [0, 1, 2, 3].map(
      (quarter) =>
        moments.filter((at) => Math.floor(((at - usual.start) / (usual.end - usual.start)) * 4) === quarter).length,
    );
    expect(Math.min(...quarters)).toBeGreaterThan(70);
    expect(moments).toEqual(Array.from({ length: 400 }, (_, index) => chosenIn(usual, `AA.${index}`)));
  });

  test('lies inside whatever window, however short (seed 3)', () => {
    const random = seeded(3);
    for (let run = 0; run < 500; run += 1) {
      const start = born + random(1e9);
      const window = { start, end: start + 1 + random(run % 2 === 0 ? 1500 : 1e8) };
      const at = chosenIn(window, `AA.${run}`);
      expect(at).toBeGreaterThanOrEqual(start);
      expect(at).toBeLessThan(window.end);
    }
  });

  test('stays while the window does, and is chosen anew when it moves', () => {
    const first = heardAt(born);
    expect(heardAt(born + 50 * day, usual, { last: first.moment })).toEqual(first);
    const moved = heardAt(
      born + day,
      { start: usual.start - 10 * day, end: usual.end - 10 * day },
      { last: first.moment },
    );
    expect(moved.moment).toBeLessThan(usual.start);
  });

  test('that has come stays although the window of a revoked certificate moves on with each answer', () => {
    const answer = (now: number, last?: number) =>
      heardAt(now, { start: now - hour, end: now - hour + 1000 }, last === undefined ? {} : { last });
    const first = answer(born + day);
    expect(first).toMatchObject({ kind: 'over', moment: born + day - hour });
    expect(answer(born + day + minute, first.moment).moment).toBe(first.moment);
    // It was to be renewed later, and nobody was told otherwise: the new moment counts.
    expect(answer(born + day, born + 60 * day).moment).toBe(born + day - hour);
  });

  test('is over only when the window has ended', () => {
    expect(heardAt(usual.end - 1).kind).toBe('coming');
    expect(heardAt(usual.end).kind).toBe('over');
  });
});

function windows(cron: string, windowDuration: string): CertificateRenewal {
  return { windows: [{ cron, windowDuration }] };
}

describe('the renewal', () => {
  const suggested = heardAt(born);
  const early = heardAt(born, { start: born + 20 * day, end: born + 21 * day });
  const late = heardAt(born, { start: born + 88 * day, end: born + 89 * day });
  const over = heardAt(born + 10 * day, { start: born + 9 * day, end: born + 9 * day + hour });
  const unless = { renewBefore: '240h' };

  test.each<[string, Partial<RenewalInput>, number, string]>([
    ['is when the CA suggests', { suggested }, suggested.moment, 'suggested'],
    ['is sooner where it suggests that', { suggested: early }, early.moment, 'suggested'],
    ['is sooner than renewBefore where it suggests that', { suggested: early, ...unless }, early.moment, 'suggested'],
    [
      'is as renewBefore says where the CA would wait',
      { suggested: late, renewBefore: '1000h' },
      due({ renewBefore: '1000h' }).at,
      'renewBefore',
    ],
    [
      'is as the percentage says where the CA would wait',
      { suggested: late, renewBeforePercentage: 50 },
      due({ renewBeforePercentage: 50 }).at,
      'percentage',
    ],
    ['is at once where the window is over', { suggested: over }, over.moment, 'suggested'],
    [
      'is at once then, whatever the windows of the spec',
      { suggested: over, renewal: windows('0 2 * * 6', '4h') },
      over.moment,
      'suggested',
    ],
    [
      'is what was decided before a restart until the CA is heard',
      { remembered: born + 58 * day },
      born + 58 * day,
      'remembered',
    ],
    ['is what the CA says once it is heard', { remembered: born + 58 * day, suggested }, suggested.moment, 'suggested'],
  ])('%s', (_, input, at, why) => {
    expect(due(input)).toEqual({ kind: 'due', at, why });
  });

  test.each<[string, Partial<RenewalInput>]>([
    ['the CA would wait longer', { suggested: late }],
    ['the CA would wait for ever', { suggested: heardAt(born, { start: born + 500 * day, end: born + 501 * day }) }],
    ['an earlier process had decided to', { remembered: born + 90 * day - minute }],
  ])('is in the last twentieth of the life at the latest, although %s', (_, input) => {
    const { at } = due(input);
    expect(at).toBeLessThanOrEqual(born + 85.5 * day);
    expect(at).toBeGreaterThan(born + 84.5 * day);
  });

  test('is never where the policy is Disabled, whatever the CA says', () => {
    expect(renewAt({ leaf: ninety, seed: 'x', suggested: over, renewal: { policy: 'Disabled' } })).toEqual({
      kind: 'disabled',
    });
  });

  test('waits two hours, or a third of the life, with a window that is open from the first moment on', () => {
    const open = heardAt(born, { start: born, end: born + minute });
    expect(due({ suggested: open }).at).toBe(born + 2 * hour);
    expect(due({ suggested: open, leaf: { notBefore: born, notAfter: born + 3 * hour } }).at).toBe(born + hour);
  });

  test('of a short life hits a window of 3.2 hours', () => {
    const life = 160 * hour;
    const window = { start: born + life / 2 - 1.6 * hour, end: born + life / 2 + 1.6 * hour };
    const { at } = due({ leaf: { notBefore: born, notAfter: born + life }, suggested: heardAt(born, window) });
    expect(at).toBeGreaterThanOrEqual(window.start);
    expect(at).toBeLessThan(window.end);
  });
});

describe('windows of the spec', () => {
  // Of the CA: from Saturday 19 January 02:24 UTC to Wednesday; the 20th of January 2027 is a Wednesday.
  const day20 = Date.UTC(2027, 0, 20);
  const within = { start: day20 - 12 * hour, end: day20 + 12 * hour };
  const at = (hours: number): Suggested => ({
    kind: 'coming',
    window: within,
    moment: day20 + hours * hour,
    soonest: 0,
  });

  test.each<[string, Suggested, CertificateRenewal, readonly [number, number], string]>([
    ['that are open at the chosen moment change nothing', at(3), windows('0 2 * * *', '4h'), [3, 3], 'suggested'],
    ['that open later, while the CA’s is open, are waited for', at(0), windows('0 2 * * *', '4h'), [2, 3], 'window'],
    [
      'that open later only are entered before, while the CA’s is open',
      at(7),
      windows('0 2 * * *', '4h'),
      [2, 3],
      'window',
    ],
    ['that are open when the CA’s opens are entered then', at(0), windows('0 11 19 1 *', '2h'), [-12, -11.5], 'window'],
    ['that open after the CA’s alone are kept to', at(0), windows('0 2 22 1 *', '4h'), [50, 51], 'window'],
    ['that never open in time do not count', at(5), windows('0 2 1 6 *', '4h'), [5, 5], 'noWindow'],
  ])('%s', (_, suggested, renewal, [from, to], why) => {
    const found = due({ suggested, renewal });
    expect(found.why).toBe(why);
    expect((found.at - day20) / hour).toBeGreaterThanOrEqual(from);
    expect((found.at - day20) / hour).toBeLessThanOrEqual(to);
  });
});

describe('a CA that says «at once» of every certificate', () => {
  test('gets one renewal at once, and then one a day', () => {
    const issued = [born + 10 * day];
    let orderedAt: number | undefined;
    for (let now = born + 10 * day; now < born + 20 * day; ) {
      const leaf = { notBefore: now, notAfter: now + 90 * day };
      const suggested = heardAt(
        now,
        { start: now - hour, end: now - minute },
        { soonest: soonestReplacement(leaf, orderedAt) },
      );
      const { at } = due({ leaf, suggested });
      orderedAt = Math.max(at, now);
      now = Math.max(at, now + 1);
      issued.push(now);
    }
    expect(issued.length).toBeLessThanOrEqual(13);
    const pauses = issued.slice(2).map((each, index) => each - (issued[index + 1] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(day - 1000);
  });

  test.each([
    ['ninety days', 90 * day, day],
    ['six hours', 6 * hour, 2 * hour],
  ])('keeps one of %s so long', (_, life, kept) => {
    expect(soonestReplacement({ notBefore: born, notAfter: born + life }, born + 7)).toBe(born + 7 + kept);
  });

  test('does not keep one that replaced nothing', () => {
    expect(soonestReplacement(ninety, undefined)).toBe(0);
  });
});

describe('an order', () => {
  const asked = { certId, window: usual, heardBy: 'https://ca/account/1', account: 'https://ca/account/1' };
  test.each([
    ['before the window', asked, usual.start - 1, undefined],
    ['at its opening', asked, usual.start, certId],
    ['inside', asked, usual.end - 1, certId],
    ['after it', asked, usual.end + day, certId],
    ['inside, by another account', { ...asked, account: 'https://ca/account/2' }, usual.start, undefined],
    ['with no window known', { ...asked, window: undefined }, usual.start, undefined],
  ])('%s names %s', (_, replaced, now, expected) => {
    expect(replaces(replaced, now)).toBe(expected);
  });
});

test.each([
  ['over before half of the life', { start: born + 9 * day, end: born + 9 * day + hour }, true],
  ['over after that', { start: born + 59 * day, end: born + 59.5 * day }, false],
])('a window that is %s is an incident: %s', (_, window, expected) => {
  expect(isRecall(heardAt(born + 60 * day, window), ninety)).toBe(expected);
});
