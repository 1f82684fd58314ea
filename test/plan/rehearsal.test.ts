// Where an issuer's orders are rehearsed, which of them, and what an Order remembers of it.

import { describe, expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { annotations } from '../../src/api/names.ts';
import type { Order } from '../../src/api/order.ts';
import {
  isRehearsing,
  isToBeRehearsed,
  notedRehearsal,
  type RehearsalNeed,
  type RehearsalNote,
  rehearsalNote,
  rehearsalPlace,
} from '../../src/plan/rehearsal.ts';
import type { LastCertificate } from '../../src/plan/renewal-class.ts';

const production = 'https://acme-v02.api.letsencrypt.org/directory';
const staging = 'https://acme-staging-v02.api.letsencrypt.org/directory';
const now = Date.parse('2026-11-21T12:00:00Z');

function issuer(server: string, text?: string): Issuer {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name: 'acme', ...(text !== undefined && { annotations: { [annotations.rehearse]: text } }) },
    spec: { acme: { server, privateKeySecretRef: { name: 'account' } } },
  };
}

describe('the place of rehearsals', () => {
  it.each<[string, string, string | undefined, object]>([
    ['none without the annotation', production, undefined, { kind: 'none' }],
    ['none where it is empty', production, ' ', { kind: 'none' }],
    ['Let’s Encrypt’s own', production, 'staging', { kind: 'at', directory: staging }],
    ['any other', 'https://ca.test/dir', 'https://ca.test/trial', { kind: 'at', directory: 'https://ca.test/trial' }],
  ])('is %s', (_, server, text, expected) => {
    expect(rehearsalPlace(issuer(server, text))).toEqual(expected);
  });

  it('of what is stamped is the template’s alone: a tenant sends the key about to nobody', () => {
    const template = issuer(production, 'staging');
    const forged = issuer(production, 'https://ca.test/trial');
    expect(rehearsalPlace(issuer(production), template)).toEqual({ kind: 'at', directory: staging });
    expect(rehearsalPlace(forged, template)).toEqual({ kind: 'at', directory: staging });
    expect(rehearsalPlace(forged, issuer(production))).toEqual({ kind: 'none' });
  });

  it.each([
    [
      '"staging" of a CA that is not known',
      'https://ca.test/dir',
      'staging',
      /Let’s Encrypt’s production directory alone/,
    ],
    ['what is no URL', production, 'yes', /neither "staging" nor the https:\/\/ URL/],
    ['plain text', production, 'http://ca.test/trial', /https:\/\/ URL/],
    ['a password', production, 'https://me:secret@ca.test/trial', /https:\/\/ URL/],
    ['the issuer’s own', production, production, /own directory/],
    ['the issuer’s own, with a query', production, `${production}?x`, /own/],
    ['the issuer’s own, spelt otherwise', production, 'https://ACME-v02.api.letsencrypt.org:443/directory', /own/],
    ['more than an address', production, `https://ca.test/${'x'.repeat(3000)}`, /https:\/\/ URL/],
  ])('is not %s', (_, server, text, words) => {
    const place = rehearsalPlace(issuer(server, text));
    expect(place).toMatchObject({ kind: 'unreadable', message: expect.stringMatching(words) });
    expect('message' in place && place.message).not.toContain('secret');
  });
});

const note = (state: RehearsalNote['state'], minutesAgo = 0, directory = staging): RehearsalNote => {
  return { directory, state, at: now - minutesAgo * 60_000 };
};

function order(
  change: { readonly note?: RehearsalNote; readonly status?: Order['status']; readonly ageMinutes?: number } = {},
): Order {
  const { note: noted, status, ageMinutes = 60 } = change;
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: {
      name: 'shop-1',
      creationTimestamp: new Date(now - ageMinutes * 60_000).toISOString(),
      annotations: noted === undefined ? {} : { [annotations.rehearsal]: rehearsalNote(noted) },
    },
    spec: { issuerRef: { name: 'acme' }, request: '', dnsNames: ['shop.test'] },
    ...(status !== undefined && { status }),
  };
}

