import { expect, test } from 'vitest';
import type { Lease } from '../../src/api/core.ts';
import { mayTake, sight } from '../../src/kube/lease-age.ts';

const lease = (version: string, spec: Lease['spec']): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', namespace: 'n', resourceVersion: version },
  spec,
});
const theirs = (version: string, seconds = 60) =>
  lease(version, { holderIdentity: 'other', leaseDurationSeconds: seconds });

test("another's lease is judged by when we saw it change, whatever its own times say", () => {
  const stale = lease('1', {
    holderIdentity: 'other',
    leaseDurationSeconds: 10,
    renewTime: '2001-01-01T00:00:00.000000Z',
  });
  const first = sight(undefined, stale, 5_000);
  expect(mayTake(stale, first, 'me', 5_000)).toBe(false);
  expect(mayTake(stale, sight(first, stale, 14_999), 'me', 14_999)).toBe(false);
  expect(mayTake(stale, sight(first, stale, 15_000), 'me', 15_000)).toBe(true);
});

test('each renewal that we see begins the wait anew', () => {
  const first = sight(undefined, theirs('1'), 0);
  const second = sight(first, theirs('2'), 59_000);
  expect(mayTake(theirs('2'), second, 'me', 61_000)).toBe(false);
});

test("the wait is as long as the holder's own lease: cert-manager's lasts a minute", () => {
  expect(mayTake(theirs('1', 60), sight(undefined, theirs('1', 60), 0), 'me', 59_999)).toBe(false);
  const unsaid = lease('1', { holderIdentity: 'other' });
  expect(mayTake(unsaid, sight(undefined, unsaid, 0), 'me', 14_999)).toBe(false);
  expect(mayTake(unsaid, sight(undefined, unsaid, 0), 'me', 15_000)).toBe(true);
});

test.each([{}, { holderIdentity: '' }, { holderIdentity: 'me', leaseDurationSeconds: 60 }])(
  '%j is free at once',
  (spec) => {
    const free = lease('1', spec);
    expect(mayTake(free, sight(undefined, free, 0), 'me', 0)).toBe(true);
  },
);
