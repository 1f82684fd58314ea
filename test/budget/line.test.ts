// Who goes next, who waits for what and until when, and how long it takes to find out.

import { describe, expect, test } from 'vitest';
import type { Ask } from '../../src/budget/ask.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { type Limits, noLimits } from '../../src/budget/limits.ts';
import { type Decision, decide } from '../../src/budget/line.ts';
import { longestReservation } from '../../src/budget/reservations.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { ask, born, hour, minute } from './dice.ts';

const account = 'https://ca.test/acct/1';
const onePerMinute: Limits = { limits: { newOrdersPerAccount: { burst: 1, emissionMs: minute } }, overrides: [] };

/** Ids in the order in which they are admitted, one a minute. */
function turns(asks: readonly Ask[], limits = onePerMinute): readonly string[] {
  const ledger = new Ledger(limits);
  const gone: string[] = [];
  let rounds = noRounds;
  for (let now = born; gone.length < asks.length && now < born + 1000 * minute; now += minute) {
    const decision = decide(
      ledger,
      asks.filter(({ id }) => !gone.includes(id)),
      rounds,
      now,
    );
    rounds = decision.rounds;
    for (const each of decision.admitted) {
      gone.push(each.id);
      ledger.reserve(each, now);
      ledger.issued(each.id, now);
    }
  }
  return gone;
}

function brief({ admitted, waits }: Decision): readonly string[] {
  return [
    ...admitted.map(({ id }) => `${id} goes`),
    ...[...waits].map(
      ([id, { limit, until }]) =>
        `${id} waits ${until === undefined ? '' : `${(until - born) / minute} min `}for ${limit}`,
    ),
  ];
}

describe('the line', () => {
  test('serves what presses first, then the earliest deadline, then who waits longest', () => {
    const asks = [
      ask({ id: 'routine', urgency: 'routine', deadline: born }),
      ask({ id: 'new', urgency: 'new', deadline: born }),
      ask({ id: 'window, later', urgency: 'window', deadline: born + 2 }),
      ask({ id: 'window, younger', urgency: 'window', deadline: born + 1, since: born }),
      ask({ id: 'window, older', urgency: 'window', deadline: born + 1, since: born - 1 }),
      ask({ id: 'urgent', urgency: 'urgent', deadline: born + 9 }),
    ];
    expect(turns(asks)).toEqual(['urgent', 'window, older', 'window, younger', 'window, later', 'new', 'routine']);
  });

  test('gives tenants their turns, whoever came first with however many', () => {
    const greedy = Array.from({ length: 6 }, (_, at) => ask({ id: `a${at}`, tenant: 'a', since: born - 100 + at }));
    const modest = ['b0', 'b1', 'c0'].map((id) => ask({ id, tenant: id.charAt(0) }));
    expect(turns([...greedy, ...modest])).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3', 'a4', 'a5']);
  });

  test('lets a tenant with many urgent ones not hold the others back, whose own go by their deadlines', () => {
    const urgent = (id: string, tenant: string, deadline: number) =>
      ask({ id, tenant, urgency: 'urgent', deadline: born + deadline });
    const many = Array.from({ length: 5 }, (_, at) => urgent(`a${at}`, 'a', at));
    const others = [urgent('b later', 'b', 90), urgent('b sooner', 'b', 80), urgent('c', 'c', 70)];
    expect(turns([...many, ...others])).toEqual(['a0', 'c', 'b sooner', 'a1', 'b later', 'a2', 'a3', 'a4']);
  });

  test('counts no turn of an urgent one against the new names of its tenant', () => {
    const urgent = Array.from({ length: 3 }, (_, at) => ask({ id: `urgent-${at}`, tenant: 'a', urgency: 'urgent' }));
    const fresh = ['a', 'b', 'c'].map((tenant) => ask({ id: `new-${tenant}`, tenant }));
    expect(turns([...urgent, ...fresh]).slice(3)).toEqual(['new-a', 'new-b', 'new-c']);
  });

  test('tells everyone what they wait for and until when, in the order of the line', () => {
    const asks = ['a', 'b', 'c', 'd'].map((id) => ask({ id, tenant: id }));
    const decision = decide(new Ledger(onePerMinute), asks, noRounds, born);
    expect(brief(decision)).toEqual([
      'a goes',
      'b waits 1 min for newOrdersPerAccount',
      'c waits 2 min for newOrdersPerAccount',
      'd waits 3 min for newOrdersPerAccount',
    ]);
    expect(decision.waits.get('d')).toEqual({
      limit: 'newOrdersPerAccount',
      subject: account,
      until: born + 3 * minute,
    });
    expect(decision.wakeAt).toBe(born + minute);
  });

  test('lets equal needs run one after the other', () => {
    const names = ['www.shop.test', 'shop.test'];
    const asks = [ask({ id: 'a', identifiers: names }), ask({ id: 'b', identifiers: names.toReversed() })];
    const ledger = new Ledger(noLimits);
    expect(brief(decide(ledger, asks, noRounds, born))).toEqual(['a goes', 'b waits for equalNeed']);
    ledger.reserve(asks[0] as Ask, born);
    expect(brief(decide(ledger, asks, noRounds, born))).toEqual(['b waits for equalNeed']);
    ledger.issued('a', born);
    expect(brief(decide(ledger, asks.slice(1), noRounds, born))).toEqual(['b goes']);
  });

  test('lets nobody be kept waiting by another account for the same names', () => {
    const asks = [ask({ id: 'a' }), ask({ id: 'b', account: 'https://ca.test/acct/2' })];
    const ledger = new Ledger(noLimits);
    expect(brief(decide(ledger, asks, noRounds, born))).toEqual(['a goes', 'b goes']);
    ledger.reserve(asks[0] as Ask, born);
    expect(brief(decide(ledger, asks.slice(1), noRounds, born))).toEqual(['b goes']);
  });

  test('keeps the units of an order that nobody settles for ten minutes, and counts them when it is issued after all', () => {
    const limits = { limits: { certificatesPerDomain: { burst: 1, emissionMs: 3_600_000 } }, overrides: [] };
    const asks = [
      ask({ id: 'a', identifiers: ['a.shop.test'] }),
      ask({ id: 'b', identifiers: ['b.shop.test'], account: 'https://ca.test/acct/2' }),
    ];
    const ledger = new Ledger(limits);
    ledger.reserve(asks[0] as Ask, born);
    ledger.placed('a', born);
    const at = (now: number) => {
      ledger.loosen(now);
      return brief(decide(ledger, asks.slice(1), noRounds, now));
    };
    expect(at(born + longestReservation - 1)).toEqual([
      expect.stringMatching(/^b waits .* for certificatesPerDomain$/),
    ]);
    expect(at(born + longestReservation)).toEqual(['b goes']);
    ledger.issued('a', born + longestReservation);
    expect(at(born + longestReservation)).toEqual([expect.stringMatching(/^b waits .* for certificatesPerDomain$/)]);
  });

  test('never keeps a renewal behind new names', () => {
    const asks = Array.from({ length: 50 }, (_, at) => ask({ id: `new-${at}` }));
    const renewal = ask({ id: 'renewal', class: 'renewal', urgency: 'routine' });
    expect(decide(new Ledger(onePerMinute), [...asks, renewal], noRounds, born).admitted.map(({ id }) => id)).toEqual([
      'new-0',
      'renewal',
    ]);
  });
});

