// The referee of rate limits itself, as tables: what Boulder grants, what it refuses and for how long, and what it never counts.

import { describe, expect, test } from 'vitest';
import { type Demand, Referee, smallRates, sumOf } from './gcra.ts';
import { lowerBoundSeconds } from './gcra-bound.ts';
import { cellsOf } from './gcra-cells.ts';

const account = 'https://ca/acct/1';
const start = 1_000_000;

function wish(...names: readonly string[]): Demand {
  return { account, names, standing: 'plain' };
}

/** What the n-th of many orders for different names is told at these times. */
function rulings(referee: Referee, domain: (index: number) => string, ...at: readonly number[]): readonly string[] {
  return at.map((offset, index) => {
    const ruling = referee.ask(wish(domain(index)), start + offset);
    return ruling.kind === 'granted' ? 'granted' : `${ruling.limit} ${ruling.waitMs}`;
  });
}

const rates = {
  ...smallRates,
  'new-orders-per-account': { burst: 3, everyMs: 400 },
};

describe('orders of an account', () => {
  const different = (index: number) => `www.d${index}.com`;
  test.each<[string, readonly number[], readonly string[]]>([
    ['a burst at once', [0, 0, 0], ['granted', 'granted', 'granted']],
    ['no more than a burst', [0, 0, 0, 0], ['granted', 'granted', 'granted', 'new-orders-per-account 400']],
    ['one more for each emission', [0, 0, 0, 400, 800], Array.from({ length: 5 }, () => 'granted')],
    ['none a moment early', [0, 0, 0, 399], ['granted', 'granted', 'granted', 'new-orders-per-account 1']],
    [
      'no more than a burst after a long rest',
      [0, 9_000, 9_000, 9_000, 9_000],
      [...Array.from({ length: 4 }, () => 'granted'), 'new-orders-per-account 400'],
    ],
  ])('are granted %s', (_, at, expected) => {
    expect(rulings(new Referee(rates), different, ...at)).toEqual(expected);
  });

  test('are each account’s own', () => {
    const referee = new Referee(rates);
    rulings(referee, different, 0, 0, 0);
    expect(referee.ask({ ...wish('x.com'), account: 'https://ca/acct/2' }, start).kind).toBe('granted');
  });

  test('cost nothing when refused, and are given back when not made', () => {
    const referee = new Referee(rates);
    const [first] = [0, 1, 2].map((index) => referee.ask(wish(different(index)), start));
    const told = [3, 4, 5].map((index) => referee.ask(wish(different(index)), start));
    expect(told.map((ruling) => ruling.kind === 'refused' && ruling.waitMs)).toEqual([400, 400, 400]);
    referee.takeBack(first?.kind === 'granted' ? first.spent : [], start);
    expect(referee.tally).toMatchObject({ orders: 2, refusals: { 'new-orders-per-account': 3 } });
    expect(referee.ask(wish('x.com'), start).kind).toBe('granted');
  });
});

describe('certificates of a registered domain', () => {
  const same = (index: number) => `app-${index}.shop.co.uk`;

  test('are counted when they are issued, so that orders side by side run over', () => {
    const referee = new Referee();
    expect(rulings(referee, same, 0, 0, 0, 0, 0)).toEqual(Array.from({ length: 5 }, () => 'granted'));
    for (let index = 0; index < 5; index += 1) referee.issued(wish(same(index)), start);
    expect(referee.tally).toMatchObject({ issued: 5, overruns: { 'new-certificates-per-registered-domain': 2 } });
    // What ran over is not counted: the cell is empty, and no deeper.
    expect(rulings(referee, (index) => `next-${index}.shop.co.uk`, 5_999, 6_000)).toEqual([
      'new-certificates-per-registered-domain 1',
      'granted',
    ]);
  });

  test('are refused to every account alike, and with the longest of all waits', () => {
    const referee = new Referee(rates);
    for (let index = 0; index < 3; index += 1) referee.issued(wish(same(index)), start);
    rulings(referee, (index) => `d${index}.com`, 0, 0, 0);
    const limit = 'new-certificates-per-registered-domain';
    const other = { ...wish('new.shop.co.uk'), account: 'https://ca/acct/2' };
    expect(referee.ask(wish('new.shop.co.uk'), start)).toEqual({ kind: 'refused', limit, waitMs: 6_000 });
    expect(referee.ask(other, start)).toEqual({ kind: 'refused', limit, waitMs: 6_000 });
    expect(sumOf(referee.tally.refusals)).toBe(2);
  });
});

