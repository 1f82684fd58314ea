// kube/ against the real API server of the test world: what no script of ours could vouch for.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { customResourceDefinitions, events, namespaces, type Resource } from '../../src/api/resources.ts';
import { type Kube, kubeClient } from '../../src/kube/client.ts';
import { eventName, eventRecorder } from '../../src/kube/recorder.ts';
import { type Reflection, type ReflectorOptions, type ReflectorState, reflect } from '../../src/kube/reflector.ts';
import { openSession, type RequestSeen, type Session } from '../../src/kube/session.ts';
import { type Change, Store } from '../../src/kube/store.ts';
import { watchOnce } from '../../src/kube/watch.ts';
import { until } from '../rig/wait.ts';
import { type Link, openLink } from './link.ts';
import { type ConfigMap, configMaps } from './objects.ts';

let session: Session;
let kube: Kube;
let namespace: string;
let stop: AbortController;
let running: Reflection[];
const seen: RequestSeen[] = [];
const warnings: string[] = [];

beforeAll(async () => {
  session = await openSession({
    environment: {},
    kubeconfig: inject('kubeconfig'),
    onRequest: (attempt) => seen.push(attempt),
  });
  kube = kubeClient(session, (warning) => warnings.push(warning));
});

afterAll(() => session[Symbol.asyncDispose]());

beforeEach(async () => {
  stop = new AbortController();
  running = [];
  warnings.length = 0;
  namespace = `kube-${randomBytes(4).toString('hex')}`;
  const made = await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  expect(made.ok).toBe(true);
});

afterEach(async () => {
  stop.abort();
  await Promise.all(running.map((reflection) => reflection.done));
  await kube.delete(namespaces, { name: namespace });
});

