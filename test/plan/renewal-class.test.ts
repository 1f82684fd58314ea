// Which exemption of the CA a request has, how much it matters, and by when it is needed.

import { describe, expect, test } from 'vitest';
import {
  classOf,
  deadlineOf,
  type LastCertificate,
  type Need,
  standingBefore,
  urgencyOf,
} from '../../src/plan/renewal-class.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 21);

/** 90 days, of which `age` are over. */
function last(age: number, change: Partial<LastCertificate> = {}): LastCertificate {
  const notBefore = now - age * day;
  return {
    notBefore,
    notAfter: notBefore + 90 * day,
    identifiers: ['www.example.com', 'example.com'],
    standing: 'serving',
    issuer: 'same',
    ...change,
  };
}

const open = { start: now - hour, end: now + hour };
const ahead = { start: now + hour, end: now + 2 * hour };
const over = { start: now - 2 * hour, end: now - hour };

function need(change: Partial<Need> = {}): Need {
  return { identifiers: ['example.com', 'www.example.com'], since: now - hour, replaces: 'none', ...change };
}

describe('the class', () => {
  test.each<[string, Need, string]>([
    ['names without a certificate', need(), 'new'],
    ['the exact same names', need({ last: last(60) }), 'renewal'],
    ['spelt otherwise', need({ last: last(60, { identifiers: ['EXAMPLE.com', 'www.Example.com'] }) }), 'renewal'],
    ['a name more', need({ last: last(60, { identifiers: ['example.com'] }) }), 'new'],
    ['a name less', need({ identifiers: ['example.com'], last: last(60) }), 'new'],
    ['another issuer', need({ last: last(60, { issuer: 'other', window: open }), replaces: 'named' }), 'new'],
    [
      'another account of the CA',
      need({ last: last(60, { issuer: 'twin', window: open }), replaces: 'named' }),
      'renewal',
    ],
    ['expired a month ago', need({ last: last(119) }), 'renewal'],
    ['expired longer ago than the CA remembers', need({ last: last(121) }), 'new'],
    ['inside the window', need({ last: last(60, { window: open }), replaces: 'named' }), 'ari'],
    [
      'inside, with a name more',
      need({ last: last(60, { identifiers: ['example.com'], window: open }), replaces: 'named' }),
      'ari',
    ],
    ['inside, but the Order does not say what it replaces', need({ last: last(60, { window: open }) }), 'renewal'],
    ['before the window', need({ last: last(60, { window: ahead }), replaces: 'named' }), 'renewal'],
    ['after the window', need({ last: last(60, { window: over }), replaces: 'named' }), 'renewal'],
    [
      'at its last instant',
      need({ last: last(60, { window: { start: now - hour, end: now } }), replaces: 'named' }),
      'renewal',
    ],
    ['at its first', need({ last: last(60, { window: { start: now, end: now + hour } }), replaces: 'named' }), 'ari'],
    ['with a window that is not known yet', need({ last: last(60), replaces: 'named' }), 'renewal'],
    [
      'addresses in another spelling',
      need({ identifiers: ['2001:DB8:0::1'], last: last(3, { identifiers: ['2001:db8::1'] }) }),
      'renewal',
    ],
  ])('%s', (_, asked, expected) => {
    expect(classOf(asked, now)).toBe(expected);
  });
});

describe('the urgency and the deadline', () => {
  test.each<[string, Need, string, number]>([
    ['names without a certificate', need(), 'new', now + 23 * hour],
    ['a name more', need({ last: last(89.5, { identifiers: ['example.com'] }) }), 'new', now + 23 * hour],
    ['23 hours left', need({ last: last(90 - 23 / 24) }), 'urgent', now + 23 * hour],
    ['25 hours left', need({ last: last(90 - 25 / 24) }), 'window', now + 25 * hour],
    ['expired', need({ last: last(100) }), 'urgent', now - 10 * day],
    ['from another issuer, expired', need({ last: last(100, { issuer: 'other' }) }), 'urgent', now - 10 * day],
    ['its Secret is lost', need({ last: last(1, { standing: 'lost' }) }), 'urgent', now - hour],
    ['recalled by the CA', need({ last: last(10, { window: over }) }), 'urgent', now + 23 * hour],
    [
      'recalled, of a life of 30 hours',
      need({
        last: last(10 / 24, { notAfter: now + 20 * hour, window: { start: now - 3 * hour, end: now - 2 * hour } }),
      }),
      'urgent',
      now + 20 * hour,
    ],
    ['the window is open', need({ last: last(10, { window: open }) }), 'window', now + 80 * day],
    ['the window went by while nobody was there', need({ last: last(67, { window: over }) }), 'window', now + 23 * day],
    [
      'the window is ahead, and it is asked for by hand',
      need({ last: last(10, { window: ahead }) }),
      'routine',
      now + 80 * day,
    ],
    ['two thirds, of a CA without windows', need({ last: last(60) }), 'window', now + 30 * day],
    ['a key of another kind', need({ last: last(10) }), 'routine', now + 80 * day],
    ['a name less, soon after', need({ identifiers: ['example.com'], last: last(10) }), 'routine', now + 80 * day],
  ])('%s', (_, asked, urgency, deadline) => {
    expect(urgencyOf(asked, now)).toBe(urgency);
    expect(deadlineOf(asked, now)).toBe(deadline);
  });

  test.each([
    [6 * hour, 1.3 * hour, 'window'],
    [6 * hour, 1.1 * hour, 'urgent'],
    [160 * hour, 23 * hour, 'urgent'],
    [160 * hour, 25 * hour, 'window'],
  ])('of a life of %d ms, %d ms left is %s', (life, left, urgency) => {
    const short = last(0, { notBefore: now + left - life, notAfter: now + left });
    expect(urgencyOf(need({ last: short }), now)).toBe(urgency);
  });
});

test('all three go into an Ask', () => {
  const asked = need({ last: last(60, { window: open }), replaces: 'named' });
  expect(standingBefore(asked, now)).toEqual({ class: 'ari', urgency: 'window', deadline: now + 30 * day });
});