describe('a renewal', () => {
  const names = ['a.shop.com', 'b.shop.com'];
  /** A cell of orders and one of the domain that are empty. */
  function spent(): Referee {
    const referee = new Referee(rates);
    for (const name of ['x.shop.com', 'y.shop.com']) referee.issued(wish(name), start);
    referee.issued(wish(...names), start);
    rulings(referee, (index) => `d${index}.com`, 0, 0, 0);
    return referee;
  }

  test.each<[string, Partial<Demand>, string]>([
    ['of the same names', {}, 'granted'],
    ['of the same names in another order', { names: names.toReversed() }, 'granted'],
    ['of the same names by another account', { account: 'https://ca/acct/2' }, 'granted'],
    ['of more names', { names: [...names, 'c.shop.com'] }, 'refused'],
    ['of fewer names', { names: ['a.shop.com'] }, 'refused'],
    ['of more names by ARI', { names: [...names, 'c.shop.com'], standing: 'ari' }, 'granted'],
  ])('%s is %3$s', (_, change, expected) => {
    expect(spent().ask({ ...wish(...names), ...change }, start).kind).toBe(expected);
  });

  test('spends no domain, but the cell of its exact set, from which only ARI is exempt', () => {
    const referee = new Referee();
    for (let times = 0; times < 5; times += 1) referee.issued(wish(...names), start);
    const limit = 'new-certificates-per-exact-set-of-identifiers';
    expect(referee.ask(wish(...names), start)).toEqual({ kind: 'refused', limit, waitMs: 12_000 });
    expect(referee.ask({ ...wish(...names), standing: 'ari' }, start).kind).toBe('granted');
    expect(referee.tally.overruns).toEqual({});
    expect(referee.ask(wish('c.shop.com'), start).kind).toBe('granted');
  });
});

describe('failed authorizations', () => {
  const limit = 'authorization-failures-per-identifier-per-account';

  test('close a name to its account alone, for as long as one takes to come back', () => {
    const referee = new Referee();
    for (let times = 0; times < 5; times += 1) referee.failed(account, 'dead.shop.com', start);
    const both = wish('alive.shop.com', 'dead.shop.com');
    expect(referee.ask(both, start + 1_000)).toEqual({ kind: 'refused', limit, waitMs: 6_000 });
    expect(referee.ask({ ...both, account: 'https://ca/acct/2' }, start).kind).toBe('granted');
    expect(referee.ask(wish('alive.shop.com'), start).kind).toBe('granted');
    expect(referee.ask(wish('*.dead.shop.com'), start).kind).toBe('granted');
    expect(referee.ask(both, start + 7_000).kind).toBe('granted');
  });

  test('close it to renewals too', () => {
    const referee = new Referee();
    referee.issued(wish('a.shop.com'), start);
    for (let times = 0; times < 6; times += 1) referee.failed(account, 'a.shop.com', start);
    expect(referee.ask(wish('a.shop.com'), start)).toEqual({ kind: 'refused', limit, waitMs: 7_000 });
    expect(referee.tally).toMatchObject({ failures: 6, overruns: { [limit]: 1 } });
  });
});

test.each<[readonly string[], readonly string[]]>([
  [['www.shop.com', 'SHOP.com', '*.shop.com'], ['shop.com']],
  [
    ['a.shop.co.uk', 'b.other.co.uk'],
    ['shop.co.uk', 'other.co.uk'],
  ],
  [
    ['a.one.github.io', 'two.github.io'],
    ['one.github.io', 'two.github.io'],
  ],
  [['github.io', '*.github.io'], ['github.io']],
  [['intranet'], ['intranet']],
  [
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.1', '192.0.2.2'],
  ],
  [
    ['2001:db8::1', '2001:db8:0:0:ffff::', '2001:db8:0:1::1'],
    ['2001:db8:0:0::/64', '2001:db8:0:1::/64'],
  ],
])('%j counts for %j', (names, subjects) => {
  const { domains } = cellsOf({ account, names });
  expect(domains.map(({ subject }) => subject).toSorted()).toEqual(subjects.toSorted());
});

describe('the lower bound', () => {
  const many = (count: number, name: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => ({ account, names: [name(index)] }));
  test.each<[string, ReturnType<typeof many>, number]>([
    ['nothing', [], 0],
    ['less than every burst', many(3, (index) => `a${index}.shop.com`), 0],
    ['what the account gives', many(40, (index) => `d${index}.com`), 4],
    ['what one domain gives', many(8, (index) => `a${index}.shop.com`), 30],
    ['a domain that binds the longer among many', many(40, (index) => `a${index}.d${Math.min(index, 36)}.com`), 6],
    ['300 certificates over 40 domains', many(300, (index) => `a${index}.d${index % 40}.com`), 108],
  ])('of %s', (_, demand, seconds) => {
    expect(lowerBoundSeconds(demand, smallRates)).toBeCloseTo(seconds, 6);
  });

  test('is what the referee itself can be brought to', () => {
    const demand = many(120, (index) => `a${index}.d${index % 12}.com`);
    const referee = new Referee();
    const left = [...demand];
    let now = start;
    for (; left.length > 0; now += 100) {
      for (const one of [...left]) {
        if (referee.ask({ ...one, standing: 'plain' }, now).kind === 'refused') continue;
        referee.issued(one, now);
        left.splice(left.indexOf(one), 1);
      }
    }
    const seconds = (now - 100 - start) / 1000;
    expect(lowerBoundSeconds(demand, smallRates)).toBe(42);
    expect(seconds).toBeGreaterThanOrEqual(42);
    expect(seconds).toBeLessThan(44);
  });
});
