// Whether cert-manager's Gateway shim undoes our writes, judged by who wrote last.

import { expect, it } from 'vitest';
import type { ManagedFields } from '../../src/api/meta.ts';
import { contestingShim, ourManager, type ShimSeen } from '../../src/plan/shims.ts';

const at = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
const ours = (seconds: number): ManagedFields => ({ manager: ourManager, time: at(seconds) });
const gatewayShim = (seconds: number): ManagedFields => ({ manager: 'cert-manager-gateway-shim', time: at(seconds) });
const setShim = (seconds: number): ManagedFields => ({ manager: 'cert-manager-listenerset', time: at(seconds) });
const now = 10_000_000;
const running = { since: 1_500 };
const gone = 9_000_000_000;

const table: readonly [string, Partial<ShimSeen>, string | undefined][] = [
  ['a shim that wrote after us', { managedFields: [ours(10), gatewayShim(11)] }, 'cert-manager-gateway-shim'],
  ['the shim of ListenerSets', { managedFields: [setShim(11), ours(10)] }, 'cert-manager-listenerset'],
  ['a shim that wrote before us', { managedFields: [ours(11), gatewayShim(10)] }, undefined],
  ['one that was never ours, as after a move', { managedFields: [gatewayShim(11)] }, undefined],
  ['a person, or anybody else', { managedFields: [ours(10), { manager: 'kubectl-edit', time: at(11) }] }, undefined],
  ['the status alone', { managedFields: [ours(10), { ...gatewayShim(11), subresource: 'status' }] }, undefined],
  ['our status alone', { managedFields: [{ ...ours(10), subresource: 'status' }, gatewayShim(11)] }, undefined],
  [
    'the same second, changed since our write',
    { managedFields: [ours(10), gatewayShim(10)], edited: 'since' },
    'cert-manager-gateway-shim',
  ],
  ['the same second, as we left it', { managedFields: [ours(10), gatewayShim(10)], edited: 'not since' }, undefined],
  [
    'the same second, before this process',
    { managedFields: [ours(10), gatewayShim(10)], edited: 'unknown' },
    undefined,
  ],
  [
    'a cert-manager that has started since',
    { managedFields: [ours(10), gatewayShim(11)], rival: { since: 12_000 } },
    undefined,
  ],
  [
    'a cert-manager that started in that second',
    { managedFields: [ours(10), gatewayShim(11)], rival: { since: 11_900 } },
    'cert-manager-gateway-shim',
  ],
];

it.each(table)('%s', (_, change, expected) => {
  const seen: ShimSeen = { managedFields: [], edited: 'unknown', rival: running, ...change };
  expect(contestingShim(seen, now)).toBe(expected);
});

it('without a Lease that tells, a shim is believed at work for a day', () => {
  const managedFields = [ours(10), gatewayShim(11)];
  expect(contestingShim({ managedFields, edited: 'since' }, now)).toBe('cert-manager-gateway-shim');
  expect(contestingShim({ managedFields, edited: 'since' }, gone)).toBeUndefined();
});
