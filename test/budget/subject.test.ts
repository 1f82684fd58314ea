// Whom a limit counts for.

import { expect, test } from 'vitest';
import { exactSet, registeredDomain } from '../../src/budget/subject.ts';

test.each([
  ['www.example.com', 'example.com'],
  ['*.example.co.uk', 'example.co.uk'],
  ['EXAMPLE.com', 'example.com'],
  ['a.b.team.github.io', 'team.github.io'],
  ['github.io', 'github.io'],
  ['com', 'com'],
  ['localhost', 'localhost'],
  ['a.b.unheardof', 'b.unheardof'],
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
  ['2001:DB8:0:1:9::7', '2001:db8:0:1::/64'],
  ['1.2.3.4.example.com', 'example.com'],
])('%s counts for %s', (name, domain) => {
  expect(registeredDomain(name)).toBe(domain);
});

test('a set is the same in any order and case, and with its addresses in any spelling', () => {
  expect(exactSet(['b.com', 'A.com', 'a.com', '2001:db8:0::1'])).toBe(exactSet(['2001:db8::1', 'a.com', 'b.com']));
});

test('sets that differ are told apart, and people see the first name', () => {
  expect(exactSet(['a.com'])).toBe('a.com');
  expect(exactSet(['a.com', 'b.com'])).toMatch(/^a\.com\+1:[\w-]{22}$/);
  expect(exactSet(['a.com', 'b.com'])).not.toBe(exactSet(['a.com', 'c.com']));
});
