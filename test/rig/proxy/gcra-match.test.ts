// The ledger before a referee that was written without it: it is never refused, wastes little, and serves tenants alike, however long the way to the CA is.

import { describe, expect, test } from 'vitest';
import { seeded } from '../../queue/seeded.ts';
import { smallRates, sumOf } from './gcra.ts';
import { type Outcome, play } from './gcra-match.ts';

/** Dealt as the benchmark of limits deals them (test/bench/limits-objects.ts). */
function dealt(certificates: number, tenants: number, domains: number, below = 'a') {
  return Array.from({ length: certificates }, (_, index) => {
    const [tenant, turn] = [index % tenants, Math.floor(index / tenants)];
    const domain = (tenant * (certificates / tenants) + turn) % domains;
    return { tenant: `team-${tenant}`, name: `app-${index}.${below}.shop-${domain}.example` };
  });
}

function spreadOf({ finishes }: Outcome): number {
  const all = finishes.flatMap((each) => [...each.values()]);
  return (Math.max(...all) - Math.min(...all)) / Math.max(...all);
}

const seeds = [1, 2, 3];

describe.each(seeds)('alone, seed %i', (seed) => {
  test('what the account limits is used to its end, and shared alike', () => {
    const outcome = play({ rates: smallRates, sides: [dealt(150, 10, 20)], inFlight: 8, seed });
    expect(outcome.tally).toEqual({ orders: 150, issued: 150, failures: 0, refusals: {}, overruns: {} });
    expect(outcome.bound).toBe(48);
    expect(outcome.bound / outcome.seconds).toBeGreaterThan(0.95);
    expect(spreadOf(outcome)).toBeLessThan(0.1);
  });

  test('what domains limit is never overrun by orders side by side', () => {
    const outcome = play({ rates: smallRates, sides: [dealt(40, 4, 6)], inFlight: 8, seed });
    expect(outcome.tally).toEqual({ orders: 40, issued: 40, failures: 0, refusals: {}, overruns: {} });
    expect(outcome.bound).toBe(24);
    expect(outcome.seconds).toBeLessThan(24 + 10);
  });

  test('nor where chance deals', () => {
    const { below } = seeded(seed);
    const wanted = Array.from({ length: 200 }, (_, index) => ({
      tenant: `team-${below(7)}`,
      name: `app-${index}.shop-${Math.min(below(30), below(30))}.example`,
    }));
    const { tally, seconds, bound } = play({ rates: smallRates, sides: [wanted], inFlight: 8, seed });
    expect(tally).toEqual({ orders: 200, issued: 200, failures: 0, refusals: {}, overruns: {} });
    expect(bound / seconds).toBeGreaterThan(0.8);
  });
});

test.each([1, 2])(
  'two that share an account unknown to each other are seldom refused, and both get all, seed %i',
  (seed) => {
    const sides = [dealt(150, 10, 40, 'a'), dealt(150, 10, 40, 'b')];
    const { tally, seconds } = play({ rates: smallRates, sides, inFlight: 4, seed });
    expect(tally.issued).toBe(300);
    expect(sumOf(tally.refusals) / (sumOf(tally.refusals) + tally.orders)).toBeLessThanOrEqual(0.05);
    expect(seconds).toBeLessThan(2 * 108);
  },
);