const failedAt = (minutesAgo: number): Order['status'] => {
  return { state: 'invalid', failureTime: new Date(now - minutesAgo * 60_000).toISOString() };
};

const last: LastCertificate = {
  notBefore: now - 60 * 86_400_000,
  notAfter: now + 30 * 86_400_000,
  identifiers: ['shop.test'],
  standing: 'serving',
  issuer: 'same',
};

function need(change: Partial<RehearsalNeed>): RehearsalNeed {
  const common = { directory: staging, order: order(), urgency: 'new', last: undefined } as const;
  return { ...common, failedAttempts: 0, equals: [], ...change };
}

describe('an order is rehearsed', () => {
  it.each<[string, Partial<RehearsalNeed>]>([
    ['of names that are new to the issuer', {}],
    ['of names that another issuer had a certificate for', { last: { ...last, issuer: 'other' }, urgency: 'window' }],
    ['with a name more than before', { last }],
    ['after a failure in production', { last, urgency: 'window', failedAttempts: 1 }],
    ['that passed at another directory', { order: order({ note: note('passed', 1, 'https://ca.test/other') }) }],
    ['that has not passed yet', { order: order({ note: note('open') }) }],
    ['whose equal failed after it had passed', { equals: [order({ note: note('passed', 9), status: failedAt(5) })] }],
    [
      'whose equals passed before one of them failed',
      { equals: [order({ note: note('passed', 9) }), order({ status: failedAt(5) })] },
    ],
    ['whose equal has only begun', { equals: [order({ note: note('open') })] }],
  ])('%s', (_, change) => {
    expect(isToBeRehearsed(need(change))).toBe(true);
  });

  it.each<[string, Partial<RehearsalNeed>]>([
    ['that has passed', { order: order({ note: note('passed') }), failedAttempts: 3 }],
    ['that renews', { last, urgency: 'window' }],
    ['that renews early', { last, urgency: 'routine' }],
    ['whose certificate is about to end, whatever has failed', { last, urgency: 'urgent', failedAttempts: 3 }],
    ['whose equal has passed', { equals: [order({ note: note('passed', 9) })] }],
    [
      'whose equal passed after another had failed',
      { equals: [order({ status: failedAt(9) }), order({ note: note('passed', 5) })] },
    ],
    ['whose equal has been issued', { equals: [order({ status: { state: 'valid' } })] }],
  ])('not where it is one %s', (_, change) => {
    expect(isToBeRehearsed(need(change))).toBe(false);
  });
});

describe('what an Order remembers', () => {
  it('is what was noted', () => {
    const open = { ...note('open'), url: 'https://ca.test/order/1' };
    expect(notedRehearsal(order({ note: open }))).toEqual(open);
  });

  it.each([
    ['', 'no JSON'],
    ['null', 'nothing'],
    ['{"directory":1,"state":"open","at":"2026-11-21T12:00:00Z"}', 'a directory that is no text'],
    ['{"directory":"d","state":"done","at":"2026-11-21T12:00:00Z"}', 'a state that is none'],
    ['{"directory":"d","state":"open","at":"soon"}', 'no time'],
  ])('is nothing where somebody wrote %s', (text) => {
    const edited = order();
    const metadata = { ...edited.metadata, annotations: { [annotations.rehearsal]: text } };
    expect(notedRehearsal({ ...edited, metadata })).toBeUndefined();
  });

  it.each<[RehearsalNote['state'], boolean]>([
    ['open', true],
    ['failed', true],
    ['passed', false],
  ])('as %s: its own CA cannot have heard of it: %s', (state, expected) => {
    expect(isRehearsing(order({ note: note(state) }))).toBe(expected);
  });

  it('is nothing without a note, and then its own CA may have heard of it', () => {
    expect(isRehearsing(order())).toBe(false);
  });
});
