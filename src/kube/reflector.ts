// Keeps a store equal to the server's collection, through everything that sockets and servers do. One per kind (and namespace); started by main.ts.
//
//   position   what happens                                         next position
//   empty      list: complete → swap into the store                 listed(version)
//              list: 404 → absent, 403 → forbidden: wait for wake   empty
//              list: anything else → report, back off               empty
//   listed     watch: events and bookmarks move the version         listed(version)
//              watch: closed in good order → at once                listed(version)
//              watch: 410 → the version is too old                  empty
//              watch: 404, 403 → as for a list                      empty
//              watch: anything else → report, back off, resume      listed(version)

import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resources.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import { listAll, type Selection, selectionOf } from './pages.ts';
import { type KubeProblem, sentenceOf, unavailable } from './problem.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';
import { watchOnce } from './watch.ts';

export type ReflectorState =
  | { readonly kind: 'listing' }
  | { readonly kind: 'watching' }
  /** The kind is not served. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'failing'; readonly problem: KubeProblem; readonly retryAt: number };

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly session: Session;
  readonly resource: Resource<T>;
  readonly store: Store<T>;
  readonly metadataOnly?: boolean;
  readonly signal: AbortSignal;
  /** Called on each change of state and on each new failure. */
  readonly onState?: (state: ReflectorState) => void;
  /** `onState` threw; the reflector goes on. */
  readonly onBug?: (error: unknown) => void;
  readonly timing?: Partial<ReflectorTiming>;
}

export interface ReflectorTiming {
  /** After which the server ends a watch, ±5 %. */
  readonly watchSeconds: number;
  readonly watchGraceMs: number;
  readonly backoff: Backoff;
  /** For how long after a wake a 404 or 403 is asked again: discovery and RBAC caches lag behind the object that woke us. */
  readonly wakeGraceMs: number;
  readonly random: () => number;
}

export interface Reflection {
  /** Resolves when the signal has fired and nothing of this reflector runs any more. Never rejects. */
  readonly done: Promise<void>;
  /** Resolves at the first state that says something about the kind: watching, absent or forbidden (or any other, when aborted). */
  readonly settled: Promise<ReflectorState>;
  readonly state: ReflectorState;
  /** «The kind has arrived», «the right was granted»: ends the waiting of absent and forbidden. Harmless otherwise. */
  wake(): void;
}

type Position = { readonly kind: 'empty' } | { readonly kind: 'listed'; readonly version: string };

const standardTiming: ReflectorTiming = {
  watchSeconds: 290,
  watchGraceMs: 5_000,
  backoff: { baseMs: 800, maxMs: 30_000 },
  wakeGraceMs: 30_000,
  random: Math.random,
};
// A server that closes each watch as soon as it is opened must not be asked in a tight loop.
const shortLifeMs = 1_000;
const empty: Position = { kind: 'empty' };

/** Starts at once. The store is changed by nothing but this and `note`/`forget`. */
export function reflect<T extends KubeObject>(options: ReflectorOptions<T>): Reflection {
  const reflector = new Reflector(options);
  const done = reflector.run();
  return {
    done,
    settled: reflector.settled,
    get state() {
      return reflector.state;
    },
    wake: () => reflector.wake(),
  };
}

