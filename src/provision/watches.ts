// Starts one reflector per watched kind of the infra half, those of systemNamespace once a GatewayInfra says which that is, and wakes those whose
// kind is missing when it arrives. Called once by main-infra.ts.

import { once } from 'node:events';
import { infraManagedBy } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import type { Resource } from '../api/resources.ts';
import * as resources from '../api/resources.ts';
import type { ReflectorState } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import type { Store } from '../kube/store.ts';
import type { Logger } from '../report/logger.ts';
import { type InfraSettings, type InfraStores, kindKey } from './ports.ts';
import { infraOf, renderedEverywhere, renderedInSystem, renderedStore } from './stores.ts';
import { type Selection, type WatchedKind, watchKind } from './watch-kind.ts';

export interface InfraWatchOptions {
  readonly session: Session;
  readonly stores: InfraStores;
  readonly settings: Pick<InfraSettings, 'certwayNamespace' | 'solverService'>;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly onState: (kind: string, state: ReflectorState['kind']) => void;
  /** What stands in systemNamespace is known from now on. */
  readonly onSystemKnown: () => void;
  /** A kind may be watched no longer, or again. */
  readonly onSight: () => void;
  readonly onBug: (error: unknown) => void;
}

export interface Blind {
  readonly kind: string;
  readonly message: string;
}

/** A right that is granted is no event. */
const askAgainMs = 10_000;

export interface InfraWatches {
  /** Sentences about kinds whose first list is not in yet; empty when the caches can be trusted. */
  notReady(): readonly string[];
  /** Whether what stands in that systemNamespace is known. */
  knows(systemNamespace: string): boolean;
  /** The API server's sentences about kinds that we may not watch: what is not seen there is not absent. */
  blind(): readonly Blind[];
  /** Resolves when every kind that is watched in the whole cluster is listed, absent or forbidden; or at the signal. */
  whenReady(): Promise<void>;
}

const ours = { labelSelector: `${labels.managedBy}=${infraManagedBy}` };

export function startInfraWatches(options: InfraWatchOptions): InfraWatches {
  const { stores, settings, signal } = options;
  const watch = <T extends KubeObject>(resource: Resource<T>, store: Store<T>, selection: Selection = {}) =>
    watchKind({ ...options, resource, store, selection });
  const wide = [
    watch(resources.gatewayInfras, stores.gatewayInfras),
    watch(resources.namespaces, stores.namespaces, { metadataOnly: true }),
    watch(resources.gateways, stores.gateways),
    watch(resources.gatewayClasses, stores.gatewayClasses),
    watch(resources.listenerSets, stores.listenerSets),
    watch(resources.xListenerSets, stores.xListenerSets),
    watch(resources.envoyProxies, stores.envoyProxies),
    watch(resources.customResourceDefinitions, stores.crds, { metadataOnly: true }),
    watch(resources.endpointSlices, stores.solverSlices, {
      namespace: settings.certwayNamespace,
      labelSelector: `kubernetes.io/service-name=${settings.solverService.name}`,
    }),
    ...renderedEverywhere.map((of) => watch(of, renderedStore(stores, of), ours)),
  ];
  const system = systemWatches(options);
  stores.crds.subscribe(({ kind, key }) => {
    for (const { resource, wake, empty } of wide) {
      if (key !== kindKey(resource)) continue;
      if (kind === 'removed') empty();
      else wake();
    }
  });
  const all = () => [...wide, ...system.running()];
  let before = '';
  const asking = setInterval(() => {
    const blind = all().filter((each) => each.state().kind === 'forbidden');
    for (const each of blind) each.wake();
    const now = blind.map(({ resource }) => resource.kind).join();
    if (now !== before) options.onSight();
    before = now;
  }, askAgainMs);
  signal.addEventListener('abort', () => clearInterval(asking), { once: true });
  return {
    blind: () => all().flatMap(blindness),
    notReady: () => [...wide, ...system.running()].flatMap(notReady),
    knows: (namespace) => system.namespace() === namespace && system.running().flatMap(notReady).length === 0,
    whenReady: async () => {
      const settled = Promise.all(wide.map((each) => each.settled));
      await (signal.aborted ? undefined : Promise.race([settled, once(signal, 'abort')]));
    },
  };
}

/** Of one systemNamespace at a time: a GatewayInfra that was made anew may name another. */
function systemWatches(options: InfraWatchOptions) {
  const { stores, signal, onSystemKnown } = options;
  let ending = new AbortController();
  let namespace: string | undefined;
  let running: readonly WatchedKind[] = [];
  const follow = () => {
    const next = infraOf(stores)?.spec.systemNamespace;
    if (next === undefined || next === namespace) return;
    ending.abort();
    const inSystem = [...renderedInSystem.map((of) => renderedStore(stores, of)), stores.systemSecrets];
    if (namespace !== undefined) for (const store of inSystem) store.drop(namespace);
    namespace = next;
    ending = new AbortController();
    const common = { ...options, signal: AbortSignal.any([signal, ending.signal]) };
    const selection = { ...ours, namespace };
    running = [
      ...renderedInSystem.map((of) =>
        watchKind({ ...common, resource: of, store: renderedStore(stores, of), selection }),
      ),
      // Whoever made them: the certificates of an earlier install, and pull Secrets that are to be copied.
      watchKind({ ...common, resource: resources.secrets, store: stores.systemSecrets, selection: { namespace } }),
    ];
    void Promise.all(running.map((each) => each.settled)).then(onSystemKnown);
  };
  stores.gatewayInfras.subscribe(follow);
  return { namespace: () => namespace, running: () => running };
}

function notReady({ resource, state }: WatchedKind): readonly string[] {
  const { kind } = state();
  return kind === 'listing' || kind === 'failing' ? [`${resource.kind}: ${kind}`] : [];
}

function blindness({ resource, state }: WatchedKind): readonly Blind[] {
  const now = state();
  return now.kind === 'forbidden' ? [{ kind: resource.kind, message: now.message }] : [];
}
