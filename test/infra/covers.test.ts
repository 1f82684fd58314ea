import { describe, expect, it } from 'vitest';
import { covers, withoutEmpty } from '../../src/infra/covers.ts';
import { digestOf } from '../../src/infra/digest.ts';

const container = (name: string, more: object = {}) => ({
  spec: { template: { spec: { containers: [{ name, ...more }] } } },
});

describe('a live object covers what is wanted', () => {
  const so: readonly (readonly [why: string, live: unknown, wanted: unknown])[] = [
    ['when it holds the same', { spec: { type: 'ClusterIP' } }, { spec: { type: 'ClusterIP' } }],
    [
      'with fields that the API server adds',
      { spec: { type: 'ClusterIP', clusterIP: '10.0.0.1' } },
      { spec: { type: 'ClusterIP' } },
    ],
    ['with labels of others', { metadata: { labels: { a: '1', theirs: '2' } } }, { metadata: { labels: { a: '1' } } }],
    ['where an empty list was dropped', { metadata: {} }, { webhooks: [] }],
    [
      'with a CA that somebody injects',
      { webhooks: [{ name: 'w', clientConfig: { caBundle: 'x', service: { name: 's' } } }] },
      { webhooks: [{ name: 'w', clientConfig: { service: { name: 's' } } }] },
    ],
    [
      'with a container that somebody injects beside ours',
      { spec: { template: { spec: { containers: [{ name: 'mesh' }, { name: 'gateway', image: 'i' }] } } } },
      container('gateway', { image: 'i' }),
    ],
    [
      'with a default inside a list that is one value',
      { subjects: [{ kind: 'ServiceAccount', name: 'a', apiGroup: '' }] },
      { subjects: [{ kind: 'ServiceAccount', name: 'a' }] },
    ],
    [
      'with the protocol of a port filled in',
      { spec: { ports: [{ port: 80, protocol: 'TCP', nodePort: 3 }] } },
      { spec: { ports: [{ port: 80 }] } },
    ],
  ];
  it.each(so)('%s', (_, live, wanted) => {
    expect(covers(live, wanted)).toBe(true);
  });

  const not: readonly (readonly [why: string, live: unknown, wanted: unknown])[] = [
    ['when a value differs', { spec: { type: 'NodePort' } }, { spec: { type: 'ClusterIP' } }],
    ['when a field is gone', { spec: {} }, { spec: { type: 'ClusterIP' } }],
    [
      'with one subject more in a binding',
      { subjects: [{ name: 'a' }, { name: 'intruder' }] },
      { subjects: [{ name: 'a' }] },
    ],
    ['with one rule more in a policy', { spec: { ingress: [{}, { from: [] }] } }, { spec: { ingress: [{}] } }],
    [
      'with another order of arguments',
      container('gateway', { args: ['b', 'a'] }),
      container('gateway', { args: ['a', 'b'] }),
    ],
    ['without one of our containers', container('other'), container('gateway')],
    [
      'where an empty map, which may say much, is not there',
      { volume: { hostPath: {} } },
      { volume: { emptyDir: {} } },
    ],
    ['with a type instead of another', { data: 'x' }, { data: { a: 'x' } }],
  ];
  it.each(not)('but not %s', (_, live, wanted) => {
    expect(covers(live, wanted)).toBe(false);
  });
});

describe('the digest of an object', () => {
  it('is the same whatever the order of its keys, and takes no note of what is undefined', () => {
    expect(digestOf({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(digestOf({ b: { c: [1, 2] }, a: 1 }));
  });
  it('differs with the order of a list, a value and a key', () => {
    const all = [{ a: [1, 2] }, { a: [2, 1] }, { a: [1] }, { b: [1, 2] }, { a: '1,2' }].map(digestOf);
    expect(new Set(all).size).toBe(all.length);
  });
});

it('an object goes without its empty maps, and without those that become empty by it', () => {
  expect(withoutEmpty({ a: { b: { c: {} } }, d: [{}], e: { f: 1, g: {} } })).toEqual({ d: [{}], e: { f: 1 } });
});
