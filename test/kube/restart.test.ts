// The API server is killed and comes back: what every upgrade of a control plane does to us. With RBAC, whose caches start cold as well.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { namespaces, type Resource, roleBindings } from '../../src/api/resources.ts';
import { type Kube, kubeClient } from '../../src/kube/client.ts';
import { holdLease } from '../../src/kube/lease.ts';
import { type Reflection, type ReflectorOptions, type ReflectorState, reflect } from '../../src/kube/reflector.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { Store } from '../../src/kube/store.ts';
import { watchOnce } from '../../src/kube/watch.ts';
import { until } from '../rig/wait.ts';
import { openLink } from './link.ts';
import { type ConfigMap, configMaps } from './objects.ts';
import { type OwnPlane, ownPlane } from './own-plane.ts';

let plane: OwnPlane;
let admin: Session;
let user: Session;
let kube: Kube;
let stop = new AbortController();
let running: Reflection[] = [];

const roles: Resource<KubeObject & Readonly<Record<string, unknown>>> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'roles',
  kind: 'Role',
  namespaced: true,
};

beforeAll(async () => {
  plane = await ownPlane();
  admin = await openSession({ environment: {}, kubeconfig: plane.kubeconfig });
  user = await openSession({ environment: {}, kubeconfig: plane.userKubeconfig });
  kube = kubeClient(admin);
  for (const name of ['granted', 'other']) {
    await until(`namespace ${name}`, async () => {
      const made = await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      return made.ok || made.problem.kind === 'alreadyExists';
    });
  }
});

afterEach(async () => {
  stop.abort();
  await Promise.all(running.map((reflection) => reflection.done));
  stop = new AbortController();
  running = [];
});

afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

async function make(namespace: string, name: string): Promise<string> {
  const made = await kube.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } });
  if (!made.ok) throw new Error(made.problem.message);
  return made.value.metadata.resourceVersion ?? '';
}

function watching<T extends KubeObject>(
  session: Session,
  resource: Resource<T>,
  options: Partial<ReflectorOptions<T>> = {},
) {
  const store = new Store<T>();
  const states: ReflectorState[] = [];
  const reflection = reflect<T>({
    session,
    resource,
    store,
    signal: stop.signal,
    onState: (state) => states.push(state),
    ...options,
  });
  running.push(reflection);
  return { store, states, reflection };
}

const grant = async (namespace: string) => {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] };
  await kube.create(roles, { apiVersion, kind: 'Role', metadata: { name: 'reader', namespace }, rules: [rule] });
  const binding = {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: 'reader', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'someone' }],
  };
  const made = await kube.create(roleBindings, binding);
  expect(made.ok).toBe(true);
};

describe('rights', () => {
  test('a namespace that is forbidden is watched as soon as a RoleBinding gives the right, though the authorizer lags', async () => {
    const { store, reflection } = watching<ConfigMap>(user, configMaps, {
      namespace: 'granted',
      timing: { backoff: { baseMs: 20, maxMs: 500 } },
    });
    await expect(reflection.settled).resolves.toMatchObject({
      kind: 'forbidden',
      message: expect.stringContaining('someone'),
    });
    const bindings = watching(admin, roleBindings, { metadataOnly: true });
    await bindings.store.whenSynced();
    bindings.store.subscribe((change) => change.key === 'granted/reader' && reflection.wake());
    await grant('granted');
    await store.whenSynced();
    await make('granted', 'first');
    await until('the object', () => store.get('granted/first'));
  });
});

describe('a restart of the API server', () => {
  test('is survived by watches, by rights and by the lease, and nothing is lost', async () => {
    const timing = { backoff: { baseMs: 50, maxMs: 1_000 } };
    const one = watching<ConfigMap>(user, configMaps, { namespace: 'granted', timing });
    const all = watching<ConfigMap>(admin, configMaps, { timing });
    await Promise.all([one.store.whenSynced(), all.store.whenSynced()]);
    await until(
      'both watch',
      () => one.reflection.state.kind === 'watching' && all.reflection.state.kind === 'watching',
    );
    const said: string[] = [];
    const lease = holdLease({
      session: admin,
      namespace: 'granted',
      name: 'survivor',
      identity: 'me',
      leaseMs: 120_000,
      renewDeadlineMs: 90_000,
      retryMs: 100,
      signal: stop.signal,
      onHeld: () => said.push('held'),
      onLost: (why) => said.push(why),
    });
    await until('it holds', () => lease.held);
    const known = all.store.size;

    await plane.killApiServer();
    await until(
      'both notice',
      () => one.reflection.state.kind === 'failing' && all.reflection.state.kind === 'failing',
    );
    expect([all.store.size, one.store.synced]).toEqual([known, true]);
    await plane.startApiServer();
    await make('granted', 'after');
    await make('other', 'after');
    await until('the user sees it', () => one.store.get('granted/after'), { deadlineMs: 40_000 });
    await until('the administrator sees both', () => all.store.get('other/after') && all.store.get('granted/after'));
    const before = said.length;
    await until('the lease is renewed', () => lease.fresh());
    expect([said, before]).toEqual([['held'], 1]);
  });

  test('that forgets the events which a watch still lacks: a new list fills the gap', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'certway-restart-'));
    const link = await openLink(plane.kubeconfig, join(dir, 'kubeconfig'));
    const linked = await openSession({ environment: {}, kubeconfig: link.kubeconfig });
    const { store, reflection } = watching<ConfigMap>(linked, configMaps, {
      timing: { backoff: { baseMs: 50, maxMs: 500 } },
    });
    const origins = new Map<string, string>();
    store.subscribe((change) => origins.set(change.key, change.origin));
    await make('other', 'doomed');
    await until('the watch', () => reflection.state.kind === 'watching' && store.get('other/doomed'));
    link.cut();
    await make('other', 'meanwhile');
    await kube.delete(configMaps, { namespace: 'other', name: 'doomed' });
    await plane.killApiServer();
    await plane.startApiServer();
    link.mend();
    await until('what was made', () => store.get('other/meanwhile'), { deadlineMs: 30_000 });
    expect([origins.get('other/meanwhile'), origins.get('other/doomed'), store.get('other/doomed')]).toEqual([
      'list',
      'list',
      undefined,
    ]);
    stop.abort();
    await reflection.done;
    await linked[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  test('leaves versions behind that are too old to watch from: 410, in the form that leads to a new list', async () => {
    const end = await watchOnce({
      session: admin,
      resource: configMaps,
      content: 'whole',
      from: '2',
      seconds: 30,
      graceMs: 1_000,
      signal: stop.signal,
      onStarted: () => undefined,
      onApplied: () => undefined,
      onDeleted: () => undefined,
      onVersion: () => undefined,
    });
    expect(end).toMatchObject({ kind: 'failed', problem: { kind: 'gone' } });
  });
});
