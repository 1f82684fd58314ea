// What the store promises its readers while lists, watch events and our own writes arrive in any order.

import { describe, expect, test } from 'vitest';
import { compareVersions } from '../../src/kube/received.ts';
import { type Change, keyOf, Store, type StoreOptions } from '../../src/kube/store.ts';
import { seeded } from '../queue/seeded.ts';
import { type ConfigMap, stored } from './objects.ts';

function open(options: StoreOptions<ConfigMap> = {}) {
  const store = new Store<ConfigMap>(options);
  const told: string[] = [];
  store.subscribe((change: Change<ConfigMap>) => {
    const version = (change.kind === 'applied' ? change.object : change.previous).metadata.resourceVersion;
    told.push(`${change.kind} ${change.key}@${version} ${change.origin}`);
  });
  return { store, told };
}

const versionIn = (store: Store<ConfigMap>, name: string) => store.get(`here/${name}`)?.metadata.resourceVersion;

test('a key is namespace/name, or the name alone', () => {
  expect([
    keyOf(stored('a', 1)),
    keyOf({ metadata: { name: 'n' } }),
    keyOf({ metadata: { name: 'n', namespace: '' } }),
  ]).toEqual(['here/a', 'n', 'n']);
});

test('versions compare as numbers, beyond 2^53 too', () => {
  expect(compareVersions('9', '10')).toBeLessThan(0);
  expect(compareVersions('90071992547409931', '90071992547409930')).toBeGreaterThan(0);
  expect(compareVersions('7', '7')).toBe(0);
});

describe('own writes', () => {
  test('are visible at once, and their watch event says nothing new', () => {
    const { store, told } = open();
    store.swap([stored('a', 5)], '6');
    store.note(stored('a', 8));
    store.applied(stored('a', 7));
    store.applied(stored('a', 8));
    store.applied(stored('a', 9));
    expect(told).toEqual(['applied here/a@5 list', 'applied here/a@8 own', 'applied here/a@9 watch']);
  });

  test('an answer that comes after its own watch event, or a later one, is ignored', () => {
    const { store, told } = open();
    store.applied(stored('a', 9));
    store.note(stored('a', 8));
    store.note(stored('a', 9));
    expect([versionIn(store, 'a'), told.length]).toEqual(['9', 1]);
  });

  test('an answer that comes after the deletion does not bring the object back', () => {
    const { store } = open();
    store.applied(stored('a', 8));
    store.deleted(stored('a', 10));
    store.note(stored('a', 9));
    expect(store.size).toBe(0);
    store.applied(stored('a', 12, { uid: 'another' }));
    expect(versionIn(store, 'a')).toBe('12');
  });

  test('noted after the list was read, an object survives the list', () => {
    const { store } = open();
    store.note(stored('made', 20));
    store.swap([stored('old', 5)], '15');
    expect([versionIn(store, 'made'), versionIn(store, 'old')]).toEqual(['20', '5']);
    store.swap([stored('old', 5)], '25');
    expect(store.size).toBe(1);
  });

  test('a newer noted version survives an older list of the same object', () => {
    const { store } = open();
    store.note(stored('a', 20));
    store.swap([stored('a', 10)], '15');
    expect(versionIn(store, 'a')).toBe('20');
  });
});

describe('own deletes', () => {
  test('are visible at once, and late events do not bring the object back', () => {
    const { store, told } = open();
    store.applied(stored('a', 8));
    store.forget(stored('a', 8));
    store.applied(stored('a', 9));
    store.deleted(stored('a', 10));
    store.swap([stored('a', 9)], '9');
    expect([store.size, told]).toEqual([0, ['applied here/a@8 watch', 'removed here/a@8 own']]);
  });

  test('do not touch the next object of that name', () => {
    const { store } = open();
    store.note(stored('a', 12, { uid: 'next' }));
    store.forget(stored('a', 8));
    store.deleted(stored('a', 10));
    expect(versionIn(store, 'a')).toBe('12');
  });

  test('of an object with finalizers change nothing until the server says so', () => {
    const { store } = open();
    const object = stored('a', 8, { finalizers: ['x/y'] });
    store.applied(object);
    store.forget(object);
    expect(store.size).toBe(1);
  });
});

describe('an object that left the selection of its watch', () => {
  test('comes back when it is selected again, and is followed as before', () => {
    const { store, told } = open();
    store.applied(stored('a', 8));
    store.deleted(stored('a', 10));
    store.applied(stored('a', 9));
    expect(store.size).toBe(0);
    store.applied(stored('a', 11));
    store.applied(stored('a', 12));
    expect(told.slice(2)).toEqual(['applied here/a@11 watch', 'applied here/a@12 watch']);
  });

  test('comes back after a list without it too', () => {
    const { store } = open();
    store.applied(stored('a', 8));
    store.swap([], '10');
    store.note(stored('a', 9));
    expect(store.size).toBe(0);
    store.note(stored('a', 11));
    expect(versionIn(store, 'a')).toBe('11');
  });
});

