// One reflector with what the infra half wants to know of it: its state, for readiness, and a line in the log when a kind is missing or refused.
// Called by watches.ts for each kind.

import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resources.ts';
import { type ReflectorState, reflect } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import type { Store } from '../kube/store.ts';
import type { Logger } from '../report/logger.ts';

export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly metadataOnly?: boolean;
}

export interface KindOptions<T extends KubeObject> {
  readonly session: Session;
  readonly resource: Resource<T>;
  readonly store: Store<T>;
  readonly selection: Selection;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly onState: (kind: string, state: ReflectorState['kind']) => void;
  readonly onBug: (error: unknown) => void;
}

export interface WatchedKind {
  readonly resource: Resource<KubeObject>;
  readonly state: () => ReflectorState;
  /** At the first answer that says something about the kind, be it that it is not served. */
  readonly settled: Promise<unknown>;
  /** Its CRD has arrived. */
  readonly wake: () => void;
  /** Its CRD is gone, and with it every object, whether or not a watch was there to see them go. */
  readonly empty: () => void;
}

export function watchKind<T extends KubeObject>(options: KindOptions<T>): WatchedKind {
  const { session, resource, store, selection, signal, log, onState, onBug } = options;
  let last: ReflectorState['kind'] | undefined;
  const reflection = reflect<T>({
    session,
    resource,
    store,
    ...selection,
    signal,
    onBug,
    onState: (state) => {
      onState(resource.kind, state.kind);
      if (last !== state.kind) say(log, resource.kind, state);
      last = state.kind;
    },
  });
  return {
    resource,
    state: () => reflection.state,
    settled: reflection.settled,
    wake: () => reflection.wake(),
    empty: () => {
      for (const object of [...store.list()]) store.deleted(object);
    },
  };
}

function say(log: Logger, kind: string, state: ReflectorState): void {
  switch (state.kind) {
    case 'absent':
      log.info({ kind }, 'kind is not served by this API server; it is watched as soon as its CRD arrives');
      break;
    case 'forbidden':
      log.error(
        { kind, message: state.message },
        'not allowed to watch; give the right (deploy/infra/), and it goes on by itself',
      );
      break;
    case 'failing':
      log.warn({ kind, problem: state.problem }, 'watch failed; trying again');
      break;
    case 'listing':
    case 'watching':
      log.debug({ kind, state: state.kind }, 'watch');
      break;
    default:
      state satisfies never;
  }
}
