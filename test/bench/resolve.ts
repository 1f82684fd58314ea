// Benchmark resolve-2000: what one edit of one ListenerSet costs among many, from the change in the store to the planned writes, in the
// controller's own stores, triggers, resolve and plan. No API server: writes are answered at once. Fails when an edit touches more than its Gateway.

import { decideListeners, type View } from '../../src/apply/listeners.ts';
import { makeStores } from '../../src/apply/stores.ts';
import { wireTriggers } from '../../src/apply/triggers.ts';
import { readConfig } from '../../src/config.ts';
import { keyOf } from '../../src/kube/store.ts';
import type { ListenerAction } from '../../src/plan/listeners.ts';
import { seeded } from '../queue/seeded.ts';
import { edits, resolveCluster } from './resolve-objects.ts';
import { median, round } from './result.ts';

export const resolveBenchmark = { name: 'resolve-2000', sets: 2_000, gateways: 50, namespaces: 200 } as const;

const seed = 2_000;
const warmUp = 1_000;
const timedEdits = 4_000;
const timedRounds = 25;

export interface ResolveResult {
  readonly name: string;
  readonly listener_sets: number;
  readonly gateways: number;
  /** Microseconds from the change in the store to the planned writes. */
  readonly edit_us: number;
  readonly edit_p99_us: number;
  /** Observe, resolve and plan all Gateways. */
  readonly full_ms: number;
  /** Gateways that are looked at again for one edit: the most that any edit woke. */
  readonly keys_per_edit: number;
  /** Writes planned over all Gateways looked at again when nothing had changed. */
  readonly writes_when_unchanged: number;
}

/** Throws when an edit is not planned as it must be. */
export function measureResolve(): ResolveResult {
  const { name, sets, gateways } = resolveBenchmark;
  const bench = openBench();
  for (const key of bench.gateways) bench.write(decideListeners(bench.view, key).actions);
  const spent: number[] = [];
  let keysPerEdit = 0;
  let unchanged = 0;
  for (let n = 0; n < warmUp + timedEdits; n += 1) {
    const { us, keys, actions } = bench.edit(n);
    bench.write(actions);
    keysPerEdit = Math.max(keysPerEdit, keys.length);
    for (const key of keys) unchanged += decideListeners(bench.view, key).actions.length;
    if (n >= warmUp) spent.push(us);
  }
  const rounds = Array.from({ length: timedRounds }, () => {
    const since = performance.now();
    for (const key of bench.gateways) unchanged += decideListeners(bench.view, key).actions.length;
    return performance.now() - since;
  });
  if (keysPerEdit !== 1 || unchanged !== 0) {
    throw new Error(
      `${name}: an edit woke ${keysPerEdit} Gateways, and without a change ${unchanged} writes were planned`,
    );
  }
  spent.sort((a, b) => a - b);
  return {
    name,
    listener_sets: sets,
    gateways,
    edit_us: round(median(spent), 0),
    edit_p99_us: round(spent[Math.floor(spent.length * 0.99)] ?? 0, 0),
    full_ms: round(median(rounds.sort((a, b) => a - b)), 1),
    keys_per_edit: keysPerEdit,
    writes_when_unchanged: unchanged,
  };
}

interface Bench {
  readonly view: View;
  readonly gateways: readonly string[];
  /** Changes one ListenerSet, and decides for each Gateway that this wakes. */
  edit(n: number): {
    readonly us: number;
    readonly keys: readonly string[];
    readonly actions: readonly ListenerAction[];
  };
  /** What the API server and its answers would do to the cache. */
  write(actions: readonly ListenerAction[]): void;
}

function openBench(): Bench {
  const view = openView();
  const woken = new Set<string>();
  const { stores } = view;
  wireTriggers(
    {
      ...view,
      hurried: new Set(),
      secrets: { granted: () => undefined, release: () => undefined, retain: () => undefined },
    },
    {
      gateway: (key) => void woken.add(key),
      certificate: () => undefined,
      issuer: () => undefined,
      request: () => undefined,
      cleanup: () => undefined,
    },
  );
  const random = seeded(seed);
  const keys = [...stores.listenerSets.list()].map(keyOf);
  let version = 1;
  return {
    view,
    gateways: [...stores.gateways.list()].map(keyOf),
    edit: (n) => {
      const { change, leadsTo } = random.pick(edits);
      const set = stores.listenerSets.get(random.pick(keys));
      if (set === undefined) throw new Error('no such ListenerSet');
      const changed = change(set, n);
      version += 1;
      const metadata = { ...changed.metadata, resourceVersion: String(version) };
      woken.clear();
      const since = performance.now();
      stores.listenerSets.applied({ ...changed, metadata });
      const actions = [...woken].flatMap((key) => decideListeners(view, key).actions);
      const us = (performance.now() - since) * 1_000;
      const planned = actions.map(({ kind }) => kind);
      if (planned.join() !== leadsTo.join()) {
        throw new Error(`edit ${n} of ${keyOf(set)} led to [${planned}], not to [${leadsTo}]`);
      }
      return { us, keys: [...woken], actions };
    },
    write: (actions) => {
      for (const action of actions) {
        version += 1;
        perform(view, action, version);
      }
    },
  };
}

function openView(): View {
  const config = readConfig(['controller', '--enable-gateway-api'], {});
  if (!config.ok || config.value.command !== 'controller') throw new Error('the default configuration is refused');
  const stores = makeStores((error) => {
    throw error;
  });
  const cluster = resolveCluster(resolveBenchmark);
  stores.gatewayClasses.swap([cluster.gatewayClass], '1');
  stores.namespaces.swap(cluster.namespaces, '1');
  stores.gateways.swap(cluster.gateways, '1');
  stores.listenerSets.swap(cluster.listenerSets, '1');
  stores.xListenerSets.swap([], '1');
  stores.certificates.swap([], '1');
  return { stores, settings: config.value.settings };
}

function perform({ stores }: View, action: ListenerAction, version: number): void {
  if (action.kind === 'say') throw new Error(`unexpected refusal: ${action.event.message}`);
  if (action.kind === 'deleteCertificate') {
    stores.certificates.forget(action.object);
    return;
  }
  const { metadata } = action.object;
  const uid = metadata.uid ?? `uid-${metadata.namespace}-${metadata.name}`;
  stores.certificates.note({ ...action.object, metadata: { ...metadata, uid, resourceVersion: String(version) } });
}
