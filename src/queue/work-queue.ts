// Decides which key is worked on next. The semantics are client-go's: a key waits at most once, never runs twice at the same time, and an add
// during its run makes it run once more. Filled by store subscriptions, emptied by apply/'s reconcile; wired in main.ts.

import { type Backoff, backoffMs } from '../kube/backoff.ts';
import { Delays } from './delays.ts';
import { Lane } from './lane.ts';

export type Outcome =
  | { readonly kind: 'settled' }
  /** Again at that instant, epoch ms. */
  | { readonly kind: 'revisit'; readonly at: number }
  /** Again after a back-off that grows with each retry in a row. */
  | { readonly kind: 'retry'; readonly why: string };

/** `initial`: from a list, at start; every `live` key goes first. */
export type Priority = 'live' | 'initial';

export interface WorkQueueOptions {
  readonly concurrency: number;
  run(key: string): Promise<Outcome>;
  /** `run` threw: a bug. The key is retried with back-off. */
  onError(key: string, error: unknown): void;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly backoff?: Backoff;
}

export interface AddOptions {
  readonly priority?: Priority;
  /** Not before that instant, epoch ms; in the past: at once. Several instants for one key: the earliest holds. */
  readonly at?: number;
}

const standardBackoff: Backoff = { baseMs: 200, maxMs: 300_000 };
// Instants are the wall clock's, timers are not: looking again each minute follows a clock that was set, and stays below setTimeout's 2^31 ms.
const longestTimerMs = 60_000;

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #now: () => number;
  readonly #lanes = { live: new Lane(), initial: new Lane() };
  readonly #delays = new Delays();
  readonly #running = new Map<string, Priority>();
  /** Added while running. */
  readonly #dirty = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  #timer: { readonly handle: NodeJS.Timeout; readonly at: number } | undefined;
  #waiters: (() => void)[] = [];
  #open = true;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  add(key: string, { priority = 'live', at }: AddOptions = {}): void {
    if (!this.#open) return;
    if (at !== undefined && at > this.#now()) {
      this.#delays.put(key, at, priority);
      this.#arm();
      return;
    }
    this.#ready(key, priority);
    this.#start();
  }

  /** Keys that could run now, were there room. */
  get depth(): number {
    return this.#lanes.live.size + this.#lanes.initial.size + this.#dirty.size;
  }

  /** Keys at work. */
  get active(): number {
    return this.#running.size;
  }

  /** Keys that wait for an instant. */
  get delayed(): number {
    return this.#delays.size;
  }

  /** Resolves when nothing runs and nothing could run now; what waits for an instant does not count. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Takes nothing more, forgets what waits, and resolves when the runs at work have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    this.#disarm();
    this.#lanes.live.clear();
    this.#lanes.initial.clear();
    this.#dirty.clear();
    await this.idle();
  }

  get #isIdle(): boolean {
    return this.#running.size === 0 && this.depth === 0;
  }

  #ready(key: string, priority: Priority): void {
    if (this.#running.has(key)) {
      if (this.#dirty.get(key) !== 'live') this.#dirty.set(key, priority);
      return;
    }
    if (this.#lanes.live.has(key)) return;
    if (priority === 'live') this.#lanes.initial.delete(key);
    this.#lanes[priority].put(key);
  }

  #start(): void {
    while (this.#open && this.#running.size < this.#options.concurrency) {
      const priority: Priority = this.#lanes.live.size > 0 ? 'live' : 'initial';
      const key = this.#lanes[priority].take();
      if (key === undefined) return;
      this.#running.set(key, priority);
      void this.#work(key, priority);
    }
  }

  async #work(key: string, priority: Priority): Promise<void> {
    const outcome = await this.#run(key);
    this.#running.delete(key);
    const again = this.#dirty.get(key);
    this.#dirty.delete(key);
    this.#settle(key, outcome, priority);
    if (again !== undefined && this.#open) this.#ready(key, again);
    this.#start();
    if (!this.#isIdle) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  async #run(key: string): Promise<Outcome> {
    try {
      return await this.#options.run(key);
    } catch (error) {
      this.#report(key, error);
      return { kind: 'retry', why: 'the run threw' };
    }
  }

  #report(key: string, error: unknown): void {
    try {
      this.#options.onError(key, error);
    } catch (cause) {
      process.emitWarning(new Error('the error reporter of a work queue threw', { cause }));
    }
  }

  #settle(key: string, outcome: Outcome, priority: Priority): void {
    switch (outcome.kind) {
      case 'settled':
        this.#failures.delete(key);
        return;
      case 'revisit':
        this.#failures.delete(key);
        this.add(key, { at: outcome.at });
        return;
      case 'retry': {
        const failures = (this.#failures.get(key) ?? 0) + 1;
        this.#failures.set(key, failures);
        const { backoff = standardBackoff, random = Math.random } = this.#options;
        this.add(key, { at: this.#now() + backoffMs(failures, backoff, random), priority });
        return;
      }
      default:
        outcome satisfies never;
    }
  }

  /** One timer, for the earliest of all. */
  #arm(): void {
    const at = this.#delays.earliest;
    if (at === undefined || !this.#open) return;
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#disarm();
    const ms = Math.min(longestTimerMs, Math.max(1, Math.ceil(at - this.#now())));
    this.#timer = { at, handle: setTimeout(() => this.#due(), ms) };
  }

  #disarm(): void {
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
  }

  #due(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (let delay = this.#delays.takeDue(now); delay !== undefined; delay = this.#delays.takeDue(now)) {
      this.#ready(delay.key, delay.priority);
    }
    this.#arm();
    this.#start();
  }
}