const draft = (name: string, data: Readonly<Record<string, string>> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** The value, or a failed test that says which problem came instead. */
async function value<T>(answer: Promise<{ ok: true; value: T } | { ok: false; problem: unknown }>): Promise<T> {
  const settled = await answer;
  if (!settled.ok) throw new Error(JSON.stringify(settled.problem));
  return settled.value;
}

function watching<T extends KubeObject>(resource: Resource<T>, options: Partial<ReflectorOptions<T>> = {}) {
  const store = new Store<T>();
  const changes: Change<T>[] = [];
  const states: ReflectorState['kind'][] = [];
  store.subscribe((change) => changes.push(change));
  const reflection = reflect<T>({
    session,
    resource,
    store,
    ...(resource.namespaced ? { namespace } : {}),
    signal: stop.signal,
    onState: (state) => states.push(state.kind),
    ...options,
  });
  running.push(reflection);
  return { store, changes, states, reflection };
}

const told = (changes: readonly Change<KubeObject>[]) =>
  changes.map((change) => `${change.kind} ${change.key.split('/').at(-1)} ${change.origin}`);

describe('list and watch', () => {
  test('the store sees what was there, and each creation, update and deletion', async () => {
    await value(kube.create(configMaps, draft('before')));
    // Kubernetes puts one ConfigMap of its own into each namespace, at its own time.
    const { store, changes } = watching(configMaps, { fieldSelector: 'metadata.name!=kube-root-ca.crt' });
    await store.whenSynced();
    const made = await value(kube.create(configMaps, draft('made', { k: '1' })));
    const changed = await value(kube.replace(configMaps, { ...made, data: { k: '2' } }));
    await until('the update', () => store.get(`${namespace}/made`)?.data?.k === '2');
    expect(store.get(`${namespace}/made`)).toEqual(changed);
    await kube.delete(configMaps, { namespace, name: 'made' }, { uid: made.metadata.uid ?? '' });
    await until('the deletion', () => !store.get(`${namespace}/made`));
    expect(told(changes)).toEqual([
      'applied before list',
      'applied made watch',
      'applied made watch',
      'removed made watch',
    ]);
  });

  test('our own write is visible at once and is not told twice', async () => {
    const { store, changes, states } = watching(configMaps, { labelSelector: 'ours=true' });
    await until('the watch', () => states.at(-1) === 'watching');
    const mine = { ...draft('mine'), metadata: { name: 'mine', namespace, labels: { ours: 'true' } } };
    const made = await value(kube.create(configMaps, mine));
    store.note(made);
    const after = { ...mine, metadata: { ...mine.metadata, name: 'after' } };
    await value(kube.create(configMaps, after));
    await until('the later one', () => store.get(`${namespace}/after`));
    const ours = changes.filter((change) => change.key.endsWith('/mine'));
    expect(ours.length).toBe(1);
  });

  test('metadata alone comes when metadata alone is asked for, in list and watch', async () => {
    await value(kube.create(configMaps, draft('listed', { secret: 'x' })));
    const { store } = watching(configMaps, { metadataOnly: true, fieldSelector: 'metadata.name!=kube-root-ca.crt' });
    await store.whenSynced();
    await value(kube.create(configMaps, draft('watched', { secret: 'x' })));
    await until('both', () => store.size === 2);
    for (const object of store.list()) {
      expect(Object.keys(object).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
      expect([object.apiVersion, object.kind, object.metadata.uid?.length]).toEqual(['v1', 'ConfigMap', 36]);
    }
  });

  test('a collection of more than 500 comes whole', async () => {
    const names = Array.from({ length: 520 }, (_, i) => `many-${i}`);
    for (let i = 0; i < names.length; i += 65) {
      await Promise.all(names.slice(i, i + 65).map((name) => value(kube.create(configMaps, draft(name)))));
    }
    const listed = await value(kube.list(configMaps, { namespace }));
    expect(listed.filter((object) => object.metadata.name.startsWith('many-')).length).toBe(520);
    const before = seen.length;
    const { store } = watching(configMaps);
    await store.whenSynced();
    expect(store.size).toBeGreaterThanOrEqual(520);
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    expect(seen.slice(before).filter((attempt) => attempt.path === path).length).toBeGreaterThanOrEqual(2);
  });

  test('bookmarks arrive and move the version, though nothing happens to the kind', async () => {
    const watched: string[] = [];
    const listed = await value(
      session.request<KubeObject>({ method: 'GET', path: `/api/v1/namespaces/${namespace}/configmaps` }),
    );
    const from = listed.metadata.resourceVersion ?? '';
    const watch = async (version: string): Promise<void> => {
      const end = await watchOnce({
        session,
        resource: configMaps,
        namespace,
        fieldSelector: 'metadata.name=nobody',
        content: 'whole',
        from: version,
        // A bookmark comes shortly before a watch's time is up.
        seconds: 10,
        graceMs: 3_000,
        signal: stop.signal,
        onStarted: () => undefined,
        onApplied: (object) => watched.push(`applied ${object.metadata.name}`),
        onDeleted: (object) => watched.push(`deleted ${object.metadata.name}`),
        onVersion: (moved) => watched.push(moved),
      });
      expect(end).toEqual({ kind: 'closed' });
    };
    await value(kube.create(configMaps, draft('elsewhere')));
    await watch(from);
    expect(watched.length).toBeGreaterThan(0);
    expect(Number(watched.at(-1))).toBeGreaterThan(Number(from));
  });

  test('watches that the server ends are followed by others, and nothing in between is lost', async () => {
    const { store, states } = watching(configMaps, {
      labelSelector: 'run=true',
      timing: { watchSeconds: 1, backoff: { baseMs: 10, maxMs: 100 } },
    });
    await store.whenSynced();
    const began = performance.now();
    let made = 0;
    while (performance.now() - began < 3_500) {
      made += 1;
      const name = `n${made}`;
      await value(kube.create(configMaps, { ...draft(name), metadata: { name, namespace, labels: { run: 'true' } } }));
    }
    await until('all of them', () => store.size === made);
    expect(states).toEqual(['listing', 'watching']);
  });
});

describe('a link that fails', () => {
  let dir: string;
  let link: Link;
  let linked: Session;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'certway-link-'));
    link = await openLink(inject('kubeconfig'), join(dir, 'kubeconfig'));
    linked = await openSession({ environment: {}, kubeconfig: link.kubeconfig });
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(running.map((reflection) => reflection.done));
    await linked[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  test.each(['cut', 'swallow'] as const)(
    '%s: what happened meanwhile is seen after it, without a new list',
    async (how) => {
      const { store, states } = watching(configMaps, {
        session: linked,
        labelSelector: 'linked=true',
        timing: { watchSeconds: 2, watchGraceMs: 200, backoff: { baseMs: 20, maxMs: 200 } },
      });
      await until('the watch', () => states.at(-1) === 'watching');
      link[how]();
      const name = 'meanwhile';
      await value(
        kube.create(configMaps, { ...draft(name), metadata: { name, namespace, labels: { linked: 'true' } } }),
      );
      await until('the failure is noticed', () => states.includes('failing'));
      link.mend();
      await until('the event', () => store.get(`${namespace}/${name}`), { deadlineMs: 45_000 });
      expect(states.filter((state) => state === 'listing').length).toBe(1);
    },
  );
});

describe('writes', () => {
  test('a PUT with an old version is a conflict, and a second POST finds the first', async () => {
    const first = await value(kube.create(configMaps, draft('a', { k: '1' })));
    await value(kube.replace(configMaps, { ...first, data: { k: '2' } }));
    await expect(kube.replace(configMaps, { ...first, data: { k: '3' } })).resolves.toMatchObject({
      problem: { kind: 'conflict' },
    });
    await expect(kube.create(configMaps, draft('a'))).resolves.toMatchObject({ problem: { kind: 'alreadyExists' } });
    await expect(kube.get(configMaps, { namespace, name: 'none' })).resolves.toMatchObject({
      problem: { kind: 'notFound' },
    });
    await expect(kube.create(configMaps, draft('Not A Name'))).resolves.toMatchObject({
      problem: { kind: 'invalid', causes: [{ field: 'metadata.name' }] },
    });
  });

  test('what is read without managedFields may be put back: the server keeps its own', async () => {
    await value(kube.apply(configMaps, draft('a', { k: '1' }), { fieldManager: 'one', force: false }));
    const read = await value(kube.get(configMaps, { namespace, name: 'a' }));
    await value(kube.replace(configMaps, { ...read, data: { ...read.data, other: 'x' } }));
    const raw = await value(
      session.request<{ metadata: { managedFields: { manager: string }[] } }>({
        method: 'GET',
        path: `/api/v1/namespaces/${namespace}/configmaps/a`,
      }),
    );
    expect(raw.metadata.managedFields.map((entry) => entry.manager)).toEqual(['one', 'certway']);
  });

  test('server-side apply creates, conflicts with another owner, and takes over when forced', async () => {
    const made = await value(kube.apply(configMaps, draft('a', { k: 'one' }), { fieldManager: 'one', force: false }));
    expect([made.kind, made.data]).toEqual(['ConfigMap', { k: 'one' }]);
    const other = draft('a', { k: 'two' });
    const conflict = await kube.apply(configMaps, other, { fieldManager: 'two', force: false });
    expect(conflict).toMatchObject({ ok: false, problem: { kind: 'conflict' } });
    const taken = await value(kube.apply(configMaps, other, { fieldManager: 'two', force: true }));
    expect(taken.data).toEqual({ k: 'two' });
    const again = await value(kube.apply(configMaps, other, { fieldManager: 'two', force: true }));
    expect(again.metadata.resourceVersion).toBe(taken.metadata.resourceVersion);
  });

  test('a delete keeps to its preconditions', async () => {
    const made = await value(kube.create(configMaps, draft('a')));
    const ref = { namespace, name: 'a' };
    await expect(kube.delete(configMaps, ref, { uid: 'another' })).resolves.toMatchObject({
      problem: { kind: 'conflict' },
    });
    await expect(kube.delete(configMaps, ref, { resourceVersion: '1' })).resolves.toMatchObject({
      problem: { kind: 'conflict' },
    });
    await expect(kube.delete(configMaps, ref, { uid: made.metadata.uid ?? '' })).resolves.toEqual({
      ok: true,
      value: undefined,
    });
    await expect(kube.delete(configMaps, ref)).resolves.toMatchObject({ problem: { kind: 'notFound' } });
  });

  test('a field that the server does not know is warned of', async () => {
    const object = { ...draft('a'), specs: { typo: true } };
    await value(kube.create(configMaps, object));
    expect(warnings).toEqual([expect.stringContaining('unknown field "specs"')]);
  });
});

interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number };
}

