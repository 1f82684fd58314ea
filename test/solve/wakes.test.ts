// Which changes make an Order look at its path again, and which of the many that data planes write do not.

import { beforeEach, describe, expect, test } from 'vitest';
import type { Gateway, HttpRoute, ListenerSet } from '../../src/api/gateway.ts';
import type { Order } from '../../src/api/order.ts';
import { ordersOfRoute, ordersThrough } from '../../src/apply/challenge-wakes.ts';
import { type Change, Store } from '../../src/kube/store.ts';
import { challengeRoute } from '../../src/solve/route.ts';

const order: Order = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: { namespace: 'team-a', name: 'web', uid: 'o1', resourceVersion: '1' },
  spec: { issuerRef: { name: 'acme' }, request: '' },
};
const { apiVersion, kind } = order;
const route = challengeRoute({
  host: 'foo.com',
  parentRefs: [{ kind: 'ListenerSet', name: 'apps', sectionName: 'own' }],
  namespace: 'team-a',
  service: { namespace: 'certway-system', name: 'solver', port: 8089 },
  owner: { apiVersion, kind, name: 'web', uid: 'o1' },
  labels: {},
});
const set: ListenerSet = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'ListenerSet',
  metadata: { namespace: 'team-a', name: 'apps', resourceVersion: '1' },
  spec: { parentRef: { name: 'parent', namespace: 'infra' }, listeners: [] },
};
const gateway: Gateway = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { namespace: 'infra', name: 'parent', resourceVersion: '1' },
  spec: { gatewayClassName: 'eg', listeners: [] },
  status: { addresses: [{ value: '192.0.2.1' }] },
};

const emptyStores = () => ({
  orders: new Store<Order>(),
  routes: new Store<HttpRoute>(),
  listenerSets: new Store<ListenerSet>(),
  xListenerSets: new Store<ListenerSet>(),
});
let stores = emptyStores();

beforeEach(() => {
  stores = emptyStores();
  stores.orders.swap([order], '1');
  stores.routes.swap([{ ...route, metadata: { ...route.metadata, resourceVersion: '1' } }], '1');
  stores.listenerSets.swap([set], '1');
});

const names = (orders: readonly Order[]) => orders.map(({ metadata }) => metadata.name);
const spoken = (status: 'True' | 'False', time: string): HttpRoute => ({
  ...route,
  status: {
    parents: [
      {
        parentRef: { name: 'parent' },
        controllerName: 'example.com/gw',
        conditions: [{ type: 'Accepted', status, lastTransitionTime: time }],
      },
    ],
  },
});

describe('a route', () => {
  const change = (object: HttpRoute, previous: HttpRoute): Change<HttpRoute> => ({
    kind: 'applied',
    key: 'team-a/x',
    object,
    previous,
    origin: 'watch',
  });

  test.each<[string, Change<HttpRoute>, readonly string[]]>([
    ['of which somebody has spoken', change(spoken('False', 'a'), route), ['web']],
    ['of which somebody has changed their mind', change(spoken('True', 'a'), spoken('False', 'a')), ['web']],
    ['of which the same was said again', change(spoken('True', 'b'), spoken('True', 'a')), []],
    ['that was only edited', change({ ...route, spec: {} }, route), []],
    ['that somebody deleted', { kind: 'removed', key: 'team-a/x', previous: route, origin: 'watch' }, ['web']],
    ['that we deleted', { kind: 'removed', key: 'team-a/x', previous: route, origin: 'own' }, []],
  ])('%s', (_, happened, woken) => {
    expect(names(ordersOfRoute(stores, happened))).toEqual(woken);
  });

  test('of an Order that is another by now wakes nobody', () => {
    stores.orders.swap([{ ...order, metadata: { ...order.metadata, uid: 'o2', resourceVersion: '2' } }], '2');
    expect(ordersOfRoute(stores, change(spoken('True', 'a'), route))).toEqual([]);
  });
});

describe('a Gateway', () => {
  const change = (object: Gateway, key = 'infra/parent'): Change<Gateway> => ({
    kind: 'applied',
    key,
    object,
    previous: gateway,
    origin: 'watch',
  });
  const moved = { ...gateway, status: { addresses: [{ value: '192.0.2.2' }] } };

  test('with another address wakes the Orders whose routes lead through it, by a ListenerSet too', () => {
    expect(names(ordersThrough(stores, change(moved)))).toEqual(['web']);
    expect(ordersThrough(stores, change(moved, 'infra/other'))).toEqual([]);
  });

  test('whose conditions or listeners are written again wakes nobody', () => {
    const addresses = [{ type: 'IPAddress', value: '192.0.2.1' }];
    expect(ordersThrough(stores, change({ ...gateway, status: { addresses, listeners: [{ name: 'http' }] } }))).toEqual(
      [],
    );
  });
});
