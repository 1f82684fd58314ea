// The grants of challenge routes on the real API server: one per namespace, there before the first route, gone a while after the last. Solver
// namespaces of their own keep the suite's controller out.

import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { HttpRoute, Namespace, ReferenceGrant } from '../../src/api/gateway.ts';
import type { Order } from '../../src/api/order.ts';
import { httpRoutes, namespaces, orders, type Resource, referenceGrants } from '../../src/api/resources.ts';
import { ensureRoute } from '../../src/apply/ensure.ts';
import { keepGrants } from '../../src/apply/grant-keeper.ts';
import { ensureGrant, type GrantPorts } from '../../src/apply/grants.ts';
import { type Kube, kubeClient } from '../../src/kube/client.ts';
import { reflect } from '../../src/kube/reflector.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { Store } from '../../src/kube/store.ts';
import { openLogger } from '../../src/report/logger.ts';
import { challengeRoute, grantFor } from '../../src/solve/route.ts';
import { until } from '../rig/wait.ts';

const count = 20;
const quiet = 300;

let session: Session;
let kube: Kube;
let stop: AbortController;
let ports: GrantPorts;
let solver: string;
const made: string[] = [];

beforeAll(async () => {
  session = await openSession({ environment: {}, kubeconfig: inject('kubeconfig') });
  kube = kubeClient(session);
});
afterAll(() => session[Symbol.asyncDispose]());

beforeEach(async () => {
  stop = new AbortController();
  solver = await makeNamespace('solver');
  const watched = <T extends Namespace>(resource: Resource<T>, narrow: object = {}): Store<T> => {
    const store = new Store<T>();
    reflect<T>({ session, resource, store, signal: stop.signal, ...narrow });
    return store;
  };
  const ours = { labelSelector: 'app.kubernetes.io/managed-by=certway' };
  const stores = {
    routes: watched<HttpRoute>(httpRoutes, ours),
    orders: watched<Order>(orders),
    grants: watched<ReferenceGrant>(referenceGrants, { ...ours, namespace: solver }),
    namespaces: watched(namespaces, { metadataOnly: true }),
  };
  await Promise.all(Object.values(stores).map((store) => store.whenSynced()));
  const settings = { solverService: { namespace: solver, name: 'solver', port: 8089 } };
  ports = { kube, stores, settings, log: openLogger({ level: 'error' }), now: Date.now };
});
afterEach(async () => {
  stop.abort();
  await Promise.all(made.splice(0).map((name) => kube.delete(namespaces, { name })));
});

async function makeNamespace(stem: string): Promise<string> {
  const name = `${stem}-${randomBytes(4).toString('hex')}`;
  const reply = await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  if (!reply.ok) throw new Error(reply.problem.message);
  made.push(name);
  return name;
}

/** The intent of an order, as it stands before its first route. */
async function intend(namespace: string, name: string): Promise<Order> {
  const spec = { issuerRef: { name: 'nobody' }, request: 'AA==', dnsNames: [`${name}.example.com`] };
  const reply = await kube.create(orders, {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: { namespace, name },
    spec,
  });
  if (!reply.ok) throw new Error(reply.problem.message);
  ports.stores.orders.note(reply.value);
  return reply.value;
}

