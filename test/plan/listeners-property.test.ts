// What planListeners promises of any cluster, tried on seeded random ones: done once, nothing is left to do, and nothing of others is touched.

import { expect, test } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Gateway, Listener, ListenerSet } from '../../src/api/gateway.ts';
import { type ListenerAction, planListeners } from '../../src/plan/listeners.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import type { GatewayWorld, ResolveOptions } from '../../src/resolve/world.ts';
import {
  type Annotations,
  certificate,
  clusterIssuer,
  gateway,
  https,
  issuer,
  listenerSet,
  ownerOf,
  world,
} from '../resolve/world.ts';

const rounds = 400;

/** Numbers from 0 to below n, the same for the same seed (mulberry32). */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

type Roll = (n: number) => number;

function pick<T>(roll: Roll, from: readonly [T, ...T[]]): T {
  return from[roll(from.length)] ?? from[0];
}

function annotationsFor(roll: Roll): Annotations {
  const some: readonly [Annotations, ...Annotations[]] = [
    {},
    issuer('a'),
    clusterIssuer('b'),
    { ...issuer('a'), ...clusterIssuer('b') },
    { ...issuer('a'), 'cert-manager.io/duration': pick(roll, ['720h', 'soon']) },
    { ...issuer('a'), 'certway.dev/issuers': pick(roll, ['l0=Issuer/x', 'l0=', 'l1=ClusterIssuer/y', 'none=x']) },
    { ...clusterIssuer('b'), 'acme.cert-manager.io/http01-parentreffallback': pick(roll, ['true', 'false']) },
    {
      ...issuer('a'),
      'cert-manager.io/private-key-algorithm': 'ECDSA',
      'certway.dev/inherit': 'private-key-algorithm',
    },
  ];
  return pick(roll, some);
}

function listenerFor(roll: Roll, index: number): Listener {
  return https({
    name: `l${index}`,
    hostname: pick(roll, ['a.com', 'b.com', '*.a.com', '']),
    port: pick(roll, [443, 8443]),
    protocol: pick(roll, ['HTTPS', 'HTTPS', 'TLS', 'HTTP']),
    secret: pick(roll, ['one', 'two', 'three']),
  });
}

function partsFor(roll: Roll) {
  return {
    annotations: annotationsFor(roll),
    listeners: Array.from({ length: 1 + roll(3) }, (_, i) => listenerFor(roll, i)),
    metadata: {
      creationTimestamp: `2026-01-01T00:00:0${roll(4)}Z`,
      ...(roll(3) === 0 && { labels: { app: pick(roll, ['x', 'y']) } }),
      ...(roll(12) === 0 && { deletionTimestamp: '2026-01-02T00:00:00Z' }),
    },
  };
}

function setFor(roll: Roll): ListenerSet {
  return listenerSet({
    name: pick(roll, ['s0', 's1', 's2']),
    namespace: pick(roll, ['infra', 'team']),
    kind: pick(roll, ['ListenerSet', 'ListenerSet', 'XListenerSet']),
    ...partsFor(roll),
  });
}

function worldFor(roll: Roll): GatewayWorld {
  const object: Gateway = gateway({ allowed: { from: pick(roll, ['All', 'All', 'Same', 'None']) }, ...partsFor(roll) });
  const sets = Array.from({ length: roll(5) }, () => setFor(roll));
  const distinct = [...new Map(sets.map((set) => [set.metadata.uid, set])).values()];
  const hostnamePolicy = pick<ResolveOptions['hostnamePolicy']>(roll, ['lenient', 'lenient', 'strict']);
  return world(roll(10) === 0 ? undefined : object, distinct, { with: { hostnamePolicy } });
}

/** Certificates as they may stand: left over from another wish, somebody else's, or nobody's. */
function liveFor(roll: Roll, { gateway: object, listenerSets }: GatewayWorld): readonly Certificate[] {
  const gone = listenerSet({ name: 'gone', namespace: 'team' });
  const owners = [...(object === undefined ? [] : [object]), ...listenerSets, gone];
  const found = Array.from({ length: roll(4) }, () => {
    const name = pick(roll, ['one', 'two', 'three', 'four']);
    const owner = owners[roll(owners.length + 1)];
    return certificate(name, owner, { metadata: { namespace: owner?.metadata.namespace ?? 'team' } });
  });
  return [...new Map(found.map((each) => [keyOf(each), each])).values()];
}