describe('lists', () => {
  test('appear at once: a subscriber of the first change sees them all', () => {
    const store = new Store<ConfigMap>();
    const sizes: number[] = [];
    store.subscribe(() => sizes.push(store.size));
    store.swap([stored('a', 1), stored('b', 2)], '3');
    expect([sizes, store.synced]).toEqual([[2, 2], true]);
  });

  test('of one namespace leave the others alone', () => {
    const { store } = open();
    const there = stored('t', 1, { namespace: 'there' });
    store.swap([stored('a', 1)], '2', 'here');
    store.swap([there], '3', 'there');
    store.swap([], '4', 'here');
    expect([...store.list()]).toEqual([there]);
    store.drop('there');
    expect(store.size).toBe(0);
    store.swap([there], '5', 'there');
    expect(store.size).toBe(1);
  });

  test('whenSynced resolves with the first, and rejects with the signal', async () => {
    const { store } = open();
    const stop = new AbortController();
    const waiting = store.whenSynced();
    const aborted = store.whenSynced(stop.signal);
    stop.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(store.whenSynced(stop.signal)).rejects.toThrow('enough');
    store.swap([], '1');
    await waiting;
    await store.whenSynced(stop.signal);
  });
});

describe('subscribers', () => {
  test('get the previous object', () => {
    const store = new Store<ConfigMap>();
    const changes: Change<ConfigMap>[] = [];
    const [one, two] = [stored('a', 1), stored('a', 2)];
    const end = store.subscribe((change) => changes.push(change));
    store.applied(one);
    store.applied(two);
    store.deleted(stored('a', 3));
    end();
    store.applied(stored('b', 4));
    expect(changes).toEqual([
      { kind: 'applied', key: 'here/a', object: one, origin: 'watch' },
      { kind: 'applied', key: 'here/a', object: two, previous: one, origin: 'watch' },
      { kind: 'removed', key: 'here/a', previous: two, origin: 'watch' },
    ]);
  });

  test('one that throws is reported; the others and the store go on', () => {
    const bugs: unknown[] = [];
    const store = new Store<ConfigMap>({ onBug: (error) => bugs.push(error) });
    const heard: string[] = [];
    store.subscribe(() => {
      throw new Error('a bug');
    });
    store.subscribe((change) => heard.push(change.key));
    store.swap([stored('a', 1), stored('b', 2)], '3');
    expect([heard, bugs.length, store.synced]).toEqual([['here/a', 'here/b'], 2, true]);
  });
});

describe('objects', () => {
  test('are frozen', () => {
    const { store } = open();
    store.note({ ...stored('a', 1) });
    expect(Object.isFrozen(store.get('here/a'))).toBe(true);
  });

  test('a store of metadata keeps no payload, whatever is noted', () => {
    const { store } = open({ content: 'metadata' });
    store.note({ ...stored('a', 1), data: { 'tls.key': 'secret' } });
    expect(store.get('here/a')).toEqual(stored('a', 1));
  });
});

describe('indexes', () => {
  const indexes = {
    label: (object: ConfigMap) => Object.values(object.metadata.labels ?? {}),
    all: () => ['x', 'x'],
  };
  const names = (objects: readonly ConfigMap[]) => objects.map((object) => object.metadata.name).sort();

  test('follow every change', () => {
    const { store } = open({ indexes });
    store.swap([stored('a', 1, { labels: { l: 'red' } }), stored('b', 2, { labels: { l: 'red', m: 'blue' } })], '3');
    expect([names(store.by('label', 'red')), names(store.by('label', 'blue')), names(store.by('all', 'x'))]).toEqual([
      ['a', 'b'],
      ['b'],
      ['a', 'b'],
    ]);
    store.applied(stored('b', 4, { labels: { l: 'green' } }));
    store.deleted(stored('a', 5));
    expect([names(store.by('label', 'red')), names(store.by('label', 'green')), store.by('label', 'none')]).toEqual([
      [],
      ['b'],
      [],
    ]);
  });

  test('one that is not declared is a bug', () => {
    const { store } = open({ indexes });
    expect(() => store.by('colour', 'red')).toThrow('no index named colour');
  });

  test('one that throws is reported and files the object under nothing', () => {
    const bugs: unknown[] = [];
    const { store } = open({
      onBug: (error) => bugs.push(error),
      indexes: {
        broken: () => {
          throw new Error('a bug');
        },
      },
    });
    store.applied(stored('a', 1));
    expect([bugs.length, store.size, store.by('broken', 'x')]).toEqual([1, 1, []]);
  });

  test.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'agree with a search through everything, seed %i',
    (seed) => {
      const random = seeded(seed);
      const store = new Store<ConfigMap>({ indexes: { label: indexes.label } });
      const model = new Map<string, ConfigMap>();
      let version = 0;
      const make = () => {
        version += 1;
        const labels = Object.fromEntries(
          Array.from({ length: random.below(3) }, (_, i) => [`l${i}`, `v${random.below(4)}`]),
        );
        return stored(`o${random.below(8)}`, version, { uid: `uid-${version}`, labels });
      };
      for (let step = 0; step < 200; step += 1) {
        const object = make();
        const key = keyOf(object);
        const dice = random.below(10);
        if (dice === 0) {
          const items = [...new Map(Array.from({ length: 5 }, make).map((made) => [keyOf(made), made])).values()];
          model.clear();
          for (const made of items) model.set(keyOf(made), made);
          store.swap(items, String(version));
        } else if (dice < 4) {
          const present = model.get(key);
          if (present === undefined) continue;
          model.delete(key);
          store.deleted({ ...present, metadata: { ...present.metadata, resourceVersion: String(version) } });
        } else {
          model.set(key, object);
          if (dice < 7) store.applied(object);
          else store.note(object);
        }
        expect([...store.list()].map(keyOf).sort()).toEqual([...model.keys()].sort());
        for (const value of ['v0', 'v1', 'v2', 'v3']) {
          const expected = [...model.values()].filter((o) => indexes.label(o).includes(value));
          expect(names(store.by('label', value))).toEqual(names(expected));
        }
      }
    },
  );
});
