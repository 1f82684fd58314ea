// What the ledger and the line promise of any history: the CA never refuses, also after kills; nobody starves; equal tenants get equal shares.

import { expect, test } from 'vitest';
import type { Ask, Class, Urgency } from '../../src/budget/ask.ts';
import { type Limits, per } from '../../src/budget/limits.ts';
import { ask, born, type Dice, dice, minute, seed } from './dice.ts';
import { type Plan, Rehearsal } from './rehearsal.ts';
import { type CaRate, type CaRates, StrictCa } from './strict-ca.ts';

const second = 1000;

function limitsOf({ orders, domain, set, failures }: CaRates): Limits {
  const rate = (of: CaRate | undefined) => (of === undefined ? undefined : per(of.burst, of.period));
  const pairs = Object.entries({
    newOrdersPerAccount: rate(orders),
    certificatesPerDomain: rate(domain),
    certificatesPerExactSet: rate(set),
    failedAuthorizations: rate(failures),
  }).filter(([, each]) => each !== undefined);
  return { limits: Object.fromEntries(pairs), overrides: [] };
}

function someRates(roll: Dice): CaRates {
  const rate = (low: number, high: number): CaRate => {
    const burst = 1 + roll.below(8);
    return { burst, period: Math.round(burst * roll.between(low, high)) };
  };
  return {
    orders: rate(0.2 * second, 20 * second),
    domain: rate(second, 60 * second),
    set: rate(second, 120 * second),
    failures: rate(second, 60 * second),
  };
}

function someAsk(roll: Dice, number: number, at: number, domains: number): Ask {
  const names = Array.from(
    { length: roll.chance(0.2) ? 2 : 1 },
    () => `w${roll.below(4)}.d${roll.below(domains)}.test`,
  );
  return ask({
    id: `order-${number}`,
    identifiers: [...new Set(names)],
    urgency: roll.pick<Urgency>(['urgent', 'window', 'new', 'new', 'routine']),
    deadline: at + roll.between(0, 60 * minute),
    tenant: `team-${roll.below(4)}`,
    account: `https://ca.test/acct/${roll.below(2)}`,
    since: at,
  });
}

function somePlans(roll: Dice, count: number, span: number): readonly Plan[] {
  const domains = 1 + roll.below(5);
  return Array.from({ length: count }, (_, number) => {
    const at = born + Math.floor(roll.between(0, span));
    const fate = roll.pick<Plan['fate']>(['issues', 'issues', 'issues', 'fails', 'nothingAsked']);
    return { at, ask: someAsk(roll, number, at, domains), fate };
  });
}

/** What was issued before is a renewal, and sometimes one inside its window. */
function classify(ca: StrictCa, roll: Dice) {
  return (each: Ask, now: number): Ask => {
    return ca.isRenewal(each.identifiers, now) ? { ...each, class: roll.pick<Class>(['renewal', 'ari']) } : each;
  };
}

const rounds = Number(process.env.BUDGET_ROUNDS ?? 20);

test(`the CA is never asked for more than it gives (seed ${seed})`, { timeout: 120_000 }, () => {
  const fullest: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const roll = dice(seed * 1000 + round);
    const rates = someRates(roll);
    const ca = new StrictCa(rates);
    const rehearsal = new Rehearsal({
      ca,
      limits: limitsOf(rates),
      dice: roll,
      plans: somePlans(roll, 80, roll.between(second, 20 * minute)),
      lag: roll.pick([0, second, 20 * second]),
      skew: Math.round(roll.between(-5 * minute, 5 * minute)),
      classify: classify(ca, roll),
    }).run();
    expect({ seed, round, refusals: rehearsal.refusals }).toEqual({ seed, round, refusals: [] });
    expect([...rehearsal.courses.values()].filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
    expect(rehearsal.order.length).toBe(80);
    fullest.push(Math.max(...ca.fullest.values()));
  }
  // It was tight: some cells were filled to the brim.
  expect(Math.max(...fullest)).toBeGreaterThan(0.99);
});