describe('a kind of its own', () => {
  let group: string;
  let widgets: Resource<Widget>;
  let definition: KubeObject & Readonly<Record<string, unknown>>;
  let definitions: Resource<KubeObject>;

  beforeEach(() => {
    group = `g${randomBytes(4).toString('hex')}.test.certway.dev`;
    widgets = { group, version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
    definitions = customResourceDefinitions;
    const schema = {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { size: { type: 'integer', maximum: 9 } } },
        status: { type: 'object', properties: { ready: { type: 'boolean' } } },
      },
    };
    definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: { status: {} },
          },
        ],
      },
    };
  });

  afterEach(() => kube.delete(definitions, { name: `widgets.${group}` }));

  test('that is absent is watched when its definition arrives, gone when it goes, and back when it comes back', async () => {
    const { store, states, reflection } = watching(widgets, {
      timing: { backoff: { baseMs: 50, maxMs: 500 }, wakeGraceMs: 3_000 },
    });
    await expect(reflection.settled).resolves.toEqual({ kind: 'absent' });
    const crds = watching(definitions, { metadataOnly: true });
    await crds.store.whenSynced();
    crds.store.subscribe((change) => change.key === definition.metadata.name && reflection.wake());

    await value(kube.create(definitions, definition));
    await until('the watch', () => reflection.state.kind === 'watching');
    const made = await value(
      kube.create(widgets, {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'w', namespace },
        spec: { size: 3 },
      }),
    );
    await until('the object', () => store.get(`${namespace}/w`));
    await expect(kube.replace(widgets, { ...made, spec: { size: 10 } })).resolves.toMatchObject({
      problem: { kind: 'invalid', causes: [{ field: 'spec.size' }] },
    });
    const status = { ...made, status: { ready: true }, spec: { size: 4 } };
    const after = await value(kube.replaceStatus(widgets, status));
    expect(after).toMatchObject({ status: { ready: true }, spec: { size: 3 } });

    await kube.delete(definitions, { name: definition.metadata.name });
    await until('the object is gone', () => store.size === 0);
    await until('the kind is gone', () => reflection.state.kind === 'absent');
    await until(
      'its definition is gone',
      async () => !(await kube.get(definitions, { name: definition.metadata.name })).ok,
    );

    await value(kube.create(definitions, definition));
    await until('the watch is back', () => reflection.state.kind === 'watching');
    expect(states[0]).toBe('listing');
  });
});

