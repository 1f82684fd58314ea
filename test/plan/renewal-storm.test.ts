// 2,000 certificates that come due together, or while nobody was there: over how long their moments are spread, and when the line before the CA lets the
// last of them go. The CA here counts every order, renewals too: 300 at once and one in 36 s (no CA that is known is stricter to one account).

import { describe, expect, test } from 'vitest';
import type { Ask } from '../../src/budget/ask.ts';
import { freshCell, nextFree, spend } from '../../src/budget/cell.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { knownLimits, per } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { type RenewalInput, renewAt } from '../../src/plan/renewal.ts';
import { type LastCertificate, standingBefore } from '../../src/plan/renewal-class.ts';
import { suggestionOf } from '../../src/plan/renewal-info.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const count = 2000;
const strictest = per(300, 3 * hour);
const born = Date.UTC(2026, 10, 21);
const directory = 'https://acme-v02.api.letsencrypt.org/directory';
const account = 'https://acme-v02.api.letsencrypt.org/acme/acct/1';

interface Held {
  readonly id: string;
  readonly leaf: { readonly notBefore: number; readonly notAfter: number };
  readonly due: number;
}

/** Issued evenly over `over` ms, and when each is due. */
function herd(
  over: number,
  life: number,
  change: (leaf: Held['leaf'], id: string) => Partial<RenewalInput> = () => ({}),
): readonly Held[] {
  return Array.from({ length: count }, (_, index) => {
    const notBefore = born + Math.floor((index * over) / count);
    const leaf = { notBefore, notAfter: notBefore + life };
    const id = `AA.${index}`;
    const renewal = renewAt({ leaf, seed: id, width: 'wide', ...change(leaf, id) });
    if (renewal.kind !== 'due') throw new Error('disabled');
    return { id, leaf, due: renewal.at };
  });
}

/** What Boulder suggests: two thirds of the life, half of a short one, a hundredth to either side. */
function suggested({ notBefore, notAfter }: Held['leaf'], certId: string): Partial<RenewalInput> {
  const life = notAfter - notBefore;
  const middle = notBefore + (life < 10 * day ? life / 2 : (life * 2) / 3);
  const window = { start: middle - life / 100, end: middle + life / 100 };
  return { suggested: suggestionOf({ certId, window, soonest: 0 }, notBefore) };
}

function mostInAnHour(moments: readonly number[]): number {
  const hours = new Map<number, number>();
  for (const at of moments) hours.set(Math.floor(at / hour), (hours.get(Math.floor(at / hour)) ?? 0) + 1);
  return Math.max(...hours.values());
}

function askOf({ id, leaf, due }: Held, from: LastCertificate['issuer'], now: number): Ask {
  const identifiers = [`${id.replace('.', '-').toLowerCase()}.example`];
  const last = { ...leaf, identifiers, standing: 'serving', issuer: from } as const;
  const since = Math.max(due, born);
  return {
    id,
    account,
    identifiers,
    tenant: 'a',
    since,
    ...standingBefore({ identifiers, since, last, replaces: 'none' }, now),
  };
}

type Gone = readonly { readonly held: Held; readonly at: number }[];

/** In the order in which one cell lets them go: of those that are due, by urgency and end, as line.ts does. */
function through(herded: readonly Held[], start: number): Gone {
  const coming = herded.toSorted((a, b) => b.due - a.due);
  const gone: { readonly held: Held; readonly at: number }[] = [];
  let ready: readonly Held[] = [];
  let cell = freshCell;
  for (let now = start; gone.length < herded.length; ) {
    const arrived: Held[] = [];
    for (let next = coming.at(-1); next !== undefined && next.due <= now; next = coming.at(-1)) {
      arrived.push(next);
      coming.pop();
    }
    if (arrived.length > 0) ready = [...ready, ...arrived].toSorted((a, b) => a.leaf.notAfter - b.leaf.notAfter);
    const free = nextFree(cell, 0, strictest, now);
    const [held, ...others] = ready;
    if (held === undefined) now = coming.at(-1)?.due ?? now;
    else if (free > now) now = free;
    else {
      gone.push({ held, at: now });
      cell = spend(cell, strictest, now);
      ready = others;
    }
  }
  return gone;
}

