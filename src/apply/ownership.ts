// Watches who issues in this cluster and holds cert-manager's Lease while it is us. Started by main.ts in every replica, so that a new leader
// knows for how long a holder has been silent; only the leader seeks the Lease. Who issues is decided in plan/ownership.ts.
// Our identity on that Lease is the name of our own Lease, not of a replica: our replicas exclude each other by theirs, so the next leader
// takes over at once, and a cert-manager in waiting never comes between two of them. For the same reason it is not released at the end.

import type { LeadershipConfig } from '../kube/leadership.ts';
import { type HeldLease, holdLease } from '../kube/lease.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Session } from '../kube/session.ts';
import { decideOwnership, type IssuanceWish, type OwnershipDecision, type OwnershipSeen } from '../plan/ownership.ts';
import { type Outcome, WorkQueue } from '../queue/work-queue.ts';
import { type OwnershipSight, watchOwners } from './ownership-sight.ts';

export interface OwnershipConfig {
  readonly wish: IssuanceWish;
  /** cert-manager's. */
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly takeoverAfterMs?: number;
}

export type OwnershipMode = 'issuing' | 'leaving' | 'stopped';

export interface Standing {
  readonly mode: OwnershipMode;
  readonly decision: OwnershipDecision;
}

export interface OwnershipOptions {
  readonly session: Session;
  readonly config: OwnershipConfig;
  /** Our own; its times hold for cert-manager's Lease too. */
  readonly lease: LeadershipConfig;
  readonly signal: AbortSignal;
  /** Only while this replica leads, when the mode or its reason has changed: what issues may run from `issuing` on, until the next. */
  onChange(standing: Standing): void;
  /** Resolves when nothing that issues runs any more: only then is the Lease let go. */
  idle(): Promise<void>;
  onProblem(problem: KubeProblem): void;
  onBug(error: unknown): void;
}

export interface Ownership extends AsyncDisposable {
  readonly mode: OwnershipMode;
  /** A sentence; empty while issuing. */
  readonly why: string;
  /** Asked before each write and each POST that is part of issuing. */
  mayIssue(): boolean;
  /** A cert-manager that is at work, and since when (epoch ms, by its clock). */
  rival(): { readonly since: number } | undefined;
  /** This replica leads from now on. */
  lead(): void;
  /** A sign that somebody else issues: the quiet before a takeover begins anew. */
  disturbed(): void;
}

const key = 'issuance';
const atStart: OwnershipDecision = { kind: 'leave', about: 'start', why: 'This replica does not lead.' };

/** Watches at once. `signal` ends it; the Lease is then left to run out. */
export function watchOwnership(options: OwnershipOptions): Ownership {
  return new Watcher(options);
}

class Watcher implements Ownership {
  #standing: Standing = { mode: 'leaving', decision: atStart };
  #leads = false;
  #hold: HeldLease | undefined;
  #refused: string | undefined;
  readonly #options: OwnershipOptions;
  readonly #identity: string;
  readonly #queue: WorkQueue;
  readonly #sight: OwnershipSight;

  constructor(options: OwnershipOptions) {
    const { session, signal, onBug, config } = options;
    this.#options = options;
    this.#identity = `${options.lease.namespace}/certway-controller`;
    this.#queue = new WorkQueue({ concurrency: 1, run: () => this.#turn(), onError: (_, error) => onBug(error) });
    const watched = { session, signal, onBug, lease: config.lease, identity: this.#identity };
    this.#sight = watchOwners({ ...watched, onSeen: () => this.#wake() });
  }

  get mode(): OwnershipMode {
    return this.#standing.mode;
  }

  get why(): string {
    const { decision } = this.#standing;
    return decision.kind === 'issue' ? '' : decision.why;
  }

  mayIssue(): boolean {
    return this.#standing.mode === 'issuing' && this.#hold?.fresh() === true;
  }

  rival(): { readonly since: number } | undefined {
    const [other] = this.#sight.others();
    return other === undefined ? undefined : { since: other.acquiredAt };
  }

  lead(): void {
    this.#leads = true;
    this.#wake();
  }

  disturbed(): void {
    if (this.mode !== 'issuing') this.#sight.disturbed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    await this.#hold?.done;
  }

  #wake(): void {
    this.#queue.add(key);
  }

  /** Level-triggered: whatever has happened, look at all of it, decide, act. */
  async #turn(): Promise<Outcome> {
    if (!this.#leads || this.#options.signal.aborted) return { kind: 'settled' };
    const decision = decideOwnership(this.#see());
    switch (decision.kind) {
      case 'issue':
        this.#stand('issuing', decision);
        break;
      case 'seek':
        this.#stand('leaving', decision);
        this.#hold ??= this.#seek();
        break;
      case 'leave':
      case 'stop':
        this.#stand(decision.kind === 'leave' ? 'leaving' : 'stopped', decision);
        await this.#letGo();
        break;
      default:
        return decision satisfies never;
    }
    const quietMs =
      decision.kind === 'leave' ? (decision.againMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    const inMs = Math.min(this.#sight.nextMs(), quietMs);
    return Number.isFinite(inMs) ? { kind: 'revisit', at: Date.now() + Math.ceil(inMs) + 1 } : { kind: 'settled' };
  }

  #see(): OwnershipSeen {
    const { wish, takeoverAfterMs } = this.#options.config;
    const asked = { wish, ...(takeoverAfterMs !== undefined && { takeoverAfterMs }) };
    return { ...asked, ...this.#sight.facts(), hold: this.#seeHold(), last: this.#standing.decision.kind };
  }

  #seeHold(): OwnershipSeen['hold'] {
    if (this.#hold?.held === true) return { kind: 'held' };
    return this.#refused === undefined ? { kind: 'none' } : { kind: 'refused', message: this.#refused };
  }

  #stand(mode: OwnershipMode, decision: OwnershipDecision): void {
    const [before, why] = [this.#standing, this.why];
    this.#standing = { mode, decision };
    if (before.mode !== mode || why !== this.why) this.#options.onChange(this.#standing);
  }

  #seek(): HeldLease {
    const { session, signal, lease, config } = this.#options;
    const { leaseMs, renewDeadlineMs, retryMs } = lease;
    const sighted = this.#sight.sighting();
    const hold: HeldLease = holdLease({
      ...{ session, signal, leaseMs, renewDeadlineMs, retryMs, ...config.lease, identity: this.#identity },
      ...(sighted !== undefined && { sighted }),
      onHeld: () => {
        this.#refused = undefined;
        this.#wake();
      },
      onLost: () => {
        if (this.#hold === hold) this.#hold = undefined;
        this.#wake();
      },
      onProblem: (problem) => this.#troubled(problem),
    });
    return hold;
  }

  /** A refusal stays until it is lifted, and is told once. */
  #troubled(problem: KubeProblem): void {
    const isKnown = problem.kind === 'forbidden' && this.#refused === problem.message;
    if (!isKnown) this.#options.onProblem(problem);
    if (problem.kind !== 'forbidden' || isKnown) return;
    this.#refused = problem.message;
    this.#wake();
  }

  async #letGo(): Promise<void> {
    const held = this.#hold;
    if (held === undefined) return;
    // What is under way meets refusals and ends; until then nobody else may begin.
    await this.#options.idle();
    this.#hold = undefined;
    await held.release();
  }
}
