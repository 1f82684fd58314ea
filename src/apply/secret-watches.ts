// Metadata-only Secret watches, started when they are first needed: one per namespace that holds a Certificate of ours (label fao), and one per
// Secret that a CA issuer names. A namespace without rights is a state, left when a RoleBinding with our label appears there.

import type { Metadata } from '../api/core.ts';
import { labels } from '../api/names.ts';
import { secretMetadata } from '../api/resources.ts';
import { reflect } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import { Store } from '../kube/store.ts';

export type SecretWatch =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'ready'; readonly store: Store<Metadata> };

export interface SecretWatches {
  /** Our Secrets of a namespace; the first call starts the watch, and `onChange` tells when its answer changes. */
  ours(namespace: string): SecretWatch;
  /** One Secret by name, whoever made it. */
  named(namespace: string, name: string): SecretWatch;
  /** Nothing of ours is left in the namespace. */
  release(namespace: string): void;
  /** Ends the watches of single Secrets there whose names nobody needs any more. */
  retain(namespace: string, isNeeded: (name: string) => boolean): void;
  /** A right was granted in the namespace: try again what was forbidden. */
  granted(namespace: string): void;
  /** When a right was last granted there, epoch ms; 0 if never seen. */
  grantedAt(namespace: string): number;
}

export interface SecretWatchOptions {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly onBug: (error: unknown) => void;
  /** A Secret changed, or the whole watch became usable or forbidden (then `name` is absent). */
  onChange(namespace: string, name: string | undefined, metadata: Metadata | undefined): void;
}

interface Running {
  state: SecretWatch;
  wake(): void;
  stop(): void;
}

export function secretWatches(options: SecretWatchOptions): SecretWatches {
  const running = new Map<string, Running>();
  const grants = new Map<string, number>();
  const start = (namespace: string, name: string | undefined): Running => {
    const store = new Store<Metadata>({ indexes: { owner: ownersOf }, content: 'metadata', onBug: options.onBug });
    const selector =
      name === undefined ? { labelSelector: `${labels.fao}=true` } : { fieldSelector: `metadata.name=${name}` };
    const ending = new AbortController();
    const entry: Running = { state: { kind: 'waiting' }, wake: () => {}, stop: () => ending.abort() };
    const become = (state: SecretWatch) => {
      const changed = entry.state.kind !== state.kind;
      entry.state = state;
      if (changed) options.onChange(namespace, undefined, undefined);
    };
    store.subscribe((change) => {
      const metadata = change.kind === 'applied' ? change.object : undefined;
      // Before the first list is complete nobody has been told anything that a single change could correct.
      if (entry.state.kind === 'ready') options.onChange(namespace, nameOf(change.key), metadata);
    });
    const { wake } = reflect<Metadata>({
      session: options.session,
      resource: secretMetadata,
      namespace,
      ...selector,
      metadataOnly: true,
      store,
      signal: AbortSignal.any([options.signal, ending.signal]),
      onBug: options.onBug,
      onState: (state) => {
        if (state.kind === 'forbidden') become({ kind: 'forbidden', message: state.message });
        if (state.kind === 'watching') become({ kind: 'ready', store });
      },
    });
    entry.wake = wake;
    return entry;
  };
  const get = (namespace: string, name: string | undefined): SecretWatch => {
    const key = name === undefined ? namespace : `${namespace}/${name}`;
    const entry = running.get(key) ?? start(namespace, name);
    running.set(key, entry);
    return entry.state;
  };
  return {
    ours: (namespace) => get(namespace, undefined),
    named: (namespace, name) => get(namespace, name),
    release: (namespace) => {
      running.get(namespace)?.stop();
      running.delete(namespace);
    },
    retain: (namespace, isNeeded) => {
      for (const [key, entry] of running) {
        if (!key.startsWith(`${namespace}/`) || isNeeded(nameOf(key))) continue;
        entry.stop();
        running.delete(key);
      }
    },
    grantedAt: (namespace) => grants.get(namespace) ?? 0,
    granted: (namespace) => {
      grants.set(namespace, options.now());
      for (const [key, entry] of running) if (key === namespace || key.startsWith(`${namespace}/`)) entry.wake();
    },
  };
}

function ownersOf(object: Metadata): readonly string[] {
  return (object.metadata.ownerReferences ?? []).map((owner) => owner.uid);
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
