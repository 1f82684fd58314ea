// Which fields of a Secret are ours, from managedFields as a 1.36 API server keeps them.

import { expect, it } from 'vitest';
import { ownedFields } from '../../src/plan/owned-fields.ts';

const entry = {
  manager: 'us',
  operation: 'Apply',
  fieldsV1: {
    'f:data': { 'f:tls.crt': {}, 'f:tls.key': {} },
    'f:metadata': {
      'f:annotations': { '.': {}, 'f:cert-manager.io/alt-names': {} },
      'f:labels': { 'f:team': {} },
      'f:ownerReferences': { '.': {}, 'k:{"uid":"4f0e-1"}': { 'f:name': {} } },
    },
    'f:type': {},
  },
};

it('names labels, annotations, data keys and owners of one manager', () => {
  const owned = ownedFields([{ ...entry, manager: 'others' }, entry], 'us');
  expect(owned).toEqual({
    labels: new Set(['team']),
    annotations: new Set(['cert-manager.io/alt-names']),
    data: new Set(['tls.crt', 'tls.key']),
    owners: new Set(['4f0e-1']),
  });
});

it('adds up entries of the same manager, as an update and an apply leave two', () => {
  const update = { manager: 'us', fieldsV1: { 'f:data': { 'f:key.der': {} } } };
  expect(ownedFields([entry, update], 'us').data).toEqual(new Set(['tls.crt', 'tls.key', 'key.der']));
});

it.each([[undefined], [[]], [[{ manager: 'us' }]], [[{ manager: 'us', fieldsV1: 'text' }]]])(
  'owns nothing by %j',
  (entries) => {
    const nothing = new Set();
    expect(ownedFields(entries, 'us')).toEqual({
      labels: nothing,
      annotations: nothing,
      data: nothing,
      owners: nothing,
    });
  },
);