test(`nor after kills at any moment (seed ${seed})`, { timeout: 120_000 }, () => {
  for (let round = 0; round < rounds; round += 1) {
    const roll = dice(seed * 1000 + 500 + round);
    const rates = someRates(roll);
    const span = roll.between(minute, 20 * minute);
    const ca = new StrictCa(rates);
    const rehearsal = new Rehearsal({
      ca,
      limits: limitsOf(rates),
      dice: roll,
      plans: somePlans(roll, 60, span),
      lag: 5 * second,
      kills: Array.from({ length: 5 }, () => born + Math.floor(roll.between(0, 2 * span))),
      checkpointEvery: roll.pick([second, minute, 60 * minute]),
      classify: classify(ca, roll),
    }).run();
    expect({ seed, round, refusals: rehearsal.refusals }).toEqual({ seed, round, refusals: [] });
    expect([...rehearsal.courses.values()].filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
  }
});

const rank: Readonly<Record<Urgency, number>> = { urgent: 0, window: 1, new: 2, routine: 3 };

/** Who may go before `one`: all that press more, and of what has turns, of each other tenant as many as its own tenant has before it, and one. */
function ahead(one: Ask, all: readonly Ask[], owed: number): number {
  const pressing = all.filter((each) => rank[each.urgency] < rank[one.urgency]).length;
  const equals = all.filter((each) => each.urgency === one.urgency && each.id !== one.id);
  if (one.urgency !== 'new' && one.urgency !== 'urgent')
    return pressing + equals.filter(({ deadline }) => deadline <= one.deadline).length;
  const own = equals.filter((each) => each.tenant === one.tenant && isBefore(each, one)).length;
  const others = Map.groupBy(
    equals.filter(({ tenant }) => tenant !== one.tenant),
    ({ tenant }) => tenant,
  );
  return pressing + own + [...others.values()].reduce((sum, each) => sum + Math.min(each.length, own + 1 + owed), 0);
}

function isBefore(a: Ask, b: Ask): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.since <= b.since);
}

test(`nobody starves: everyone goes within (those ahead + tenants) × the slowest emission (seed ${seed})`, {
  timeout: 120_000,
}, () => {
  let closest = 0;
  for (let round = 0; round < rounds; round += 1) {
    const roll = dice(seed * 1000 + 900 + round);
    const rates = someRates(roll);
    const slowest = Math.max(...Object.values(rates).map(({ period, burst }: CaRate) => period / burst));
    const plans = somePlans(roll, 80, roll.between(second, 10 * minute));
    const ca = new StrictCa(rates);
    const rehearsal = new Rehearsal({
      ca,
      limits: limitsOf(rates),
      dice: roll,
      plans,
      lag: 0,
      classify: classify(ca, roll),
    }).run();
    const all = plans.map((plan) => plan.ask);
    for (const { ask: one, at, admittedAt = Number.POSITIVE_INFINITY } of rehearsal.courses.values()) {
      const bound = (ahead(one, all, 16) + 4) * slowest;
      expect({ seed, round, id: one.id, waited: admittedAt - at, isInTime: admittedAt - at <= bound }).toMatchObject({
        isInTime: true,
      });
      closest = Math.max(closest, (admittedAt - at) / bound);
    }
  }
  console.log(`longest wait: ${(closest * 100).toFixed(1)} % of its bound (seed ${seed})`);
});

test.each([
  ['all at once', 0],
  ['one tenant after the other, within half a minute', 100],
])(
  `tenants of equal demand that come %s finish within 10 % of each other, and the CA is not left idle (seed ${seed})`,
  { timeout: 120_000 },
  (_, apart) => {
    const rates: CaRates = {
      orders: { burst: 30, period: 12 * second },
      domain: { burst: 3, period: 18 * second },
      failures: { burst: 5, period: 35 * second },
    };
    const plans = Array.from({ length: 300 }, (_none, number): Plan => {
      const [tenant, own] = [Math.floor(number / 30), number % 30];
      const id = `order-${String(number).padStart(3, '0')}`;
      const identifiers = [`w${own}.d${tenant * 4 + (own % 4)}.test`];
      return {
        at: born + number * apart,
        fate: 'issues',
        ask: ask({ id, tenant: `team-${tenant}`, identifiers, since: born + number * apart }),
      };
    });
    const ca = new StrictCa(rates);
    const rehearsal = new Rehearsal({ ca, limits: limitsOf(rates), dice: dice(seed), plans, lag: second }).run();
    const ends = Map.groupBy(rehearsal.courses.values(), (course) => course.ask.tenant);
    const finish = [...ends.values()].map((each) => Math.max(...each.map(({ endedAt = Infinity }) => endedAt)) - born);
    const spread = (Math.max(...finish) - Math.min(...finish)) / Math.max(...finish);
    const least = (300 - 30) * 400;
    const last = Math.max(...[...rehearsal.courses.values()].map(({ admittedAt = 0 }) => admittedAt)) - born;
    console.log(`spread ${(spread * 100).toFixed(1)} %, ${((least / last) * 100).toFixed(1)} % of the CA used`);
    expect(rehearsal.refusals).toEqual([]);
    expect(spread).toBeLessThanOrEqual(0.1);
    expect(least / last).toBeGreaterThanOrEqual(0.95);
  },
);