class Reflector<T extends KubeObject> {
  state: ReflectorState = { kind: 'listing' };
  readonly #options: ReflectorOptions<T>;
  readonly #timing: ReflectorTiming;
  readonly #content: 'whole' | 'metadata';
  readonly #selection: Selection;
  readonly #settled = Promise.withResolvers<ReflectorState>();
  #established = false;
  #failures = 0;
  #shortLives = 0;
  #wokenAt = Number.NEGATIVE_INFINITY;
  #woken = Promise.withResolvers<void>();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = { ...standardTiming, ...options.timing };
    this.#selection = selectionOf(options);
    this.#content = options.metadataOnly === true ? 'metadata' : 'whole';
  }

  get settled(): Promise<ReflectorState> {
    return this.#settled.promise;
  }

  wake(): void {
    this.#wokenAt = performance.now();
    this.#woken.resolve();
  }

  async run(): Promise<void> {
    let position = empty;
    this.#report(this.state);
    while (!this.#options.signal.aborted) {
      try {
        position = position.kind === 'empty' ? await this.#list() : await this.#watch(position.version);
      } catch (error) {
        this.#options.onBug?.(error);
        position = await this.#fail(unavailable(sentenceOf(error)), empty);
      }
    }
    this.#settled.resolve(this.state);
  }

  async #list(): Promise<Position> {
    const { session, resource, store, namespace, signal } = this.#options;
    // While it fails, or waits for a wake, that stays the state until a list succeeds.
    if (this.state.kind === 'watching') this.#enter({ kind: 'listing' });
    const answer = await listAll(session, resource, { ...this.#selection, content: this.#content, signal });
    if (signal.aborted) return empty;
    if (!answer.ok) return this.#fail(answer.problem, empty);
    this.#failures = 0;
    store.swap(answer.value.items, answer.value.resourceVersion, namespace);
    return { kind: 'listed', version: answer.value.resourceVersion };
  }

  async #watch(from: string): Promise<Position> {
    const { session, resource, store, signal } = this.#options;
    let version = from;
    const startedAt = performance.now();
    const end = await watchOnce({
      ...this.#selection,
      session,
      resource,
      signal,
      content: this.#content,
      from,
      seconds: Math.max(1, Math.round(this.#timing.watchSeconds * (0.95 + 0.1 * this.#timing.random()))),
      graceMs: this.#timing.watchGraceMs,
      onStarted: () => {
        this.#established = true;
        this.#enter({ kind: 'watching' });
      },
      onApplied: (object) => store.applied(object),
      onDeleted: (object) => store.deleted(object),
      onVersion: (next) => {
        version = next;
        this.#failures = 0;
        this.#shortLives = 0;
      },
    });
    const position: Position = { kind: 'listed', version };
    if (signal.aborted) return position;
    if (end.kind === 'failed') return this.#fail(end.problem, position);
    return this.#closed(performance.now() - startedAt, position);
  }

  async #closed(lifeMs: number, position: Position): Promise<Position> {
    this.#failures = 0;
    this.#shortLives = lifeMs < shortLifeMs ? this.#shortLives + 1 : 0;
    if (this.#shortLives > 1) {
      await this.#sleep(backoffMs(this.#shortLives - 1, this.#timing.backoff, this.#timing.random));
    }
    return position;
  }

  async #fail(problem: KubeProblem, position: Position): Promise<Position> {
    switch (problem.kind) {
      case 'gone':
        if (position.kind === 'listed') return empty;
        break;
      case 'notFound':
        await this.#untilWoken({ kind: 'absent' });
        return empty;
      case 'forbidden':
        await this.#untilWoken({ kind: 'forbidden', message: problem.message });
        return empty;
      default:
        break;
    }
    this.#failures += 1;
    const pause = backoffMs(this.#failures, this.#timing.backoff, this.#timing.random);
    const waitMs = problem.kind === 'throttled' ? Math.max(pause, problem.retryAfterMs) : pause;
    this.#enter({ kind: 'failing', problem, retryAt: Date.now() + waitMs });
    await this.#sleep(waitMs);
    return position;
  }

  async #untilWoken(state: ReflectorState): Promise<void> {
    this.#enter(state);
    // An API server that has just started may not know its own RBAC and CRDs yet, so the end of a good watch counts as a wake.
    if (this.#established) this.#wokenAt = performance.now();
    this.#established = false;
    if (performance.now() - this.#wokenAt < this.#timing.wakeGraceMs) {
      this.#failures += 1;
      await this.#sleep(backoffMs(this.#failures, this.#timing.backoff, this.#timing.random));
      return;
    }
    this.#woken = Promise.withResolvers<void>();
    const stop = () => this.#woken.resolve();
    this.#options.signal.addEventListener('abort', stop, { once: true });
    await this.#woken.promise;
    this.#options.signal.removeEventListener('abort', stop);
    this.#failures = 0;
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }

  #enter(state: ReflectorState): void {
    if (state.kind === this.state.kind && state.kind !== 'failing') return;
    this.state = state;
    if (state.kind === 'watching' || state.kind === 'absent' || state.kind === 'forbidden')
      this.#settled.resolve(state);
    this.#report(state);
  }

  #report(state: ReflectorState): void {
    try {
      this.#options.onState?.(state);
    } catch (error) {
      this.#options.onBug?.(error);
    }
  }
}
