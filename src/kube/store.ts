// The local copy of one kind. Written by reflectors and, right after our own writes, by apply/; read by everything that observes.
// Guarantees: a reader never sees half a list; an object never goes back in time; what was deleted never comes back in a version from before.

import type { KubeObject, ObjectMeta } from '../api/meta.ts';
import { Indexes, type IndexFunctions } from './indexes.ts';
import { compareVersions } from './received.ts';

/** `list`: from a (re)list; `watch`: live; `own`: noted after a write of ours. */
export type Origin = 'list' | 'watch' | 'own';

export type Change<T> =
  | {
      readonly kind: 'applied';
      readonly key: string;
      readonly object: T;
      readonly previous?: T;
      readonly origin: Origin;
    }
  | { readonly kind: 'removed'; readonly key: string; readonly previous: T; readonly origin: Origin };

export interface StoreOptions<T> {
  /** Each function names the values under which an object is found again by `by(index, value)`. */
  readonly indexes?: IndexFunctions<T>;
  /** `metadata`: whatever is put in, nothing but its metadata is kept. */
  readonly content?: 'whole' | 'metadata';
  /** A subscriber or an index function threw. The store goes on. Default: a process warning. */
  readonly onBug?: (error: unknown) => void;
}

// uids are never reused, so forgetting the oldest is safe once its events have passed.
const rememberedDeletions = 4096;

/** "namespace/name", or "name" for cluster-scoped kinds. */
export function keyOf(object: { readonly metadata: ObjectMeta }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export class Store<T extends KubeObject> {
  #objects = new Map<string, T>();
  #synced = false;
  readonly #indexes: Indexes<T>;
  readonly #content: 'whole' | 'metadata';
  readonly #onBug: (error: unknown) => void;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  /** By uid: the version since which it is gone; undefined where no later one may bring it back. */
  readonly #deleted = new Map<string, string | undefined>();
  readonly #arrival = Promise.withResolvers<void>();

  constructor(options: StoreOptions<T> = {}) {
    this.#onBug = options.onBug ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)));
    this.#indexes = new Indexes(options.indexes ?? {}, this.#onBug);
    this.#content = options.content ?? 'whole';
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): Iterable<T> {
    return this.#objects.values();
  }

  /** Throws for an index that was not declared. */
  by(index: string, value: string): readonly T[] {
    return this.#indexes.find(index, value);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** True once the first list is in. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Rejects when `signal` fires first. */
  async whenSynced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return;
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#arrival.promise, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Returns what ends the subscription. Listeners run synchronously, after the change is visible; they must not block. */
  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The answer to a write of ours, ahead of its watch event, which will then be ignored. */
  note(object: T): void {
    this.applied(object, 'own');
  }

  /** A delete of ours that the server confirmed. An object with finalizers stays until the server says it is gone. */
  forget(object: T): void {
    if ((object.metadata.finalizers ?? []).length > 0) return;
    const present = this.#objects.get(keyOf(object));
    this.#rememberDeletion(object, undefined);
    if (present !== undefined && present.metadata.uid === object.metadata.uid) this.#remove(present, 'own');
  }

  /** For the reflector: one event of a watch. Older than or equal to what we have: ignored. */
  applied(object: T, origin: 'watch' | 'own' = 'watch'): void {
    const change = this.#put(object, origin);
    if (change !== undefined) this.#emit(change);
  }

  /** For the reflector. Ignored when something newer stands under that name. What only left a selector may come back in a newer version. */
  deleted(object: T): void {
    this.#rememberDeletion(object, object.metadata.resourceVersion);
    const present = this.#objects.get(keyOf(object));
    if (present === undefined || isNewer(present, object.metadata.resourceVersion)) return;
    this.#remove(present, 'watch');
  }

  /** For the reflector: a complete list replaces what we had of that scope at once; what we noted after the list was read survives. */
  swap(items: readonly T[], resourceVersion: string, namespace?: string): void {
    const listed = new Set(items.map(keyOf));
    const changes: Change<T>[] = [];
    for (const [key, object] of this.#objects) {
      const inScope = namespace === undefined || object.metadata.namespace === namespace;
      if (!inScope || listed.has(key) || isNewer(object, resourceVersion)) continue;
      this.#rememberDeletion(object, resourceVersion);
      this.#drop(key);
      changes.push({ kind: 'removed', key, previous: object, origin: 'list' });
    }
    for (const item of items) {
      const change = this.#put(item, 'list');
      if (change !== undefined) changes.push(change);
    }
    this.#synced = true;
    for (const change of changes) this.#emit(change);
    this.#arrival.resolve();
  }

  /** When a namespace is no longer watched: its objects go, and would be accepted again. */
  drop(namespace: string): void {
    const gone = [...this.#objects].filter(([, object]) => object.metadata.namespace === namespace);
    for (const [key] of gone) this.#drop(key);
    for (const [key, previous] of gone) this.#emit({ kind: 'removed', key, previous, origin: 'list' });
  }

  #put(given: T, origin: Origin): Change<T> | undefined {
    const key = keyOf(given);
    const previous = this.#objects.get(key);
    if (this.#isGone(given)) return undefined;
    if (previous !== undefined && !isNewer(given, previous.metadata.resourceVersion)) return undefined;
    const object = this.#trim(given);
    this.#objects.set(key, object);
    this.#indexes.put(key, object);
    return previous === undefined
      ? { kind: 'applied', key, object, origin }
      : { kind: 'applied', key, object, previous, origin };
  }

  #remove(present: T, origin: Origin): void {
    const key = keyOf(present);
    this.#drop(key);
    this.#emit({ kind: 'removed', key, previous: present, origin });
  }

  #drop(key: string): void {
    this.#objects.delete(key);
    this.#indexes.remove(key);
  }

  #isGone({ metadata: { uid, resourceVersion } }: T): boolean {
    if (uid === undefined || !this.#deleted.has(uid)) return false;
    const since = this.#deleted.get(uid);
    return since === undefined || resourceVersion === undefined || compareVersions(resourceVersion, since) <= 0;
  }

  #rememberDeletion({ metadata: { uid } }: T, since: string | undefined): void {
    if (uid === undefined || (this.#deleted.has(uid) && this.#deleted.get(uid) === undefined)) return;
    this.#deleted.set(uid, since);
    const [oldest] = this.#deleted.keys();
    if (this.#deleted.size > rememberedDeletions && oldest !== undefined) this.#deleted.delete(oldest);
  }

  #trim(object: T): T {
    if (this.#content === 'whole') return Object.freeze(object);
    const { apiVersion, kind, metadata } = object;
    return Object.freeze({ apiVersion, kind, metadata }) as T;
  }

  #emit(change: Change<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#onBug(error);
      }
    }
  }
}

function isNewer(object: KubeObject, than: string | undefined): boolean {
  const own = object.metadata.resourceVersion;
  return own === undefined || than === undefined || compareVersions(own, than) > 0;
}
