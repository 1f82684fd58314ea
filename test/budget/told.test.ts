// What the ledger makes of the CA's own words: who waits for what, and until when.

import { describe, expect, test } from 'vitest';
import type { Ask } from '../../src/budget/ask.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { knownLimits, type LimitName, noLimits } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { ask, born, day, minute } from './dice.ts';

const limits = knownLimits('https://acme-v02.api.letsencrypt.org/directory');
const account = 'https://ca.test/acct/1';
const one = ask({ id: 'one', identifiers: ['www.example.com'] });
const other = ask({ id: 'other', identifiers: ['www.example.org'], tenant: 'team-b' });

function waitOf(ledger: Ledger, each: Ask, now = born) {
  return decide(ledger, [each], noRounds, now).waits.get(each.id);
}

const later = born + 30 * minute;

describe('a refusal', () => {
  const word = (limit: string | undefined, detail = '') => ({
    status: 429,
    retryAt: later,
    detail,
    ...(limit !== undefined && { limit }),
  });

  test.each<[string, string | undefined, LimitName | 'accountHeld', string, boolean]>([
    ['of the account', 'new-orders-per-account', 'newOrdersPerAccount', account, true],
    ['of the domain', 'new-certificates-per-registered-domain', 'certificatesPerDomain', 'example.com', false],
    [
      'of the set',
      'new-certificates-per-exact-set-of-identifiers',
      'certificatesPerExactSet',
      'www.example.com',
      false,
    ],
    [
      'of failures',
      'authorization-failures-per-identifier-per-account',
      'failedAuthorizations',
      `${account} www.example.com`,
      false,
    ],
    ['of nothing known', 'some-new-limit', 'accountHeld', account, true],
    ['without a link', undefined, 'accountHeld', account, true],
  ])(
    '%s holds what it names until the time that the CA said, also at a CA whose limits nobody knows',
    (_, fragment, limit, subject, isForAll) => {
      for (const table of [limits, noLimits]) {
        const ledger = new Ledger(table);
        ledger.told(one, word(fragment), born);
        expect(waitOf(ledger, one)).toEqual({ limit, subject, until: later });
        expect(waitOf(ledger, other)?.until).toBe(isForAll ? later : undefined);
        expect(waitOf(ledger, one, later)).toBeUndefined();
      }
    },
  );

  test('keeps who got it from asking the same again, even where the model thinks it exempt', () => {
    const ledger = new Ledger(limits);
    const exempt = { ...one, class: 'ari', urgency: 'window' } as const;
    ledger.told(exempt, word('new-orders-per-account'), born);
    expect(waitOf(ledger, exempt)?.until).toBe(later);
    expect(waitOf(ledger, { ...other, class: 'ari' })).toBeUndefined();
  });

  test('of one of several domains holds the one that its text quotes, and none where it quotes none', () => {
    const several = ask({ id: 'several', identifiers: ['a.mine.com', 'b.yours.com'] });
    const yours = ask({ id: 'yours', identifiers: ['c.yours.com'] });
    const quoting = new Ledger(limits);
    quoting.told(
      several,
      word('new-certificates-per-registered-domain', 'too many certificates (50) for "mine.com" in 168h'),
      born,
    );
    expect(waitOf(quoting, yours)).toBeUndefined();
    expect(waitOf(quoting, ask({ id: 'mine', identifiers: ['d.mine.com'] }))?.until).toBe(later);
    const silent = new Ledger(limits);
    silent.told(several, word('new-certificates-per-registered-domain'), born);
    expect(waitOf(silent, yours)).toBeUndefined();
    expect(waitOf(silent, several)?.until).toBe(later);
  });

  test('without a time is believed for a minute', () => {
    const ledger = new Ledger(noLimits);
    ledger.told(one, { status: 429 }, born);
    expect(waitOf(ledger, one)?.until).toBe(born + minute);
  });

  test('503 holds the endpoint for everyone', () => {
    const ledger = new Ledger(limits);
    ledger.told(undefined, { status: 503, retryAt: later }, born);
    const stranger = ask({ id: 'stranger', account: 'https://ca.test/acct/2' });
    expect(waitOf(ledger, stranger)).toEqual({ limit: 'directoryHeld', subject: 'the CA', until: later });
    expect(ledger.nextAccount(born)).toBe(later);
  });

  test('that is a pause lasts until a person acts, for these names of this account alone', () => {
    const ledger = new Ledger(limits);
    ledger.told(one, { status: 429, pauseUrl: 'https://ca.test/unpause' }, born);
    expect(waitOf(ledger, one, born + 300 * day)).toEqual({
      limit: 'paused',
      subject: 'www.example.com',
      url: 'https://ca.test/unpause',
    });
    expect(decide(ledger, [one], noRounds, born).wakeAt).toBeUndefined();
    expect(waitOf(ledger, other)).toBeUndefined();
    expect(waitOf(ledger, { ...one, account: 'https://ca.test/acct/2' })).toBeUndefined();
    ledger.unheld(account);
    expect(waitOf(ledger, one)).toBeUndefined();
  });

  test('of accounts holds the making of accounts', () => {
    const ledger = new Ledger(limits);
    ledger.told(undefined, word('new-registrations-per-ip-address'), born);
    expect(ledger.nextAccount(born)).toBe(later);
    expect(waitOf(ledger, one)).toBeUndefined();
  });
});
