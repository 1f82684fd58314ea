// What the account certway-pull-secrets sees and does: one watch of our copies per namespace that is given any, and their writes. Infra's own account
// has no right on these Secrets. Made by main-infra.ts; used by spaces.ts.

import type { Secret } from '../api/core.ts';
import { infraManagedBy, infraManager } from '../api/gateway-infra.ts';
import { labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { Wanted } from '../infra/wanted.ts';
import { kubeClient } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { type Reflection, reflect } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import { keyOf, Store } from '../kube/store.ts';

export type CopiesSeen =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'forbidden'; readonly message: string }
  /** Every copy that infra made there, for this GatewayInfra or one before it. */
  | { readonly kind: 'ready'; readonly copies: readonly Secret[] };

export interface PullSecrets {
  /** The first call begins to watch; the namespace is woken when the answer changes. */
  copies(namespace: string): CopiesSeen;
  /** The right was given there a moment ago: what was forbidden is tried again. */
  granted(namespace: string): void;
  /** None is wanted there any more. */
  release(namespace: string): void;
  /** `foreign`: a Secret of that name stands that is not ours; it is left alone. */
  apply(copy: Wanted): Promise<Reply<'written' | 'foreign', KubeProblem>>;
  /** What is gone already counts as removed. */
  remove(copy: Secret): Promise<Reply<undefined, KubeProblem>>;
}

export interface PullSecretOptions {
  /** As that account. */
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly wake: (namespace: string) => void;
  readonly onBug: (error: unknown) => void;
}

interface Watched {
  readonly store: Store<Secret>;
  readonly reflection: Reflection;
  readonly ending: AbortController;
}

const ours = `${labels.managedBy}=${infraManagedBy}`;

export function pullSecrets(options: PullSecretOptions): PullSecrets {
  const { session } = options;
  const kube = kubeClient(session);
  const watched = new Map<string, Watched>();
  const storeOf = (namespace: string | undefined) => watched.get(namespace ?? '')?.store;
  return {
    copies: (namespace) => {
      const found = watched.get(namespace) ?? begin(options, namespace);
      watched.set(namespace, found);
      const { state } = found.reflection;
      if (state.kind === 'forbidden') return { kind: 'forbidden', message: state.message };
      return found.store.synced ? { kind: 'ready', copies: [...found.store.list()] } : { kind: 'waiting' };
    },
    granted: (namespace) => watched.get(namespace)?.reflection.wake(),
    release: (namespace) => {
      watched.get(namespace)?.ending.abort();
      watched.delete(namespace);
    },
    apply: async ({ object }) => {
      const { namespace } = object.metadata;
      if (storeOf(namespace)?.get(keyOf(object)) === undefined) {
        const there = await kube.get(secrets, object.metadata);
        if (there.ok && there.value.metadata.labels?.[labels.managedBy] !== infraManagedBy) {
          return { ok: true, value: 'foreign' };
        }
        if (!there.ok && there.problem.kind !== 'notFound') return there;
      }
      const applied = await kube.apply(secrets, object, { fieldManager: infraManager, force: true });
      if (!applied.ok) return applied;
      storeOf(namespace)?.note(applied.value);
      return { ok: true, value: 'written' };
    },
    remove: async (copy) => {
      const { uid, resourceVersion } = copy.metadata;
      const only = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
      const gone = await kube.delete(secrets, copy.metadata, only);
      if (!gone.ok && gone.problem.kind !== 'notFound') return gone;
      storeOf(copy.metadata.namespace)?.forget(copy);
      return { ok: true, value: undefined };
    },
  };
}

function begin({ session, signal, wake, onBug }: PullSecretOptions, namespace: string): Watched {
  const store = new Store<Secret>({ onBug });
  const ending = new AbortController();
  store.subscribe((change) => {
    if (change.origin !== 'own') wake(namespace);
  });
  const reflection = reflect<Secret>({
    session,
    resource: secrets,
    store,
    namespace,
    labelSelector: ours,
    signal: AbortSignal.any([signal, ending.signal]),
    onBug,
    onState: (state) => {
      if (state.kind === 'watching' || state.kind === 'forbidden') wake(namespace);
    },
  });
  return { store, reflection, ending };
}
