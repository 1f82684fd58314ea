// What an Order remembers of its TXT records: nothing that may have been presented is ever forgotten, and nothing unreadable is believed.

import { describe, expect, it } from 'vitest';
import type { Order } from '../../src/api/order.ts';
import { type KeptRecord, keptRecords, recordKey, spellRecords, withRecords } from '../../src/apply/record-notes.ts';

function kept(name: string, change: { value?: string; fqdn?: string; nameserver?: string } = {}): KeptRecord {
  const { value = `value of ${name}`, fqdn = `_acme-challenge.${name}.`, nameserver = '192.0.2.1' } = change;
  return {
    name,
    record: { dnsName: name, fqdn, zone: 'example.test.', value, ttl: 60 },
    solver: { rfc2136: { nameserver } },
  };
}

function orderWith(text: string | undefined): Order {
  const annotations = text === undefined ? {} : { 'certway.dev/records': text };
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: { name: 'o', namespace: 'team', uid: 'u1', annotations },
    spec: { request: '', issuerRef: { name: 'dns' } },
  };
}

const noting = (...records: readonly KeptRecord[]) => orderWith(spellRecords(records));

it('what is spelled is read again', () => {
  const records = [kept('a.test'), kept('*.a.test')];
  expect(keptRecords(noting(...records))).toEqual(records);
});

describe('a further plan', () => {
  it('for the names that are still open keeps the records of those that are proven', () => {
    const order = noting(kept('a.test'), kept('b.test'));
    expect(withRecords(order, [kept('b.test')])).toEqual([kept('a.test'), kept('b.test')]);
  });

  it.each([
    ['by another server', kept('a.test', { nameserver: '192.0.2.2' })],
    ['with another value', kept('a.test', { value: 'new' })],
    ['where its CNAME leads by now', kept('a.test', { fqdn: 'elsewhere.test.' })],
  ])('of a name %s stands beside the earlier one', (_, planned) => {
    expect(withRecords(noting(kept('a.test')), [planned])).toEqual([kept('a.test'), planned]);
  });

  it('that is the same changes nothing', () => {
    const order = noting(kept('a.test'));
    expect(spellRecords(withRecords(order, [kept('a.test')]))).toBe(
      order.metadata.annotations?.['certway.dev/records'],
    );
  });
});

it('records of two Orders are never taken for each other', () => {
  const [one, two] = [noting(), { ...noting(), metadata: { ...noting().metadata, uid: 'u2' } }];
  expect(recordKey(one, kept('a.test'))).not.toBe(recordKey(two, kept('a.test')));
});

it.each([
  ['nothing', undefined],
  ['no JSON', '{'],
  ['no list', '{"name":"a.test"}'],
  ['a record without its zone', JSON.stringify([{ ...kept('a.test'), record: { fqdn: 'a.' } }])],
  ['a record without its solver', JSON.stringify([{ ...kept('a.test'), solver: null }])],
])('%s in the annotation is no record', (_, text) => {
  expect(keptRecords(orderWith(text))).toEqual([]);
});