function routeOf(order: Order, labels: Readonly<Record<string, string>> = {}): HttpRoute {
  const { apiVersion, kind, metadata } = order;
  return challengeRoute({
    host: order.spec.dnsNames?.[0] ?? '',
    parentRefs: [{ name: 'parent', namespace: 'infra', sectionName: 'http' }],
    namespace: metadata.namespace ?? '',
    service: ports.settings.solverService,
    owner: { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' },
    labels,
  });
}

/** Grant, then route: what the driver of an order does. */
async function present(order: Order): Promise<HttpRoute> {
  const granted = await ensureGrant(ports, order.metadata.namespace ?? '');
  expect(granted.ok).toBe(true);
  const route = await ensureRoute(ports, routeOf(order));
  if (!route.ok) throw new Error(JSON.stringify(route.problem));
  return route.value;
}

async function withdraw(route: HttpRoute): Promise<void> {
  expect(await kube.delete(httpRoutes, route.metadata)).toMatchObject({ ok: true });
}

async function settle(order: Order): Promise<void> {
  const now = await kube.get(orders, order.metadata);
  if (!now.ok) throw new Error(now.problem.message);
  expect(await kube.replaceStatus(orders, { ...now.value, status: { state: 'valid' } })).toMatchObject({ ok: true });
}

async function standing(): Promise<readonly ReferenceGrant[]> {
  const listed = await kube.list(referenceGrants, { namespace: solver });
  if (!listed.ok) throw new Error(listed.problem.message);
  return listed.value;
}

const namespacesOf = (grants: readonly ReferenceGrant[]) =>
  grants.flatMap(({ spec }) => spec.from.map((from) => from.namespace)).toSorted();

test('twenty namespaces have a grant each while they have routes, and none afterwards', async () => {
  await using _ = keepGrants(ports, quiet);
  const teams = await Promise.all(Array.from({ length: count }, (_, index) => makeNamespace(`grant-${index}`)));
  const intents = await Promise.all(teams.map((team) => intend(team, 'web')));
  const routes = await Promise.all(intents.map(present));
  const grants = await standing();
  expect(namespacesOf(grants)).toEqual(teams.toSorted());
  expect(grants.every(({ spec }) => spec.from.length === 1)).toBe(true);
  const [kept, ...ended] = intents;
  await Promise.all(routes.slice(1).map(withdraw));
  await Promise.all(ended.map(settle));
  await until('the grants of ended orders to be gone', async () => (await standing()).length === 1);
  expect(namespacesOf(await standing())).toEqual([kept?.metadata.namespace]);
});

describe('a grant', () => {
  test('outlasts what lies between two orders of a burst, and the time between an intent and its route', async () => {
    await using _ = keepGrants(ports, quiet);
    const team = await makeNamespace('burst');
    const first = await intend(team, 'first');
    const route = await present(first);
    const [before] = await standing();
    await withdraw(route);
    await settle(first);
    const second = await intend(team, 'second');
    const other = await makeNamespace('other');
    const done = await intend(other, 'done');
    await withdraw(await present(done));
    await settle(done);
    // The other namespace's grant shows that more than the quiet time has passed.
    await until('the other grant to be gone', async () => !namespacesOf(await standing()).includes(other));
    const again = await present(second);
    expect((await standing()).map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid]);
    await withdraw(again);
    await settle(second);
    await until('the grant to be gone', async () => (await standing()).length === 0);
  });

  test('that was left behind is removed by whoever begins to lead; one that is needed stays', async () => {
    const [orphan, used] = [await makeNamespace('orphan'), await makeNamespace('used')];
    await ensureGrant(ports, orphan);
    await present(await intend(used, 'web'));
    expect(await standing()).toHaveLength(2);
    await using _ = keepGrants(ports, quiet);
    await until('the orphan to be gone', async () => (await standing()).length === 1);
    expect(namespacesOf(await standing())).toEqual([used]);
  });

  test('of a namespace that is gone goes at once', async () => {
    await using _ = keepGrants(ports, 600_000);
    const team = await makeNamespace('gone');
    await ensureGrant(ports, team);
    await until('the cache to know the namespace', () => ports.stores.namespaces.get(team));
    await kube.delete(namespaces, { name: team });
    await until('its grant to be gone', async () => (await standing()).length === 0, { deadlineMs: 30_000 });
  });

  test('that somebody edits or deletes while routes need it is put right', async () => {
    await using _ = keepGrants(ports, quiet);
    const team = await makeNamespace('edited');
    await present(await intend(team, 'web'));
    const [grant] = await standing();
    if (grant === undefined) throw new Error('no grant');
    const elsewhere = [{ group: '', kind: 'Service', name: 'elsewhere' }];
    expect(await kube.replace(referenceGrants, { ...grant, spec: { ...grant.spec, to: elsewhere } })).toMatchObject({
      ok: true,
    });
    await until('the Service to be the right one', async () => (await standing())[0]?.spec.to[0]?.name === 'solver');
    await kube.delete(referenceGrants, grant.metadata);
    await until(
      'a new grant',
      async () => ((await standing())[0]?.metadata.uid ?? grant.metadata.uid) !== grant.metadata.uid,
    );
  });

  test('under whose name something else stands is not taken as done', async () => {
    const team = await makeNamespace('taken');
    const { metadata, ...rest } = grantFor(team, ports.settings.solverService);
    await kube.create(referenceGrants, { ...rest, metadata: { ...metadata, labels: {} } });
    expect(await ensureGrant(ports, team)).toMatchObject({
      ok: false,
      problem: { kind: 'foreign', message: expect.stringContaining('exists and is not Certway’s') },
    });
  });

  test('is not needed beside our Service', async () => {
    expect(await ensureGrant(ports, solver)).toEqual({ ok: true, value: undefined });
    expect(await standing()).toEqual([]);
  });
});

describe('a route', () => {
  test('as the server gives it back is what we wrote; a second Order for the host only becomes its owner too', async () => {
    const order = await intend(await makeNamespace('same'), 'web');
    const route = await present(order);
    const read = await kube.get(httpRoutes, route.metadata);
    if (!read.ok) throw new Error(read.problem.message);
    ports.stores.routes.note(read.value);
    const { resourceVersion } = read.value.metadata;
    expect(await ensureRoute(ports, routeOf(order))).toMatchObject({
      ok: true,
      value: { metadata: { resourceVersion } },
    });
    const second = await intend(order.metadata.namespace ?? '', 'web-2');
    const shared = await ensureRoute(ports, routeOf({ ...second, spec: order.spec }));
    if (!shared.ok) throw new Error(JSON.stringify(shared.problem));
    expect(shared.value.metadata).toMatchObject({ uid: route.metadata.uid, generation: 1 });
    expect(shared.value.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['web', 'web-2']);
  });

  test('that somebody has bent is put right', async () => {
    const order = await intend(await makeNamespace('bent'), 'web');
    const route = await present(order);
    const bent = { ...route, spec: { ...route.spec, hostnames: ['elsewhere.example.com'] } };
    const written = await kube.replace(httpRoutes, bent);
    if (!written.ok) throw new Error(written.problem.message);
    ports.stores.routes.note(written.value);
    expect(await ensureRoute(ports, routeOf(order))).toMatchObject({ ok: true, value: { spec: route.spec } });
  });

  test('under whose name somebody else’s stands is a sentence', async () => {
    const order = await intend(await makeNamespace('theirs'), 'web');
    const { metadata, ...rest } = routeOf(order);
    await kube.create(httpRoutes, { ...rest, metadata: { ...metadata, labels: {} } });
    expect(await ensureRoute(ports, routeOf(order))).toMatchObject({
      ok: false,
      problem: {
        kind: 'foreign',
        message: expect.stringMatching(/^HTTPRoute theirs-.* exists and is not Certway’s; rename or delete it/),
      },
    });
  });
});
