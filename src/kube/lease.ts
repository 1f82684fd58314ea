// Decides whether this process is the one that may write: client-go's leader election over one Lease. Started by main.ts; `fresh` guards each
// write. Guarantee: two holders never both succeed in writing the Lease, since each update carries the resourceVersion it was judged by.
// Caveat: a holder that was frozen may still believe for an instant; `fresh` is what writes must ask, and it asks both clocks.

import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../api/core.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { apiVersion, leases } from '../api/resources.ts';
import { mayTake, type Sighting, sight } from './lease-age.ts';
import { collectionPath, objectPath } from './paths.ts';
import { type KubeProblem, unavailable } from './problem.ts';
import { received } from './received.ts';
import type { Session } from './session.ts';

export interface LeaseOptions {
  readonly session: Session;
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process. */
  readonly identity: string;
  /** How long others wait after they last saw us renew. */
  readonly leaseMs: number;
  /** How long we believe in it after our last successful renewal; less than `leaseMs`. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  /** What is known of the present holder already: its time runs from then. */
  readonly sighted?: Sighting;
  /** Ends the contest at once, without `onLost` and without release: what was held stays fresh for the rest of its time, so that work may end. */
  readonly signal: AbortSignal;
  onHeld(): void;
  /** At most once, and never after `release` or the signal. Nothing more happens after it. */
  onLost(why: string): void;
  /** An attempt failed for another reason than that someone else holds the Lease. */
  readonly onProblem?: (problem: KubeProblem) => void;
}

export interface HeldLease {
  readonly held: boolean;
  /** The last successful renewal is younger than `renewDeadlineMs`, by the monotonic and by the wall clock. */
  fresh(): boolean;
  /** Ends the contest; if we hold the Lease, empties it, so that the next candidate need not wait. */
  release(): Promise<void>;
  /** Resolves when the contest is over: lost, released or aborted. Rejects only when a callback threw. */
  readonly done: Promise<void>;
}

/** Starts at once. */
export function holdLease(options: LeaseOptions): HeldLease {
  const contest = new Contest(options);
  const done = contest.run();
  return {
    get held() {
      return contest.held;
    },
    fresh: () => contest.fresh(),
    release: async () => {
      contest.stop();
      await done;
      await contest.giveUp();
    },
    done,
  };
}

type Attempt =
  | { readonly kind: 'ours' }
  | { readonly kind: 'theirs'; readonly holder: string }
  | { readonly kind: 'failed'; readonly problem: KubeProblem };