describe('events', () => {
  const about = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name, uid: `uid-of-${name}` });
  const refusal = (name: string, message = 'not allowed') =>
    ({ about: about(name), type: 'Warning', reason: 'BadConfig', message }) as const;

  function recording() {
    const problems: unknown[] = [];
    const recorder = eventRecorder({ kube, instance: 'pod-1', onProblem: (_, problem) => problems.push(problem) });
    const from = seen.length;
    const requests = () => seen.slice(from).filter((r) => r.path.includes(`/${namespace}/events`));
    const methods = () => requests().map((r) => `${r.method} ${r.status}`);
    return { ...recorder, problems, methods };
  }

  test('an action is one create, with all that kubectl describe shows', async () => {
    const { say, methods, problems } = recording();
    const event = { about: about('a'), type: 'Normal', reason: 'CreateCertificate', message: 'made it' } as const;
    await say(event);
    expect([methods(), problems]).toEqual([['POST 201'], []]);
    const written = await value(kube.get(events, { namespace, name: eventName(event, '') }));
    expect(written).toMatchObject({
      involvedObject: event.about,
      type: 'Normal',
      reason: 'CreateCertificate',
      message: 'made it',
      count: 1,
      source: { component: 'certway' },
      reportingComponent: 'certway',
      reportingInstance: 'pod-1',
    });
  });

  test('a refusal is said once: not on each reconcile, and not again after a restart', async () => {
    const first = recording();
    await Promise.all([first.say(refusal('a')), first.say(refusal('a'))]);
    await first.say(refusal('a'));
    expect(first.methods()).toEqual(['GET 404', 'POST 201']);
    const restarted = recording();
    for (let i = 0; i < 3; i += 1) await restarted.say(refusal('a'));
    expect(restarted.methods()).toEqual(['GET 200']);
  });

  test('another message, another object or another attempt is another saying', async () => {
    const { say } = recording();
    await say(refusal('a'));
    await say(refusal('a', 'another sentence'));
    await say(refusal('b'));
    await say(refusal('a'), { of: 2 });
    const written = await value(kube.list(events, { namespace }));
    expect(written.length).toBe(4);
  });

  test('an action that was said already counts as said', async () => {
    const event = { about: about('a'), type: 'Normal', reason: 'CreateCertificate', message: 'made it' } as const;
    const { say, methods, problems } = recording();
    await say(event);
    await say(event);
    expect([methods(), problems]).toEqual([['POST 201', 'POST 409'], []]);
  });

  test('a failure is told and no more, and the next reconcile tries again', async () => {
    const { say, problems } = recording();
    const nowhere = { ...refusal('a'), about: { ...about('a'), namespace: `${namespace}-none` } };
    await say(nowhere);
    await say(nowhere);
    expect(problems).toMatchObject([{ kind: 'notFound' }, { kind: 'notFound' }]);
  });

  test('cluster-scoped objects and names as long as allowed have their events too', async () => {
    const { say, problems } = recording();
    const name = `${'a'.repeat(235)}.${'b'.repeat(17)}`;
    const long = refusal(name, 'x'.repeat(5_000));
    await say(long);
    expect(problems).toEqual([]);
    const clusterwide = {
      about: { apiVersion: 'v1', kind: 'Namespace', name: namespace, uid: namespace },
      type: 'Normal',
      reason: 'Test',
      message: 'm',
    } as const;
    await say(clusterwide);
    await value(kube.get(events, { namespace: 'default', name: eventName(clusterwide, '') }));
    await kube.delete(events, { namespace: 'default', name: eventName(clusterwide, '') });
  });
});
