// Each row of reference/engineering.md §1.2, turned round: what the client-node informer does wrong, done right, against a socket that misbehaves.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Reflection, type ReflectorOptions, type ReflectorState, reflect } from '../../src/kube/reflector.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { type Change, Store, type StoreOptions } from '../../src/kube/store.ts';
import { until } from '../rig/wait.ts';
import {
  bookmark,
  type ConfigMap,
  configMap,
  configMaps,
  item,
  listOf,
  page,
  refuse,
  silence,
  status,
} from './objects.ts';
import { type Script, type ScriptedApi, scriptedApi } from './scripted-api.ts';

let api: ScriptedApi;
let session: Session;
let stop: AbortController;
let running: Reflection[];

beforeEach(async () => {
  api = await scriptedApi();
  session = await openSession({ kubeconfig: await api.kubeconfig({ token: 'one' }), environment: {} });
  stop = new AbortController();
  running = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(running.map((reflection) => reflection.done));
  await session[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

interface Watched {
  readonly store: Store<ConfigMap>;
  readonly changes: Change<ConfigMap>[];
  readonly states: ReflectorState[];
  readonly bugs: unknown[];
  readonly reflection: Reflection;
}

const quick = { backoff: { baseMs: 10, maxMs: 50 }, watchSeconds: 60, random: () => 0.5 };

function start(
  options: Partial<ReflectorOptions<ConfigMap>> = {},
  storeOptions: StoreOptions<ConfigMap> = {},
): Watched {
  const states: ReflectorState[] = [];
  const changes: Change<ConfigMap>[] = [];
  const bugs: unknown[] = [];
  const store = options.store ?? new Store<ConfigMap>({ onBug: (error) => bugs.push(error), ...storeOptions });
  store.subscribe((change) => changes.push(change));
  const reflection = reflect({
    session,
    resource: configMaps,
    store,
    signal: stop.signal,
    onState: (state) => states.push(state),
    onBug: (error) => bugs.push(error),
    timing: quick,
    ...options,
  });
  running.push(reflection);
  return { store, changes, states, bugs, reflection };
}

const kinds = (states: readonly ReflectorState[]) => states.map((state) => state.kind);
const versions = (turns: ScriptedApi['watches']) => turns.map((turn) => turn.query.get('resourceVersion'));

describe('bookmarks', () => {
  test('are requested, and where the stream breaks the watch goes on from the last one', async () => {
    api.onList(listOf(10));
    api.onWatch((turn) => {
      turn.event('BOOKMARK', bookmark(25));
      turn.reset();
    }, silence);
    const { changes } = start();
    await until('the second watch', () => api.watches.length === 2);
    expect(api.watches[0]?.query.get('allowWatchBookmarks')).toBe('true');
    // The reset may overtake the bookmark in the kernel's buffers.
    expect(['10', '25']).toContain(api.watches[1]?.query.get('resourceVersion'));
    expect([api.lists.length, changes]).toEqual([1, []]);
  });

  test('move the version without an event', async () => {
    api.onList(listOf(10));
    api.onWatch((turn) => {
      turn.event('BOOKMARK', bookmark(25));
      turn.end();
    }, silence);
    start();
    await until('the second watch', () => api.watches.length === 2);
    expect(versions(api.watches)).toEqual(['10', '25']);
  });
});

describe('idle streams', () => {
  test('a quiet watch is left alone, and an event after the silence arrives', async () => {
    api.onList(listOf(10));
    api.onWatch(async (turn) => {
      turn.open();
      const quiet = Number(turn.query.get('timeoutSeconds')) * 1000 - 300;
      await new Promise((resolve) => setTimeout(resolve, quiet));
      turn.event('ADDED', configMap('late', 11));
    });
    const { store } = start({ timing: { ...quick, watchSeconds: 2 } });
    await until('the late event', () => store.get('here/late'));
    expect(api.watches.length).toBe(1);
  });

  test('the server is asked to end the watch after about 290 seconds', async () => {
    api.onList(listOf(10));
    api.onWatch(silence);
    start({ timing: {} });
    await until('the watch', () => api.watches.length === 1);
    const seconds = Number(api.watches[0]?.query.get('timeoutSeconds'));
    expect(seconds).toBeGreaterThanOrEqual(275);
    expect(seconds).toBeLessThanOrEqual(305);
  });

  test('a socket gone silent is given up after the server should have ended it, and the watch resumes', async () => {
    api.onList(listOf(10));
    api.onWatch((turn) => turn.event('ADDED', configMap('a', 12)), silence);
    const { states } = start({ timing: { ...quick, watchSeconds: 1, watchGraceMs: 100 } });
    await until('the second watch', () => api.watches.length === 2);
    const [first, second] = api.watches;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_050);
    expect([second?.query.get('resourceVersion'), api.lists.length]).toEqual(['12', 1]);
    await until('it watches again', () => states.at(-1)?.kind === 'watching');
    expect(kinds(states)).toEqual(['listing', 'watching', 'failing', 'watching']);
  });
});

describe('sockets', () => {
  test('a reset in the middle of a watch resumes it from the last version', async () => {
    api.onList(listOf(10));
    api.onWatch(
      (turn) => turn.event('ADDED', configMap('a', 11)),
      (turn) => turn.event('MODIFIED', configMap('a', 14)),
    );
    const { store, states, changes } = start();
    await until('the first event', () => store.get('here/a'));
    api.watches[0]?.reset();
    await until('the event of the second watch', () => store.get('here/a')?.metadata.resourceVersion === '14');
    expect([versions(api.watches), api.lists.length]).toEqual([['10', '11'], 1]);
    expect(states.at(-2)).toMatchObject({ kind: 'failing', problem: { kind: 'unavailable' } });
    expect(changes.length).toBe(2);
  });

  test('a server that is down is asked again until it is back, and what was known stays', async () => {
    api.onList(listOf(10, item('a', 9)));
    api.onWatch(silence);
    const { store, states } = start();
    await until('the watch', () => api.watches.length === 1);
    await api.down();
    await until('three refusals', () => states.filter((state) => state.kind === 'failing').length >= 3);
    expect(store.size).toBe(1);
    await api.up();
    await until('the watch is back', () => states.at(-1)?.kind === 'watching');
    expect([versions(api.watches), api.lists.length]).toEqual([['10', '10'], 1]);
  });

  test('the pauses between attempts grow', async () => {
    api.onList(listOf(10));
    api.onWatch(refuse(500, 'InternalError'));
    const { states } = start({ timing: { ...quick, backoff: { baseMs: 10, maxMs: 10_000 } } });
    await until('six failures', () => kinds(states).filter((kind) => kind === 'failing').length >= 6);
    const pauses = api.watches.slice(1, 6).map((turn, i) => turn.at - (api.watches[i]?.at ?? 0));
    for (const [i, ms] of [10, 20, 40, 80, 160].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(ms - 2);
  });

  test('an exchange that does not start is no reason to stop', async () => {
    api.onList(
      (turn) => turn.reset(),
      (turn) => turn.reset(),
      listOf(10),
    );
    api.onWatch(
      (turn) => turn.reset(),
      (turn) => turn.reset(),
      silence,
    );
    const { states } = start();
    await until('the watch', () => states.at(-1)?.kind === 'watching');
  });
});

describe('lists', () => {
  test('a failed list is reported and tried again, and nothing claims to be synced meanwhile', async () => {
    const gate = Promise.withResolvers<void>();
    api.onList(refuse(500, 'InternalError', 'etcd is away'), async (turn) => {
      await gate.promise;
      turn.json(200, page(10, [item('a', 9)]));
    });
    api.onWatch(silence);
    const { store, states } = start();
    await until('the second list', () => api.lists.length === 2);
    expect(states.at(-1)).toMatchObject({ kind: 'failing', problem: { kind: 'unavailable', message: 'etcd is away' } });
    expect(store.synced).toBe(false);
    gate.resolve();
    await store.whenSynced();
    expect(store.size).toBe(1);
  });

  test('429 waits as long as the server asks', async () => {
    api.onList((turn) => turn.json(429, status(429, 'TooManyRequests'), { 'retry-after': '1' }), listOf(10));
    api.onWatch(silence);
    const { states } = start();
    await until('the second list', () => api.lists.length === 2);
    expect((api.lists[1]?.at ?? 0) - (api.lists[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
    expect(states[1]).toMatchObject({ kind: 'failing', problem: { kind: 'throttled', retryAfterMs: 1000 } });
  });

  test('are consistent readings: no resourceVersion is sent', async () => {
    api.onList(listOf(10));
    api.onWatch(refuse(410, 'Expired'), silence);
    start();
    await until('the second watch', () => api.watches.length === 2);
    expect(api.lists.map((turn) => turn.query.has('resourceVersion'))).toEqual([false, false]);
  });

  test('what is no list is a failure, not an empty world', async () => {
    api.onList(listOf(10, item('a', 9)), (turn) => turn.json(200, '<html>a proxy</html>'), listOf(20, item('a', 9)));
    api.onWatch(refuse(410, 'Expired'), silence);
    const { store, changes } = start();
    await until('the second watch', () => api.watches.length === 2);
    expect([store.size, changes.length]).toEqual([1, 1]);
  });
});

describe('clean closes', () => {
  test('reconnect at once, from the last version, without a list', async () => {
    api.onList(listOf(10));
    api.onWatch((turn) => {
      turn.event('ADDED', configMap('a', 11));
      turn.end();
    }, silence);
    const { states } = start({ timing: { ...quick, backoff: { baseMs: 60_000, maxMs: 60_000 } } });
    await until('the second watch', () => api.watches.length === 2);
    expect([versions(api.watches), api.lists.length, kinds(states)]).toEqual([
      ['10', '11'],
      1,
      ['listing', 'watching'],
    ]);
  });

  test('a server that closes each watch at once is not asked in a tight loop', async () => {
    api.onList(listOf(10));
    api.onWatch((turn) => turn.end());
    start({ timing: { ...quick, backoff: { baseMs: 20, maxMs: 10_000 } } });
    await until('six watches', () => api.watches.length >= 6);
    const [second, sixth] = [api.watches[1], api.watches[5]];
    expect((sixth?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(20 + 40 + 80 + 160 - 5);
  });
});

describe('errors in the stream', () => {
  test('410 leads to a new list, whose differences are told', async () => {
    api.onList(
      listOf(10, item('same', 5), item('changed', 6), item('gone', 7)),
      listOf(30, item('same', 5), item('changed', 26), item('new', 27)),
    );
    api.onWatch((turn) => turn.event('ERROR', status(410, 'Expired', 'too old resource version')), silence);
    const { changes, states } = start();
    await until('the second watch', () => api.watches.length === 2);
    expect(versions(api.watches)).toEqual(['10', '30']);
    const later = changes.slice(3).map((change) => [change.kind, change.key, change.origin]);
    expect(later).toEqual([
      ['removed', 'here/gone', 'list'],
      ['applied', 'here/changed', 'list'],
      ['applied', 'here/new', 'list'],
    ]);
    expect(kinds(states)).toEqual(['listing', 'watching', 'listing', 'watching']);
  });

  test('410 in place of the stream leads to a new list', async () => {
    api.onList(listOf(10), listOf(30));
    api.onWatch(refuse(410, 'Gone'), silence);
    start();
    await until('the second watch', () => api.watches.length === 2);
    expect(versions(api.watches)).toEqual(['10', '30']);
  });

  test('any other is told, and the watch resumes', async () => {
    api.onList(listOf(10));
    api.onWatch((turn) => {
      turn.event('ADDED', configMap('a', 12));
      turn.event('ERROR', status(500, 'InternalError', 'storage is reinitializing'));
    }, silence);
    const { states } = start();
    await until('the second watch', () => api.watches.length === 2);
    expect([versions(api.watches), api.lists.length]).toEqual([['10', '12'], 1]);
    expect(states[2]).toMatchObject({
      kind: 'failing',
      problem: { kind: 'unavailable', message: 'storage is reinitializing' },
    });
  });

  const broken: readonly (readonly [string, string])[] = [
    ['half a line', '{"type":"ADDED","object":{"metadata":{"na'],
    ['a line that is not JSON', 'upstream connect error\n'],
    ['an event without a version', '{"type":"ADDED","object":{"metadata":{"name":"b"}}}\n'],
    ['an event of an unknown type', '{"type":"MOVED","object":{"metadata":{"name":"b","resourceVersion":"13"}}}\n'],
    ['an event without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"13"}}}\n'],
    ['null', 'null\n'],
  ];
  test.each(broken)('%s is told, never taken for an event, and the watch resumes before it', async (_, bytes) => {
    api.onList(listOf(10));
    api.onWatch((turn) => {
      turn.event('ADDED', configMap('a', 12));
      turn.raw(bytes);
      turn.end();
    }, silence);
    const { states, store } = start();
    await until('the second watch', () => api.watches.length === 2);
    await until('it watches again', () => states.at(-1)?.kind === 'watching');
    expect([versions(api.watches), api.lists.length, store.size]).toEqual([['10', '12'], 1, 1]);
    expect(kinds(states)).toEqual(['listing', 'watching', 'failing', 'watching']);
  });

  test('characters and lines torn over packets arrive whole', async () => {
    api.onList(listOf(10));
    const bytes = Buffer.from(
      ['ä', '漢字', '🔐']
        .map(
          (text, i) => `${JSON.stringify({ type: 'ADDED', object: configMap(`c${i}`, 11 + i, { data: { text } }) })}\n`,
        )
        .join(''),
    );
    api.onWatch(async (turn) => {
      for (const byte of bytes) {
        turn.raw(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
    });
    const { store } = start();
    await until('three objects', () => store.size === 3);
    expect([...store.list()].map((object) => object.data?.text)).toEqual(['ä', '漢字', '🔐']);
  });
});

describe('subscribers', () => {
  test('one that throws is reported, stops nothing, and the version moves on', async () => {
    api.onList(listOf(10, item('a', 9)));
    api.onWatch((turn) => {
      turn.event('MODIFIED', configMap('a', 11));
      turn.event('DELETED', configMap('a', 12));
      turn.end();
    }, silence);
    const store = new Store<ConfigMap>({ onBug: (error) => bugs.push(error) });
    const bugs: unknown[] = [];
    store.subscribe(() => {
      throw new Error('a bug in a subscriber');
    });
    const { changes } = start({ store });
    await until('the second watch', () => api.watches.length === 2);
    expect([bugs.length, changes.length, versions(api.watches)]).toEqual([3, 3, ['10', '12']]);
  });

  test('a listener of states that throws is reported and stops nothing', async () => {
    api.onList(listOf(10, item('a', 9)));
    api.onWatch(silence);
    const { store, bugs } = start({
      onState: () => {
        throw new Error('a bug in a listener');
      },
    });
    await store.whenSynced();
    await until('the watch', () => api.watches.length === 1);
    await until('both reports', () => bugs.length === 2);
  });
});

describe('types', () => {
  test('listed and watched objects are the same plain JSON: typed, frozen, without managedFields', async () => {
    const created = '2026-11-21T10:00:00Z';
    const more = { data: { k: 'v' }, metadata: { creationTimestamp: created } };
    api.onList(listOf(10, item('listed', 9, more)));
    api.onWatch((turn) => turn.event('ADDED', configMap('watched', 11, more)));
    const { store } = start();
    await until('both', () => store.size === 2);
    for (const name of ['listed', 'watched']) {
      const object = store.get(`here/${name}`);
      expect(object).toEqual({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        data: { k: 'v' },
        metadata: {
          name,
          namespace: 'here',
          uid: `uid-${name}`,
          resourceVersion: name === 'listed' ? '9' : '11',
          creationTimestamp: created,
        },
      });
      expect([Object.isFrozen(object), Object.isFrozen(object?.metadata)]).toEqual([true, true]);
    }
  });

  test('metadata-only asks for it in list and watch, and gives the objects their own kind', async () => {
    api.onList(listOf(10, { ...item('a', 9), apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' }));
    api.onWatch((turn) =>
      turn.event('ADDED', { ...item('b', 11), apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' }),
    );
    const { store } = start({ metadataOnly: true });
    await until('both', () => store.size === 2);
    expect([...store.list()].map((object) => [object.apiVersion, object.kind])).toEqual([
      ['v1', 'ConfigMap'],
      ['v1', 'ConfigMap'],
    ]);
    expect(api.turns.map((turn) => turn.headers.accept)).toEqual([
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    ]);
  });
});

describe('paging', () => {
  test('a large collection comes in pages of 500 and appears at once', async () => {
    const first = Promise.withResolvers<void>();
    api.onList(
      (turn) => turn.json(200, page(10, [item('a', 1)], 'token+1/=')),
      async (turn) => {
        await first.promise;
        turn.json(200, page(10, [item('b', 2)], 'two'));
      },
      (turn) => turn.json(200, page(10, [item('c', 3)])),
    );
    api.onWatch(silence);
    const { store } = start({ namespace: 'here', labelSelector: 'a=b,c!=d', fieldSelector: 'metadata.name!=x' });
    await until('the second page is asked for', () => api.lists.length === 2);
    expect([store.size, store.synced]).toEqual([0, false]);
    first.resolve();
    await store.whenSynced();
    await until('the watch', () => api.watches.length === 1);
    expect([...store.list()].map((object) => object.metadata.name)).toEqual(['a', 'b', 'c']);
    expect(api.lists.map((turn) => turn.query.get('continue'))).toEqual([null, 'token+1/=', 'two']);
    for (const turn of api.turns) {
      expect(turn.path).toBe('/api/v1/namespaces/here/configmaps');
      expect(turn.query.get('labelSelector')).toBe('a=b,c!=d');
      expect(turn.query.get('fieldSelector')).toBe('metadata.name!=x');
      expect(turn.query.get('limit')).toBe(turn.isWatch ? null : '500');
    }
  });

  test('when the reading expires between pages, it begins again', async () => {
    api.onList(
      (turn) => turn.json(200, page(10, [item('a', 1)], 'one')),
      refuse(410, 'Expired'),
      (turn) => turn.json(200, page(20, [item('a', 15)], 'one')),
      (turn) => turn.json(200, page(20, [item('b', 16)])),
    );
    api.onWatch(silence);
    const { store, states } = start();
    await store.whenSynced();
    await until('the watch', () => api.watches.length === 1);
    expect(api.lists.map((turn) => turn.query.get('continue'))).toEqual([null, 'one', null, 'one']);
    expect(store.get('here/a')?.metadata.resourceVersion).toBe('15');
    expect(kinds(states)).toEqual(['listing', 'watching']);
  });

  test('a failure between pages leaves the store as it was', async () => {
    api.onList(
      listOf(10, item('a', 1)),
      (turn) => turn.json(200, page(20, [], 'one')),
      refuse(500, 'InternalError'),
      listOf(30, item('b', 21)),
    );
    api.onWatch(refuse(410, 'Expired'), silence);
    const { store, changes, states } = start();
    await until('the second failure', () => states.some((state) => state.kind === 'failing'));
    await until('the second watch', () => api.watches.length === 2);
    expect(changes.map((change) => [change.kind, change.key])).toEqual([
      ['applied', 'here/a'],
      ['removed', 'here/a'],
      ['applied', 'here/b'],
    ]);
    expect(store.size).toBe(1);
  });
});

describe.each([
  ['absent', 404, 'NotFound'],
  ['forbidden', 403, 'Forbidden'],
] as const)('a kind that is %s', (kind, code, reason) => {
  const refused: Script = refuse(code, reason);

  test('is a state that waits for a wake and does not poll', async () => {
    api.onList(refused);
    const { reflection, states, store } = start({ timing: { ...quick, wakeGraceMs: 0 } });
    await expect(reflection.settled).resolves.toMatchObject({ kind });
    // Other exchanges pass in order, so that time enough for a poll goes by without a sleep.
    for (let i = 0; i < 20; i += 1) await session.request({ method: 'GET', path: `/probe/${i}` });
    expect(api.turns.filter((turn) => turn.path.endsWith('/configmaps')).length).toBe(1);
    expect([kinds(states), store.synced]).toEqual([['listing', kind], false]);
  });

  test('is watched after a wake, even when the server needs a moment more', async () => {
    api.onList(refused);
    const { reflection, states, store } = start({ timing: { ...quick, wakeGraceMs: 30_000 } });
    await reflection.settled;
    api.onList(refused, refused, refused, listOf(10, item('a', 9)));
    api.onWatch(silence);
    reflection.wake();
    await store.whenSynced();
    await until('the watch', () => reflection.state.kind === 'watching');
    expect([api.lists.length, kinds(states)]).toEqual([5, ['listing', kind, 'watching']]);
  });

  test('waits again when nothing came within the grace after a wake', async () => {
    api.onList(refused);
    const { reflection } = start({ timing: { ...quick, wakeGraceMs: 60 } });
    await reflection.settled;
    reflection.wake();
    await until('the grace has been used', () => api.lists.length >= 3);
    await until('it asks no more', () => performance.now() - (api.lists.at(-1)?.at ?? 0) > 200);
    const used = api.lists.length;
    api.onList(listOf(10));
    api.onWatch(silence);
    reflection.wake();
    await until('the watch', () => reflection.state.kind === 'watching');
    expect(api.lists.length).toBe(used + 1);
  });

  test('a wake during the very list that is refused is not lost', async () => {
    const asked = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    api.onList(async (turn) => {
      asked.resolve();
      await woken.promise;
      await refused(turn);
    }, listOf(10));
    api.onWatch(silence);
    const { reflection } = start();
    await asked.promise;
    reflection.wake();
    woken.resolve();
    await until('the watch', () => reflection.state.kind === 'watching');
  });

  test('after it had been watched: the state is told, what is known stays, and a wake brings it back', async () => {
    api.onList(listOf(10, item('a', 9)));
    api.onWatch((turn) => turn.end(), refused, silence);
    const { reflection, states, store } = start({ timing: { ...quick, wakeGraceMs: 0 } });
    await until('the refusal', () => reflection.state.kind === kind);
    expect(store.size).toBe(1);
    api.onList(listOf(30));
    reflection.wake();
    await until('the watch', () => reflection.state.kind === 'watching');
    expect([store.size, kinds(states)]).toEqual([0, ['listing', 'watching', kind, 'watching']]);
  });

  test('only for the moment in which a server starts: it comes back without a wake', async () => {
    api.onList(listOf(10), refused, listOf(20));
    api.onWatch((turn) => turn.end(), refused, silence);
    const { reflection, states } = start();
    await until('the watch is back', () => kinds(states).join() === `listing,watching,${kind},watching`);
    expect(reflection.state.kind).toBe('watching');
  });

  test('ends at once with the signal', async () => {
    api.onList(refused);
    const { reflection } = start({ timing: { ...quick, wakeGraceMs: 0 } });
    await reflection.settled;
    stop.abort();
    await reflection.done;
  });
});

describe('the end', () => {
  const moments: readonly (readonly [string, Script, Script])[] = [
    ['a list', silence, silence],
    ['a watch', listOf(10), silence],
    ['a pause', refuse(500, 'InternalError'), silence],
  ];
  test.each(moments)('the signal ends %s at once and reports no failure for it', async (_, list, watch) => {
    api.onList(list);
    api.onWatch(watch);
    const { reflection, states, bugs } = start({ timing: { ...quick, backoff: { baseMs: 60_000, maxMs: 60_000 } } });
    await until('the moment', () => api.turns.length > 0 && states.length >= (list === silence ? 1 : 2));
    const before = states.length;
    stop.abort();
    await reflection.done;
    await reflection.settled;
    expect([states.length, bugs]).toEqual([before, []]);
  });

  test('no socket is left behind by thirty reconnects', async () => {
    api.onList(listOf(10));
    let version = 10;
    api.onWatch((turn) => {
      version += 1;
      turn.event('BOOKMARK', bookmark(version));
      turn.end();
    });
    start();
    await until('thirty watches', () => api.watches.length >= 30);
    expect(new Set(api.watches.map((turn) => turn.clientPort)).size).toBeLessThanOrEqual(2);
  });
});
