// What the ledger counts when.

import { describe, expect, test } from 'vitest';
import type { Ask } from '../../src/budget/ask.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { knownLimits, type LimitName, type Limits, noLimits, per } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { cellKey, ownAddress } from '../../src/budget/subject.ts';
import { ask, born, day, hour, minute } from './dice.ts';

const limits = knownLimits('https://acme-v02.api.letsencrypt.org/directory');
const account = 'https://ca.test/acct/1';
const one = ask({ id: 'one', identifiers: ['www.example.com'] });
const other = ask({ id: 'other', identifiers: ['www.example.org'], tenant: 'team-b' });

function used(ledger: Ledger, now = born): Readonly<Partial<Record<LimitName, string>>> {
  return Object.fromEntries(
    ledger.view(now).map(({ limit, used: units, reservedBy }) => [limit, `${units}, ${reservedBy.length} reserved`]),
  );
}

function waitOf(ledger: Ledger, each: Ask, now = born) {
  return decide(ledger, [each], noRounds, now).waits.get(each.id);
}

describe('an order counts', () => {
  test('from its admission, and is spent when the CA spends', () => {
    const ledger = new Ledger(limits);
    ledger.reserve(one, born);
    expect(used(ledger)).toEqual({
      newOrdersPerAccount: '1, 1 reserved',
      certificatesPerDomain: '1, 1 reserved',
      certificatesPerExactSet: '1, 1 reserved',
      failedAuthorizations: '1, 1 reserved',
    });
    ledger.placed('one', born);
    expect(used(ledger)).toMatchObject({
      newOrdersPerAccount: '1, 0 reserved',
      certificatesPerDomain: '1, 1 reserved',
    });
    ledger.issued('one', born);
    expect(used(ledger)).toEqual({
      newOrdersPerAccount: '1, 0 reserved',
      certificatesPerDomain: '1, 0 reserved',
      certificatesPerExactSet: '1, 0 reserved',
    });
  });

  test('when it fails, for the names that failed', () => {
    const ledger = new Ledger(limits);
    const both = ask({ id: 'both', identifiers: ['a.example.com', '*.example.com'] });
    ledger.reserve(both, born);
    ledger.placed('both', born);
    ledger.failed('both', ['example.com'], born);
    expect(ledger.view(born).map(({ limit, subject }) => `${limit} ${subject}`)).toEqual([
      `newOrdersPerAccount ${account}`,
      `failedAuthorizations ${account} *.example.com`,
    ]);
  });

  test('for nothing when nothing was asked', () => {
    const ledger = new Ledger(limits);
    ledger.reserve(one, born);
    ledger.release('one');
    expect(ledger.view(born)).toEqual([]);
  });

  test('once, however often it is told', () => {
    const ledger = new Ledger(limits);
    for (let time = 0; time < 3; time += 1) {
      ledger.reserve(one, born);
      ledger.placed('one', born);
      ledger.placed('one', born);
      ledger.issued('one', born);
      ledger.failed('one', ['www.example.com'], born);
    }
    expect(used(ledger)).toEqual({
      newOrdersPerAccount: '1, 0 reserved',
      certificatesPerDomain: '1, 0 reserved',
      certificatesPerExactSet: '1, 0 reserved',
    });
  });

  test('for its tenant, until the cell is wholly free again', () => {
    const ledger = new Ledger(limits);
    const domain = (now: number) => ledger.view(now).find(({ limit }) => limit === 'certificatesPerDomain')?.spentBy;
    for (const [id, tenant] of [
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'b'],
    ] as const) {
      ledger.reserve(ask({ id, tenant, identifiers: [`${id}.example.com`] }), born);
      ledger.issued(id, born);
    }
    expect(domain(born + hour)).toEqual({ a: 2, b: 1 });
    expect(domain(born + day)).toBeUndefined();
    ledger.reserve(ask({ id: '4', tenant: 'c', identifiers: ['4.example.com'] }), born + day);
    ledger.issued('4', born + day);
    expect(domain(born + day)).toEqual({ c: 1 });
  });

  test('by other rates from the moment that they are set', () => {
    const ledger = new Ledger(noLimits);
    ledger.reserve(one, born);
    expect(waitOf(ledger, other)).toBeUndefined();
    ledger.setLimits({ limits: { newOrdersPerAccount: per(1, hour) }, overrides: [] });
    expect(waitOf(ledger, other)).toEqual({ limit: 'newOrdersPerAccount', subject: account, until: born + hour });
  });
});