/** The same by the line itself, which is asked once an hour. */
function throughTheLine(herded: readonly Held[], from: LastCertificate['issuer'], start: number): Gone {
  const ledger = new Ledger(knownLimits(directory));
  const gone: { readonly held: Held; readonly at: number }[] = [];
  let waiting = herded;
  for (let now = start; waiting.length > 0; now += hour) {
    const asks = waiting.filter(({ due }) => due <= now).map((each) => askOf(each, from, now));
    const admitted = new Set(decide(ledger, asks, noRounds, now).admitted.map(({ id }) => id));
    for (const ask of asks.filter(({ id }) => admitted.has(id))) {
      ledger.reserve(ask, now);
      ledger.placed(ask.id, now);
      ledger.issued(ask.id, now);
    }
    gone.push(...waiting.filter(({ id }) => admitted.has(id)).map((held) => ({ held, at: now })));
    waiting = waiting.filter(({ id }) => !admitted.has(id));
  }
  return gone;
}

function longestWait(gone: Gone, from: number): number {
  return Math.max(...gone.map(({ held, at }) => at - Math.max(held.due, from)));
}

function leastLeft(gone: Gone): number {
  return Math.min(...gone.map(({ held, at }) => held.leaf.notAfter - at));
}

describe('2,000 certificates of one hour', () => {
  test.each<[string, number, typeof suggested | undefined, number, number]>([
    ['whose CA suggests windows, 90 days', 90 * day, suggested, 80, 10 * minute],
    ['whose CA suggests none, 90 days', 90 * day, undefined, 80, 10 * minute],
    ['whose CA suggests windows, 45 days', 45 * day, suggested, 140, 2 * hour],
    ['whose CA suggests windows, 160 hours', 160 * hour, suggested, 700, 16 * hour],
    ['whose users all say renewBefore 360h', 90 * day, () => ({ renewBefore: '360h' }), 1200, 16 * hour],
  ])('%s, come due over so many hours that no wait endangers them', (_, life, change, inAnHour, wait) => {
    const herded = herd(hour, life, change);
    expect(mostInAnHour(herded.map(({ due }) => due))).toBeLessThan(inAnHour);
    const gone = through(herded, Math.min(...herded.map(({ due }) => due)));
    expect(longestWait(gone, 0)).toBeLessThanOrEqual(wait);
    expect(leastLeft(gone)).toBeGreaterThan(life / 7);
  });

  test('that Let’s Encrypt knows for renewals wait for nothing', () => {
    const herded = herd(hour, 90 * day, suggested);
    const gone = throughTheLine(herded, 'same', Math.max(...herded.map(({ due }) => due)));
    expect(new Set(gone.map(({ at }) => at)).size).toBe(1);
  });
});

describe('after a week in which nobody was there', () => {
  test('2,000 of 90 days that came due meanwhile go by their ends, and the last in 17 hours', () => {
    const herded = herd(7 * day, 90 * day, suggested);
    const back = Math.max(...herded.map(({ due }) => due));
    const gone = throughTheLine(herded, 'other', back);
    expect(longestWait(gone, back)).toBeLessThanOrEqual(17.5 * hour);
    expect(leastLeft(gone)).toBeGreaterThan(20 * day);
    const ends = gone.map(({ held, at }) => [at, held.leaf.notAfter] as const);
    const late = ends.filter(([at, end]) => ends.some(([other, otherEnd]) => other > at && otherEnd < end));
    expect(late).toEqual([]);
  });

  test('2,000 of 160 hours, some of which have ended, lose only those: the ended and the ending go first', () => {
    const herded = herd(7 * day, 160 * hour, suggested);
    const back = born + 7 * day + 12 * hour;
    const gone = through(
      herded.filter(({ due }) => due <= back),
      back,
    );
    const saved = gone.filter(({ held }) => held.leaf.notAfter > back);
    const lost = saved.filter(({ held, at }) => held.leaf.notAfter <= at);
    expect(saved.length).toBeGreaterThan(500);
    expect(lost.map(({ held }) => (held.leaf.notAfter - back) / hour)).toEqual([]);
  });
});
