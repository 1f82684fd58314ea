import { expect, it } from 'vitest';
import { shares } from '../../src/apply/budget-ask.ts';
import { makeStores } from '../../src/apply/stores.ts';
import { tenant } from '../tenancy/tenants.ts';

const stores = makeStores((error) => {
  throw error;
});
const of = (namespace: string) => shares(stores)({ metadata: { name: 'x', namespace } });

it('each namespace has a share of its own', () => {
  expect([of('a'), of('b')]).toEqual(['a', 'b']);
});

it('those of a GatewayTenant have one together, which no namespace can be named like', () => {
  stores.gatewayTenants.note(tenant('alice', { namespaces: ['a', 'b'] }));
  stores.gatewayTenants.note(tenant('younger', { namespaces: ['b', 'c'] }, 2));
  expect([of('a'), of('b'), of('c'), of('alice')]).toEqual(['tenant/alice', 'tenant/alice', 'tenant/younger', 'alice']);
});
