// The desk of one CA: its ledger, and the line of the orders that wait for their turn. Decides anew when somebody comes, an order ends or a unit is free
// again, several events at a time, and wakes who may go. Kept by budgets.ts; everything is in the CA's time, epoch ms.

import type { Ask } from '../budget/ask.ts';
import { Ledger } from '../budget/ledger.ts';
import type { Limits } from '../budget/limits.ts';
import { decide, type LineWait } from '../budget/line.ts';
import { noRounds, type Rounds } from '../budget/rounds.ts';

export type Place =
  | { readonly kind: 'admitted' }
  /** `since`: how long it has stood in line. */
  | { readonly kind: 'waiting'; readonly wait: LineWait; readonly since: number }
  /** Its Order is gone, or this process ends. */
  | { readonly kind: 'gone' };

export interface DeskOptions {
  readonly limits: Limits;
  readonly now: () => number;
  /** An order begins to wait. */
  onWait(wait: LineWait): void;
  onBug(error: unknown): void;
}

interface Applicant {
  readonly ask: Ask;
  readonly wake: () => void;
  readonly since: number;
  wait?: LineWait;
  /** Of a turn that still holds on for the answer. */
  answers: ((place: Place) => void)[];
}

/** `stepAt`: since when it does what it does. */
interface Admission {
  readonly at: number;
  readonly step: 'looks' | 'asks';
  readonly stepAt: number;
}

/** Who comes within so long of each other is looked at together, ms. */
const gatherMs = 5;
/** No timer sleeps longer: clocks are set, and machines sleep. */
const longestSleepMs = 60_000;
/** An admitted order that has not asked the CA by then will not: something else stands in its way. It comes again when that is over. */
const admissionMs = 180_000;
/** So few ask at once that a refusal is heard before many more have asked; whoever has not asked in so long does not count. */
const mostAsking = 4;
const askingMs = 5_000;
/** Who has stood here for longer looks at its paths again before it asks (order/clearance.ts): so many may do that beside those that ask. */
const staleMs = 60_000;
const mostLooking = 12;