function keyOf({ metadata }: Certificate): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The cluster after the actions were performed. */
function performed(live: readonly Certificate[], actions: readonly ListenerAction[]): readonly Certificate[] {
  const after = new Map(live.map((each) => [keyOf(each), each]));
  for (const action of actions) {
    if (action.kind === 'say') continue;
    const key = keyOf(action.object);
    // As the API server has it: two creates of one name, or a write to what does not exist, fail.
    expect(after.has(key), `${action.kind} ${key}`).toBe(action.kind !== 'createCertificate');
    if (action.kind === 'deleteCertificate') after.delete(key);
    else after.set(key, action.object);
  }
  return [...after.values()];
}

function uidsOf({ gateway: object, listenerSets }: GatewayWorld): ReadonlySet<string> {
  return new Set(
    [...(object === undefined ? [] : [object]), ...listenerSets].map(({ metadata }) => metadata.uid ?? ''),
  );
}

function controllersOf(certificates: readonly Certificate[]): readonly (string | undefined)[] {
  return certificates.map(
    ({ metadata }) => metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid,
  );
}

test('done once, nothing is left to do; in any order of reading; and nobody’s Certificates stay as they are', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const roll = dice(seed);
    const given = worldFor(roll);
    const live = liveFor(roll, given);
    const liveUids = uidsOf(given);
    const resolution = resolveGateway(given);

    const actions = planListeners(resolution, { certificates: live, liveUids });
    const after = performed(live, actions);
    const again = planListeners(resolution, { certificates: after, liveUids }).filter(({ kind }) => kind !== 'say');
    expect(again, `seed ${seed}`).toEqual([]);

    const shuffled = resolveGateway({ ...given, listenerSets: given.listenerSets.toReversed() });
    const byKey = (of: typeof resolution) => new Map(of.wanted.map((each) => [`${each.namespace}/${each.name}`, each]));
    expect(byKey(shuffled), `seed ${seed}`).toEqual(byKey(resolution));

    const ownerless = live.filter((_, i) => controllersOf(live)[i] === undefined);
    for (const each of ownerless) expect(after, `seed ${seed}`).toContain(each);

    const keys = resolution.wanted.map((each) => `${each.namespace}/${each.name}`);
    expect(new Set(keys).size, `seed ${seed}`).toBe(keys.length);
  }
});

test('an edit from any state to any other leaves what a cluster has that never knew the first', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const roll = dice(seed * 7919);
    const first = worldFor(roll);
    const parts = partsFor(roll);
    const edited: GatewayWorld = {
      ...first,
      listenerSets: first.listenerSets.map((set, i) =>
        i === 0
          ? {
              ...set,
              metadata: { ...set.metadata, annotations: parts.annotations },
              spec: { ...set.spec, listeners: parts.listeners },
            }
          : set,
      ),
    };
    const liveUids = uidsOf(first);
    const before = performed([], planListeners(resolveGateway(first), { certificates: [], liveUids }));
    const resolution = resolveGateway(edited);
    const after = performed(before, planListeners(resolution, { certificates: before, liveUids }));
    const kept = new Set(
      resolution.refusals.flatMap(({ about, holds, suspends }) =>
        [...holds, ...suspends].map((name) => `${about.namespace}/${name}`),
      ),
    );
    for (const wanted of resolution.wanted) {
      const found = after.find((each) => keyOf(each) === `${wanted.namespace}/${wanted.name}`);
      const mine = found !== undefined && controllersOf([found])[0] === wanted.owner.uid;
      if (!mine) expect(kept, `seed ${seed}`).toContain(`${wanted.namespace}/${wanted.name}`);
      else expect([found.spec, found.metadata.labels], `seed ${seed}`).toEqual([wanted.spec, wanted.labels]);
    }
    const wantedKeys = new Set(resolution.wanted.map((each) => `${each.namespace}/${each.name}`));
    const living = new Set(resolution.subjects.map(({ uid }) => uid));
    const stale = after.filter(
      (each) => living.has(controllersOf([each])[0] ?? '') && !wantedKeys.has(keyOf(each)) && !kept.has(keyOf(each)),
    );
    expect(stale, `seed ${seed}`).toEqual([]);
  }
});

test('an owner is never taken from a Certificate whose owner lives outside this Gateway', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const roll = dice(seed * 104_729);
    const given = worldFor(roll);
    const outsider = listenerSet({ name: 'outsider', namespace: 'team' });
    const theirs = ['one', 'two', 'three'].map((name) => certificate(name, outsider));
    const liveUids = new Set([...uidsOf(given), ownerOf(outsider).uid]);
    const actions = planListeners(resolveGateway(given), { certificates: theirs, liveUids });
    expect(performed(theirs, actions), `seed ${seed}`).toEqual(expect.arrayContaining(theirs));
  }
});
