// What stands of the Operator Lifecycle Manager, by watch: the Subscriptions and InstallPlans that keep an operator's CRDs. A cluster without it
// serves neither kind, which is an answer, too. Started once by main-infra.ts; read by crds.ts.

import type { Metadata } from '../api/core.ts';
import type { Resource } from '../api/resources.ts';
import { componentPrefix, type Packages } from '../infra/crd-owner.ts';
import type { ReflectorState } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import { keyOf, Store } from '../kube/store.ts';
import type { Logger } from '../report/logger.ts';
import { kindKey } from './ports.ts';
import { type WatchedKind, watchKind } from './watch-kind.ts';

export interface PackageWatch {
  packages(): Packages;
  /** At the first answers, be they that there is no such kind. */
  readonly settled: Promise<unknown>;
}

export interface PackageWatchOptions {
  readonly session: Session;
  /** Says when the kinds arrive. */
  readonly crds: Store<Metadata>;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly onState: (kind: string, state: ReflectorState['kind']) => void;
  readonly onBug: (error: unknown) => void;
  /** What stands has changed. */
  readonly onChange: () => void;
}

export const subscriptions = olmKind('subscriptions', 'Subscription');
export const installPlans = olmKind('installplans', 'InstallPlan');

export function watchPackages(options: PackageWatchOptions): PackageWatch {
  const { crds, onBug, onChange, onState } = options;
  const watch = (resource: Resource<Metadata>) => {
    const store = new Store<Metadata>({ content: 'metadata', onBug });
    const watched: WatchedKind = watchKind<Metadata>({
      ...options,
      resource,
      store,
      selection: { metadataOnly: true },
      onState: (kind, state) => {
        onState(kind, state);
        onChange();
      },
    });
    store.subscribe(onChange);
    return { store, watched };
  };
  const [subs, plans] = [watch(subscriptions), watch(installPlans)];
  crds.subscribe(({ kind, key }) => {
    for (const { watched } of [subs, plans]) {
      if (key !== kindKey(watched.resource)) continue;
      if (kind === 'removed') watched.empty();
      else watched.wake();
    }
  });
  return {
    packages: () => {
      if (![subs, plans].every(({ watched }) => isAnswered(watched))) return { kind: 'unknown' };
      const both = [...subs.store.list(), ...plans.store.list()];
      return {
        kind: 'known',
        subscriptions: new Set([...subs.store.list()].map(keyOf)),
        components: new Set(both.flatMap(componentsOf)),
      };
    },
    settled: Promise.all([subs.watched.settled, plans.watched.settled]),
  };
}

function isAnswered({ state }: WatchedKind): boolean {
  return state().kind === 'watching' || state().kind === 'absent';
}

function componentsOf({ metadata: { namespace, labels = {} } }: Metadata): readonly string[] {
  return Object.keys(labels).flatMap((label) => (label.startsWith(componentPrefix) ? [`${namespace} ${label}`] : []));
}

function olmKind(plural: string, kind: string): Resource<Metadata> {
  return { group: 'operators.coreos.com', version: 'v1alpha1', plural, kind, namespaced: true };
}
