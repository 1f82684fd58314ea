// What a user writes about limits: what it means, and the sentences about what cannot be meant.

import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { knownLimits, per } from '../../src/budget/limits.ts';
import { mergeLimits, parseLimits } from '../../src/budget/limits-config.ts';
import { day, hour, minute } from './dice.ts';

const written = `
directory: https://ca.test/directory
limits:
  newOrdersPerAccount: {count: "300", period: 3h}
  certificatesPerDomain: {count: 50, period: 7d, burst: 10}
  certificatesPerExactSet: none
overrides:
  - {limit: certificatesPerDomain, subject: Example.com, count: 2000, period: 1w}
  - {limit: failedAuthorizations, subject: https://ca.test/acct/Abc, count: 1, period: 1h30m}
`;

test('YAML and JSON are read alike', () => {
  const value = {
    directory: 'https://ca.test/directory',
    limits: {
      newOrdersPerAccount: per(300, 3 * hour),
      certificatesPerDomain: { burst: 10, emissionMs: (7 * day) / 50 },
      certificatesPerExactSet: null,
    },
    overrides: [
      { limit: 'certificatesPerDomain', subject: 'example.com', rate: per(2000, 7 * day) },
      { limit: 'failedAuthorizations', subject: 'https://ca.test/acct/Abc', rate: per(1, 90 * minute) },
    ],
  };
  expect(parseLimits(written, parse)).toEqual({ ok: true, value });
  expect(parseLimits(JSON.stringify(parse(written)))).toEqual({ ok: true, value });
});

test('what is written replaces what is known, and nothing else', () => {
  const reply = parseLimits(
    '{"limits": {"certificatesPerDomain": {"count": 1, "period": "1d"}, "newAccountsPerIp": "none"}}',
  );
  if (!reply.ok) throw new Error(reply.problem.join());
  const { limits } = mergeLimits(knownLimits('https://acme-v02.api.letsencrypt.org/directory'), reply.value);
  expect(limits.certificatesPerDomain).toEqual(per(1, day));
  expect(limits.newOrdersPerAccount).toEqual(per(300, 3 * hour));
  expect(limits).not.toHaveProperty('newAccountsPerIp');
});

test.each<[string, string]>([
  ['[]', 'The limits must be an object with "limits", "overrides" or both.'],
  ['{', 'The limits cannot be read: '],
  ['{"limit": {}}', 'limit is not known; known are directory, limits, overrides.'],
  ['{"limits": []}', 'limits must be an object of limits by name.'],
  ['{"overrides": {}}', 'overrides must be a list.'],
  ['{"directory": "x"}', 'directory must be the URL of an ACME directory.'],
  ['{"limits": {"certsPerDay": {}}}', 'limits.certsPerDay is not known; known are newOrdersPerAccount, '],
  ['{"limits": {"newAccountsPerIp": 5}}', 'limits.newAccountsPerIp must be {count, period}, or "none".'],
  [
    '{"limits": {"newAccountsPerIp": {"count": 0, "period": "1h"}}}',
    'limits.newAccountsPerIp.count must be a whole number from 1 to 10000000.',
  ],
  ['{"limits": {"newAccountsPerIp": {"count": 1.5, "period": "1h"}}}', 'limits.newAccountsPerIp.count must be'],
  [
    '{"limits": {"newAccountsPerIp": {"count": 1, "period": "week"}}}',
    'limits.newAccountsPerIp.period must be a time from 1s to 366d',
  ],
  ['{"limits": {"newAccountsPerIp": {"count": 1, "period": "0s"}}}', 'limits.newAccountsPerIp.period must be'],
  [
    '{"limits": {"newAccountsPerIp": {"count": 1, "period": "1h", "burst": -1}}}',
    'limits.newAccountsPerIp.burst must be',
  ],
  [
    '{"limits": {"newAccountsPerIp": {"count": 1, "period": "1h", "unit": 1}}}',
    'limits.newAccountsPerIp.unit is not known',
  ],
  ['{"overrides": [5]}', 'overrides[0] must be {limit, subject, count, period}.'],
  ['{"overrides": [{"limit": "x", "subject": "a", "count": 1, "period": "1h"}]}', 'overrides[0].limit must be one of'],
  [
    '{"overrides": [{"limit": "newAccountsPerIp", "subject": "a b", "count": 1, "period": "1h"}]}',
    'overrides[0].subject must be',
  ],
])('%s is refused', (text, sentence) => {
  const reply = parseLimits(text);
  if (reply.ok) throw new Error('read');
  expect(reply.problem.join('\n')).toContain(sentence);
});

test('every mistake is told at once', () => {
  const reply = parseLimits('{"limits": {"a": 1, "newAccountsPerIp": {}}, "overrides": [1]}');
  expect(reply).toMatchObject({ ok: false, problem: { length: 4 } });
});

test('a text of any length is refused in one sentence', () => {
  const problem = ['The limits are 200000 characters long; at most 100000 are read.'];
  expect(parseLimits(' '.repeat(200_000))).toEqual({ ok: false, problem });
});
