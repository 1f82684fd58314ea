// Which cells an order touches, and which of them may keep it out: the CA's exemptions.

import { describe, expect, test } from 'vitest';
import { type Class, usesOf } from '../../src/budget/ask.ts';
import { knownLimits, type Limits, per } from '../../src/budget/limits.ts';
import { ask, day } from './dice.ts';

const production = knownLimits('https://acme-v02.api.letsencrypt.org/directory');
const account = 'https://ca.test/acct/1';

function touched(kind: Class, limits: Limits = production): readonly string[] {
  const identifiers = ['www.example.com', 'example.com', '*.other.co.uk'];
  return usesOf(ask({ id: 'one', class: kind, identifiers, account }), limits).uses.map(
    ({ limit, subject, checked, spentAt }) => {
      const short = subject
        .replace(/\+2:.*/, '+2')
        .replace(`${account} `, '')
        .replace(account, 'account');
      return `${checked ? 'asks' : 'counts'} ${limit} of ${short} at ${spentAt}`;
    },
  );
}

const failures = (verb: string) => [
  `${verb} failedAuthorizations of *.other.co.uk at failure`,
  `${verb} failedAuthorizations of example.com at failure`,
  `${verb} failedAuthorizations of www.example.com at failure`,
];

describe('an order', () => {
  test('for new names asks everything', () => {
    expect(touched('new')).toEqual([
      'asks newOrdersPerAccount of account at order',
      'asks certificatesPerDomain of other.co.uk at issuance',
      'asks certificatesPerDomain of example.com at issuance',
      'asks certificatesPerExactSet of *.other.co.uk+2 at issuance',
      ...failures('asks'),
    ]);
  });

  test('that renews is asked for neither order nor domain', () => {
    expect(touched('renewal')).toEqual([
      'asks certificatesPerExactSet of *.other.co.uk+2 at issuance',
      ...failures('asks'),
    ]);
  });

  test('inside its ARI window is asked for nothing, and counts for its set and its failures all the same', () => {
    expect(touched('ari')).toEqual([
      'counts certificatesPerExactSet of *.other.co.uk+2 at issuance',
      ...failures('counts'),
    ]);
  });

  test('of an account with a rate of its own per domain asks that one, and counts for the common one', () => {
    const rate = per(500, 7 * day);
    const overrides = [{ limit: 'certificatesPerDomain', subject: account, rate }] as const;
    const uses = usesOf(ask({ id: 'one', identifiers: ['a.example.com'], account }), { ...production, overrides });
    expect(uses.uses.filter(({ limit }) => limit === 'certificatesPerDomain')).toMatchObject([
      { subject: `${account} example.com`, rate, checked: true },
      { subject: 'example.com', rate: per(50, 7 * day), checked: false },
    ]);
  });

  test('of a domain or account with another rate uses that', () => {
    const overrides = [
      { limit: 'certificatesPerDomain', subject: 'example.com', rate: per(1, day) },
      { limit: 'certificatesPerDomain', subject: 'example.com', rate: per(2, day) },
      { limit: 'failedAuthorizations', subject: account, rate: per(3, day) },
      { limit: 'newOrdersPerAccount', subject: account, rate: per(4, day) },
    ] as const;
    const { uses } = usesOf(ask({ id: 'one', identifiers: ['a.example.com'], account }), { ...production, overrides });
    expect(uses.map(({ limit, rate }) => [limit, rate?.burst])).toEqual([
      ['newOrdersPerAccount', 4],
      ['certificatesPerDomain', 2],
      ['certificatesPerExactSet', 5],
      ['failedAuthorizations', 3],
    ]);
  });
});

test.each([
  ['https://acme-v02.api.letsencrypt.org/directory', 300],
  ['https://acme-staging-v02.api.letsencrypt.org/directory', 1500],
  ['https://letsencrypt.org.evil.test/directory', undefined],
  ['not a URL', undefined],
])('%s gives %s new orders at once', (url, burst) => {
  expect(knownLimits(url).limits.newOrdersPerAccount?.burst).toBe(burst);
});