describe('one that cannot go yet', () => {
  const limits: Limits = {
    limits: {
      newOrdersPerAccount: { burst: 2, emissionMs: 10 * minute },
      certificatesPerDomain: { burst: 1, emissionMs: hour },
    },
    overrides: [],
  };
  const blocked = ask({ id: 'blocked', urgency: 'urgent', identifiers: ['b.full.test'] });
  const passing = ask({ id: 'passing', identifiers: ['a.free.test'] });

  function full(at: number): Ledger {
    const ledger = new Ledger(limits);
    ledger.reserve(ask({ id: 'earlier', identifiers: ['a.full.test'] }), at);
    ledger.issued('earlier', at);
    return ledger;
  }

  test('is passed by those that do not delay it', () => {
    expect(brief(decide(full(born), [blocked, passing], noRounds, born))).toEqual([
      'passing goes',
      'blocked waits 60 min for certificatesPerDomain',
    ]);
  });

  test('is not passed by one that would take the unit that it will need', () => {
    // In five minutes its domain is free again; a unit of the account that is taken now is not back by then.
    const ledger = full(born - 55 * minute);
    ledger.reserve(ask({ id: 'another', identifiers: ['a.third.test'] }), born);
    ledger.placed('another', born);
    expect(brief(decide(ledger, [blocked, passing], noRounds, born))).toEqual([
      'blocked waits 5 min for certificatesPerDomain',
      'passing waits 10 min for newOrdersPerAccount',
    ]);
  });

  test('is passed again once its unit is certain', () => {
    const ledger = full(born - 45 * minute);
    ledger.reserve(ask({ id: 'another', identifiers: ['a.third.test'] }), born);
    ledger.placed('another', born);
    expect(brief(decide(ledger, [blocked, passing], noRounds, born))[0]).toBe('passing goes');
  });

  test('does not hold up another account', () => {
    const stranger = ask({ id: 'stranger', account: 'https://ca.test/acct/2' });
    const asks = [ask({ id: 'a' }), ask({ id: 'b' }), stranger];
    expect(decide(new Ledger(onePerMinute), asks, noRounds, born).admitted.map(({ id }) => id)).toContain('stranger');
  });
});

test('an empty line decides nothing', () => {
  expect(decide(new Ledger(onePerMinute), [], noRounds, born)).toEqual({
    admitted: [],
    waits: new Map(),
    rounds: noRounds,
  });
});
