// Starts one reflector per watched kind, and wakes those whose kind or right was missing when it arrives. Called once by main.ts.

import { once } from 'node:events';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import type { Resource } from '../api/resources.ts';
import * as resources from '../api/resources.ts';
import { type ReflectorState, reflect } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import { Store } from '../kube/store.ts';
import type { Logger } from '../report/logger.ts';
import { limitsMap } from './budget-limits.ts';
import type { Stores } from './ports.ts';

export interface WatchOptions {
  readonly session: Session;
  readonly stores: Stores;
  readonly gatewayApi: boolean;
  readonly xListenerSets: boolean;
  readonly listenerSets: boolean;
  /** Where ReferenceGrants for the solver Service stand. */
  readonly solverNamespace: string;
  /** Where the ConfigMap certway-limits stands. */
  readonly limitsNamespace: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly onState: (kind: string, state: ReflectorState['kind']) => void;
  readonly onBug: (error: unknown) => void;
}

export interface Watches {
  /** Sentences about kinds whose first list is not in yet; empty when the caches can be trusted. */
  notReady(): readonly string[];
  whenReady(signal: AbortSignal): Promise<void>;
}

interface Watched {
  readonly resource: Resource<KubeObject>;
  readonly wake: () => void;
  /** Its CRD is gone, and with it every object, whether or not a watch was there to see them go. */
  readonly empty: () => void;
  readonly settled: Promise<void>;
  state: ReflectorState['kind'];
}

export function startWatches(options: WatchOptions): Watches {
  const { stores } = options;
  const running: Watched[] = [];
  const start = <T extends KubeObject>(resource: Resource<T>, store: Store<T>, extra: Narrowing = {}): void => {
    running.push(watch(options, resource, store, extra));
  };
  start(resources.certificates, stores.certificates);
  start(resources.certificateRequests, stores.requests);
  start(resources.orders, stores.orders);
  start(resources.challenges, stores.challenges);
  start(resources.issuers, stores.issuers);
  start(resources.clusterIssuers, stores.clusterIssuers);
  // Gateways select namespaces by their labels, and every name of a CSR is held against what its namespace may use.
  start(resources.namespaces, stores.namespaces, { metadataOnly: true });
  start(resources.roleBindings, stores.roleBindings, { labelSelector: `${labels.grant}=true`, metadataOnly: true });
  start(resources.configMaps, stores.limits, {
    namespace: options.limitsNamespace,
    fieldSelector: `metadata.name=${limitsMap}`,
  });
  // What certway infra says of namespaces holds for all Certificates there, those of no Gateway too.
  start(resources.gatewayInfras, stores.gatewayInfras);
  start(resources.gatewayTenants, stores.gatewayTenants);
  if (options.gatewayApi) {
    const ours = { labelSelector: `${labels.managedBy}=certway` };
    start(resources.gateways, stores.gateways);
    start(resources.gatewayClasses, stores.gatewayClasses);
    start(resources.httpRoutes, stores.routes, ours);
    start(resources.referenceGrants, stores.grants, { ...ours, namespace: options.solverNamespace });
    if (options.listenerSets) start(resources.listenerSets, stores.listenerSets);
    if (options.xListenerSets) start(resources.xListenerSets, stores.xListenerSets);
  }
  wakeOnArrival(options, running);
  return {
    notReady: () =>
      running
        .filter(({ state }) => state === 'listing' || state === 'failing')
        .map(({ resource, state }) => `${resource.kind}: ${state}`),
    whenReady: async (signal) => {
      await Promise.race([
        Promise.all(running.map(({ settled }) => settled)),
        ...(signal.aborted ? [] : [once(signal, 'abort')]),
      ]);
    },
  };
}

interface Narrowing {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly metadataOnly?: boolean;
}

function watch<T extends KubeObject>(
  options: WatchOptions,
  resource: Resource<T>,
  store: Store<T>,
  extra: Narrowing,
): Watched {
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const empty = () => {
    for (const object of [...store.list()]) store.deleted(object);
  };
  const entry = { resource, settled, state: 'listing' as ReflectorState['kind'], wake: () => {}, empty };
  const { wake } = reflect<T>({
    session: options.session,
    resource,
    store,
    ...extra,
    signal: options.signal,
    onBug: options.onBug,
    onState: (state) => {
      const changed = entry.state !== state.kind;
      entry.state = state.kind;
      // A kind that is not served, or not allowed, is a state to run with: it must not keep the rest from starting.
      if (state.kind === 'watching' || state.kind === 'absent' || state.kind === 'forbidden') resolve();
      options.onState(resource.kind, state.kind);
      if (changed) say(options.log, resource.kind, state);
    },
  });
  entry.wake = wake;
  return entry;
}

function say(log: Logger, kind: string, state: ReflectorState): void {
  switch (state.kind) {
    case 'absent':
      log.warn({ kind }, 'kind is not served by this API server; it is watched as soon as its CRD arrives');
      break;
    case 'forbidden':
      log.error({ kind, message: state.message }, 'not allowed to watch; give the right, and the watch starts');
      break;
    case 'failing':
      log.warn({ kind, problem: state.problem }, 'watch failed; trying again');
      break;
    case 'watching':
      log.debug({ kind }, 'watching');
      break;
    case 'listing':
      break;
    default:
      state satisfies never;
  }
}

function wakeOnArrival(options: WatchOptions, running: readonly Watched[]): void {
  const crds = new Store<KubeObject>({ content: 'metadata', onBug: options.onBug });
  crds.subscribe((change) => {
    // Harmless to a watch that runs; one whose 404 is still on its way must not miss it.
    for (const { resource, wake, empty } of running) {
      if (change.key !== `${resource.plural}.${resource.group}`) continue;
      if (change.kind === 'removed') empty();
      else wake();
    }
  });
  watch(options, resources.customResourceDefinitions, crds, { metadataOnly: true });
}