describe('N parallel attempts for one name', () => {
  test('cannot fail more often than the CA allows', () => {
    const ledger = new Ledger(limits);
    const attempts = Array.from({ length: 8 }, (_, at) => {
      return ask({ id: `try-${at}`, identifiers: ['dead.example.com', `${at}.example.com`] });
    });
    const { admitted, waits } = decide(ledger, attempts, noRounds, born);
    expect(admitted).toHaveLength(5);
    expect([...waits.values()].map(({ limit, subject }) => `${limit} ${subject}`)).toEqual(
      Array(3).fill(`failedAuthorizations ${account} dead.example.com`),
    );
  });
});

describe('a unit that somebody is about to ask for', () => {
  const setKey = cellKey('certificatesPerExactSet', 'www.example.com');

  test('is known from the admission until the CA has taken the order', () => {
    const ledger = new Ledger(limits);
    expect(ledger.isAboutToBeChecked(setKey)).toBe(false);
    ledger.reserve(one, born);
    expect(ledger.isAboutToBeChecked(setKey)).toBe(true);
    expect(ledger.isAboutToBeChecked(cellKey('certificatesPerExactSet', 'www.example.org'))).toBe(false);
    ledger.placed('one', born);
    expect(ledger.isAboutToBeChecked(setKey)).toBe(false);
  });

  test('is not, once the order has left', () => {
    const ledger = new Ledger(limits);
    ledger.reserve(one, born);
    ledger.release('one');
    expect(ledger.isAboutToBeChecked(setKey)).toBe(false);
  });

  test('is not taken by a renewal that the CA counts without a check, until it has been asked for', () => {
    const tight: Limits = { limits: { certificatesPerExactSet: { burst: 1, emissionMs: hour } }, overrides: [] };
    const ledger = new Ledger(tight);
    ledger.reserve(one, born);
    const unchecked = ask({
      id: 'ari',
      class: 'ari',
      urgency: 'window',
      identifiers: ['www.example.com'],
      account: 'https://ca.test/acct/2',
    });
    expect(waitOf(ledger, unchecked)).toMatchObject({ limit: 'certificatesPerExactSet' });
    ledger.placed('one', born);
    expect(waitOf(ledger, unchecked)).toBeUndefined();
  });

  test('is not taken by one either that is decided on at the same time', () => {
    const tight: Limits = { limits: { certificatesPerExactSet: { burst: 1, emissionMs: hour } }, overrides: [] };
    const account2 = 'https://ca.test/acct/2';
    const unchecked = ask({
      id: 'ari',
      class: 'ari',
      urgency: 'routine',
      identifiers: ['www.example.com'],
      account: account2,
    });
    const { admitted } = decide(new Ledger(tight), [unchecked, one], noRounds, born);
    expect(admitted.map(({ id }) => id)).toEqual(['one']);
  });
});

test('ten accounts may be made at once, and then one in 18 minutes', () => {
  const ledger = new Ledger(limits);
  for (let made = 0; made < 10; made += 1) {
    expect(ledger.nextAccount(born)).toBe(born);
    ledger.accountMade(`https://ca.test/acct/${made}`, born);
  }
  expect(ledger.nextAccount(born)).toBe(born + 18 * minute);
  expect(ledger.view(born)).toMatchObject([{ limit: 'newAccountsPerIp', subject: ownAddress, left: 0 }]);
});

describe('a clock that is set back', () => {
  const tight: Limits = { limits: { newOrdersPerAccount: per(2, hour) }, overrides: [] };

  test('does not make a full cell wait for the time that it showed', () => {
    const ledger = new Ledger(tight);
    const ahead = born + 300 * day;
    for (const id of ['a', 'b']) {
      ledger.reserve(ask({ id }), ahead);
      ledger.placed(id, ahead);
    }
    const until = waitOf(ledger, one, born)?.until ?? Number.NaN;
    expect(until).toBeLessThanOrEqual(born + hour);
    expect(waitOf(ledger, one, until)).toBeUndefined();
  });

  test('leaves of a hold what was left', () => {
    const ledger = new Ledger(tight);
    ledger.told(one, { status: 429, retryAt: born + 300 * day + hour }, born + 300 * day);
    expect(waitOf(ledger, other, born)?.until).toBe(born + hour);
    expect(waitOf(ledger, other, born + hour)).toBeUndefined();
  });
});