class Contest {
  held = false;
  readonly #options: LeaseOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #renewed = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  #last: Lease | undefined;
  #sighting: Sighting | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#sighting = options.sighted;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  stop(): void {
    this.held = false;
    this.#stop.abort();
  }

  fresh(): boolean {
    const { renewDeadlineMs } = this.#options;
    const { monotonic, wall } = this.#renewed;
    return this.held && performance.now() - monotonic < renewDeadlineMs && Date.now() - wall < renewDeadlineMs;
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const attempt = await this.#attempt();
      if (this.#signal.aborted) break;
      if (attempt.kind === 'ours' && !this.held) {
        this.held = true;
        this.#options.onHeld();
      }
      if (attempt.kind === 'failed') this.#options.onProblem?.(attempt.problem);
      const why = this.#whyLost(attempt);
      if (why !== undefined) {
        this.held = false;
        this.#options.onLost(why);
        return;
      }
      // A little jitter parts candidates that started together.
      await delay(this.#options.retryMs * (1 + 0.2 * Math.random()), undefined, { signal: this.#signal }).catch(
        () => undefined,
      );
    }
  }

  /** After `run` has ended. Looks even if we never knew that we held it: an attempt may have been cut off after the server took it. */
  async giveUp(): Promise<void> {
    const { session, namespace, name, identity } = this.#options;
    const path = objectPath(leases, { namespace, name });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const read = await session.request<unknown>({ method: 'GET', path, timeoutMs: this.#timeoutMs });
      const lease = read.ok ? leaseOf(read.value) : undefined;
      if (lease?.spec.holderIdentity !== identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(Date.now()) };
      const body = { ...lease, spec };
      const written = await session.request({ method: 'PUT', path, body, timeoutMs: this.#timeoutMs });
      if (written.ok || written.problem.kind !== 'conflict') return;
    }
  }

  #whyLost(attempt: Attempt): string | undefined {
    if (!this.held || attempt.kind === 'ours') return undefined;
    if (attempt.kind === 'theirs') return `the lease was taken by ${attempt.holder}`;
    return this.fresh() ? undefined : `not renewed in time: ${attempt.problem.message}`;
  }

  get #timeoutMs(): number {
    return Math.max(1000, Math.min(5000, this.#options.renewDeadlineMs / 2));
  }

  async #attempt(): Promise<Attempt> {
    const { namespace, name } = this.#options;
    // Before anything is sent: the age of our claim counts from here.
    const before = { monotonic: performance.now(), wall: Date.now() };
    if (this.held && this.#last !== undefined) {
      const renewed = await this.#write('PUT', this.#last, before);
      if (renewed.ok) return { kind: 'ours' };
      if (renewed.problem.kind !== 'conflict' && renewed.problem.kind !== 'notFound') return failed(renewed);
    }
    const path = objectPath(leases, { namespace, name });
    const read = await this.#ask('GET', path);
    if (!read.ok && read.problem.kind !== 'notFound') return failed(read);
    if (!read.ok) return this.#outcome(await this.#write('POST', undefined, before));
    const now = performance.now();
    this.#sighting = sight(this.#sighting, read.value, now);
    if (!mayTake(read.value, this.#sighting, this.#options.identity, now)) {
      return { kind: 'theirs', holder: read.value.spec.holderIdentity ?? '' };
    }
    return this.#outcome(await this.#write('PUT', read.value, before));
  }

  /** Someone was faster: the next look will say who. */
  #outcome(written: Reply<Lease, KubeProblem>): Attempt {
    if (written.ok) return { kind: 'ours' };
    const raced = written.problem.kind === 'conflict' || written.problem.kind === 'alreadyExists';
    return raced && !this.held ? { kind: 'theirs', holder: 'another candidate' } : failed(written);
  }

  async #write(
    method: 'POST' | 'PUT',
    present: Lease | undefined,
    before: { readonly monotonic: number; readonly wall: number },
  ): Promise<Reply<Lease, KubeProblem>> {
    const { namespace, name, identity, leaseMs } = this.#options;
    const ref = { namespace, name };
    const path = method === 'POST' ? collectionPath(leases, namespace) : objectPath(leases, ref);
    const now = microTime(before.wall);
    const mine = present?.spec.holderIdentity === identity;
    const body: Lease = {
      apiVersion: apiVersion(leases),
      kind: leases.kind,
      metadata: present?.metadata ?? ref,
      spec: {
        ...present?.spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.max(1, Math.ceil(leaseMs / 1000)),
        renewTime: now,
        acquireTime: mine ? (present.spec.acquireTime ?? now) : now,
        leaseTransitions: (present?.spec.leaseTransitions ?? 0) + (mine || present === undefined ? 0 : 1),
      },
    };
    const answer = await this.#ask(method, path, body);
    if (answer.ok) {
      this.#last = answer.value;
      this.#renewed = before;
    }
    return answer;
  }

  async #ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: Lease): Promise<Reply<Lease, KubeProblem>> {
    const request = { method, path, timeoutMs: this.#timeoutMs, signal: this.#signal };
    const answer = await this.#options.session.request<unknown>(body === undefined ? request : { ...request, body });
    if (!answer.ok) return answer;
    const lease = leaseOf(answer.value);
    return lease === undefined
      ? { ok: false, problem: unavailable(`what came for ${path} is no Lease`) }
      : { ok: true, value: lease };
  }
}

function failed(answer: { readonly problem: KubeProblem }): Attempt {
  return { kind: 'failed', problem: answer.problem };
}

/** A Lease may come without a spec: someone made it by hand. */
function leaseOf(raw: unknown): Lease | undefined {
  const lease = received<KubeObject & Partial<Pick<Lease, 'spec'>>>(raw, leases);
  return lease === undefined ? undefined : { ...lease, spec: lease.spec ?? {} };
}

/** MicroTime: the API server refuses any other number of fractional digits than six. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