export class Desk implements Disposable {
  readonly ledger: Ledger;
  readonly #options: DeskOptions;
  readonly #line = new Map<string, Applicant>();
  /** Admitted ones of which the CA has not heard yet. */
  readonly #admitted = new Map<string, Admission>();
  #rounds: Rounds = noRounds;
  #timer: { readonly handle: NodeJS.Timeout; readonly at: number } | undefined;
  #costMs = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.ledger = new Ledger(options.limits);
  }

  /** The answer comes within milliseconds; whoever has to wait is woken when it is his turn. */
  ask(ask: Ask, wake: () => void): Promise<Place> | Place {
    const now = this.#options.now();
    if (this.ledger.isReserved(ask.id)) {
      if (this.#isStill(ask, now)) {
        const admission = this.#admitted.get(ask.id);
        if (admission !== undefined) this.#admitted.set(ask.id, { ...admission, step: 'asks', stepAt: now });
        return { kind: 'admitted' };
      }
      this.ledger.release(ask.id);
      this.#admitted.delete(ask.id);
    }
    const { promise, resolve } = Promise.withResolvers<Place>();
    const last = this.#line.get(ask.id);
    this.#line.set(ask.id, {
      ask,
      wake,
      since: last?.since ?? now,
      ...(last?.wait !== undefined && { wait: last.wait }),
      answers: [...(last?.answers ?? []), resolve],
    });
    // Nobody has to be weighed against anybody where nothing is known to bind.
    if (this.ledger.usesOf(ask).every(({ rate }) => rate === undefined)) this.#decide([ask], Number.POSITIVE_INFINITY);
    else this.changed();
    return promise;
  }

  /** What the line knows of the order; undefined for one that does not stand in it. */
  place(id: string): Place | undefined {
    if (this.#admitted.has(id)) return { kind: 'admitted' };
    const applicant = this.#line.get(id);
    return applicant?.wait === undefined
      ? undefined
      : { kind: 'waiting', wait: applicant.wait, since: applicant.since };
  }

  waiting(): Iterable<Ask> {
    return [...this.#line.values()].map(({ ask }) => ask);
  }

  /** The CA has heard of it, or may have. */
  spent(id: string): void {
    this.#admitted.delete(id);
    this.changed();
  }

  /** It does not ask the CA, now at least: what was kept for it is anybody's. */
  leave(id: string): void {
    for (const answer of this.#line.get(id)?.answers ?? []) answer({ kind: 'gone' });
    this.#line.delete(id);
    this.#admitted.delete(id);
    this.ledger.release(id);
    this.changed();
  }

  /** Something is free, or not free any more: the line is looked at in a moment. */
  changed(): void {
    if (this.#line.size > 0) this.#sleep(Math.max(gatherMs, 4 * this.#costMs));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer?.handle);
    for (const { answers } of this.#line.values()) for (const answer of answers) answer({ kind: 'gone' });
    this.#line.clear();
  }

  /** What the CA has said since may have closed the door again, for one that has not begun to go through it. */
  #isStill(ask: Ask, now: number): boolean {
    return !this.#admitted.has(ask.id) || this.ledger.barrier(ask, now) === undefined;
  }

  #decide(asks: readonly Ask[], room: number): void {
    const now = this.#options.now();
    const { admitted, waits, rounds, wakeAt } = decide(this.ledger, asks, this.#rounds, now, room);
    this.#rounds = rounds;
    for (const ask of admitted) this.#admit(ask, now);
    for (const [id, wait] of waits) this.#hold(id, wait);
    if (this.#line.size === 0) return;
    const longest = admitted.length < room ? longestSleepMs : askingMs;
    this.#sleep(Math.max(gatherMs, Math.min(longest, (wakeAt ?? Number.POSITIVE_INFINITY) - now)));
  }

  #room(): number {
    const now = this.#options.now();
    const busy = (wanted: Admission['step']) =>
      this.#admitted
        .values()
        .filter(({ step, stepAt }) => step === wanted && now - stepAt < askingMs)
        .toArray().length;
    return Math.max(0, Math.min(mostAsking - busy('asks'), mostLooking - busy('looks')));
  }

  #admit(ask: Ask, now: number): void {
    const applicant = this.#line.get(ask.id);
    if (applicant === undefined) return;
    this.ledger.again(ask.id);
    this.ledger.reserve(ask, now);
    const step = now - applicant.since > staleMs ? 'looks' : 'asks';
    this.#admitted.set(ask.id, { at: now, step, stepAt: now });
    this.#line.delete(ask.id);
    if (applicant.answers.length === 0) applicant.wake();
    for (const answer of applicant.answers) answer({ kind: 'admitted' });
  }

  #hold(id: string, wait: LineWait): void {
    const applicant = this.#line.get(id);
    if (applicant === undefined) return;
    if (applicant.wait === undefined) this.#options.onWait(wait);
    applicant.wait = wait;
    const { answers, since } = applicant;
    applicant.answers = [];
    for (const answer of answers) answer({ kind: 'waiting', wait, since });
  }

  #sleep(ms: number): void {
    const at = performance.now() + ms;
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = { at, handle: setTimeout(() => this.#wake(), ms) };
  }

  #wake(): void {
    this.#timer = undefined;
    const begun = performance.now();
    try {
      this.#expire();
      this.ledger.loosen(this.#options.now());
      this.#decide(
        [...this.#line.values()].map(({ ask }) => ask),
        this.#room(),
      );
    } catch (error) {
      this.#options.onBug(error);
      this.#sleep(longestSleepMs);
    }
    this.#costMs = performance.now() - begun;
  }

  #expire(): void {
    const now = this.#options.now();
    for (const [id, { at }] of this.#admitted) {
      if (now - at < admissionMs) continue;
      this.#admitted.delete(id);
      this.ledger.release(id);
    }
  }
}
