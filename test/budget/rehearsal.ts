// A controller in miniature before a strict CA: asks arrive, wait, are admitted, reach the CA after a while, and the ledger hears of it after
// another. Everything between a decision and its consequence takes a random time; the controller may be killed and started again.

import type { Ask } from '../../src/budget/ask.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/budget/checkpoint.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import type { Limits } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { type OrderRecord, onTheirWay, replay } from '../../src/budget/replay.ts';
import { noRounds, type Rounds } from '../../src/budget/rounds.ts';
import { type Dice, minute } from './dice.ts';
import type { CaRefusal, StrictCa } from './strict-ca.ts';

export type Fate = 'issues' | 'fails' | 'nothingAsked';

export interface Plan {
  readonly at: number;
  readonly ask: Ask;
  readonly fate: Fate;
}

interface Course extends Plan {
  /** What the object in the cluster would say. */
  record: OrderRecord;
  admittedAt?: number;
  endedAt?: number;
}

export interface RehearsalOptions {
  readonly ca: StrictCa;
  readonly limits: Limits;
  readonly dice: Dice;
  readonly plans: readonly Plan[];
  /** Longest time of each leg between decision, CA and knowledge, ms. */
  readonly lag: number;
  /** Our clock minus the CA's. */
  readonly skew?: number;
  readonly kills?: readonly number[];
  /** How often what is to survive a kill is written down. */
  readonly checkpointEvery?: number;
  /** What an ask that comes now is to the CA; as planned where nobody says. */
  classify?(ask: Ask, now: number): Ask;
}

export class Rehearsal {
  readonly refusals: (CaRefusal & { readonly ask: Ask; readonly at: number })[] = [];
  readonly courses = new Map<string, Course>();
  readonly order: Ask[] = [];
  ledger: Ledger;
  #rounds: Rounds = noRounds;
  #saved = new Map<string, string>();
  #savedAt = 0;
  #life = 0;
  #onTheirWay = 0;
  /** Those that are not known to have asked. */
  readonly #waiting = new Map<string, Ask>();
  #queue: { readonly at: number; readonly life: number | undefined; readonly run: (now: number) => void }[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;
  readonly #options: RehearsalOptions;

  constructor(options: RehearsalOptions) {
    this.#options = options;
    this.ledger = new Ledger(options.limits);
    for (const plan of options.plans) {
      this.#later(plan.at, undefined, (now) => {
        const ask = options.classify?.(plan.ask, now) ?? plan.ask;
        this.courses.set(ask.id, { ...plan, ask, record: { ask, state: 'untold' } });
        this.#waiting.set(ask.id, ask);
      });
    }
    for (const at of options.kills ?? []) this.#later(at, undefined, (now) => this.#restart(now));
  }

  run(until = Number.POSITIVE_INFINITY): this {
    for (;;) {
      const next = this.#queue[0];
      const at = Math.min(next?.at ?? Number.POSITIVE_INFINITY, this.#wakeAt);
      if (!Number.isFinite(at) || at > until) return this;
      if (next !== undefined && next.at <= at) {
        this.#queue.shift();
        if (next.life === undefined || next.life === this.#life) next.run(at);
      }
      // What happens at once is weighed at once.
      if (this.#queue[0]?.at === at) continue;
      this.#decide(at);
      this.#save(at);
    }
  }

  #later(at: number, life: number | undefined, run: (now: number) => void): void {
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.at ?? 0) > at) place -= 1;
    this.#queue.splice(place, 0, { at, life, run });
  }

  #decide(now: number): void {
    const decision = decide(this.ledger, [...this.#waiting.values()], this.#rounds, this.#ours(now));
    this.#rounds = decision.rounds;
    this.#wakeAt =
      decision.wakeAt === undefined ? Number.POSITIVE_INFINITY : decision.wakeAt - (this.#options.skew ?? 0);
    for (const ask of decision.admitted) this.#go(ask, now);
  }

  #go(ask: Ask, now: number): void {
    const { dice, lag } = this.#options;
    const course = this.#course(ask);
    course.admittedAt ??= now;
    this.order.push(ask);
    this.ledger.reserve(ask, this.#ours(now));
    this.#later(now + dice.between(0, lag), this.#life, (at) => {
      if (course.fate !== 'nothingAsked') return this.#newOrder(course, at);
      this.ledger.release(ask.id);
      this.#waiting.delete(ask.id);
      course.endedAt = at;
    });
  }

  #newOrder(course: Course, now: number): void {
    const { ca, dice, lag } = this.#options;
    const { ask } = course;
    // So many requests are on their way to a directory at once, and no more.
    if (this.#onTheirWay >= onTheirWay) {
      this.#later(now + 50, this.#life, (at) => this.#newOrder(course, at));
      return;
    }
    const refusal = ca.newOrder(asked(ask), now);
    if (refusal !== undefined) {
      this.refusals.push({ ...refusal, ask, at: now });
      this.ledger.release(ask.id);
      this.#waiting.delete(ask.id);
      course.endedAt = now;
      return;
    }
    // What the CA has taken goes its way, whether or not this process lives to see it.
    const settled = now + dice.between(0, lag);
    this.#onTheirWay += 1;
    this.#later(now + dice.between(0, lag), this.#life, (at) => {
      this.#onTheirWay -= 1;
      course.record = { ask, state: 'open' };
      this.#waiting.delete(ask.id);
      this.ledger.placed(ask.id, this.#ours(at));
      this.#later(Math.max(at, settled), undefined, (then) => this.#settle(course, then));
    });
  }

  #settle(course: Course, now: number): void {
    const { ca, dice, lag } = this.#options;
    const { ask } = course;
    const [name = ''] = ask.identifiers;
    if (course.fate === 'fails') ca.fail(ask.account, name, now);
    else ca.issue(asked(ask), now);
    const learn = (at: number): void => {
      course.endedAt = at;
      const when = this.#ours(at);
      if (course.fate === 'fails') {
        course.record = { ask, state: 'failed', at: when, identifiers: [name] };
        this.ledger.failed(ask.id, [name], when);
      } else {
        course.record = { ask, state: 'issued', at: when };
        this.ledger.issued(ask.id, when);
      }
    };
    this.#later(now + dice.between(0, lag), undefined, learn);
  }

  #save(now: number): void {
    const { checkpointEvery = minute } = this.#options;
    if (now - this.#savedAt < checkpointEvery) return;
    this.#savedAt = now;
    const accounts = new Set([...this.courses.values()].map(({ ask }) => ask.account));
    for (const account of accounts) {
      this.#saved.set(account, writeCheckpoint(this.ledger.snapshot(account, this.#ours(now))));
    }
  }

  /** Kill -9, and another process a moment later: promises, reservations and turns are gone, the objects are not. */
  #restart(now: number): void {
    this.#life += 1;
    this.#onTheirWay = 0;
    this.#rounds = noRounds;
    this.ledger = new Ledger(this.#options.limits);
    const courses = [...this.courses.values()];
    const checkpoints = new Map<string, Checkpoint>();
    for (const [account, text] of this.#saved) {
      const read = readCheckpoint(text);
      if (!read.ok) throw new Error(read.problem);
      checkpoints.set(account, read.value);
      this.ledger.restore(read.value);
    }
    for (const account of new Set(courses.map(({ ask }) => ask.account))) {
      const records = courses.filter((each) => each.ask.account === account && each.endedAt === undefined);
      const ended = courses.filter(
        (each) => each.ask.account === account && each.endedAt !== undefined && each.record.state !== 'untold',
      );
      const all = [...records, ...ended].map(({ record }) => record);
      replay(this.ledger, checkpoints.get(account), all, this.#ours(now));
    }
    // What it counted for requests that were on their way stands in no Order: it is written down before anything else is asked.
    this.#savedAt = Number.NEGATIVE_INFINITY;
    this.#save(now);
  }

  #course(ask: Ask): Course {
    const course = this.courses.get(ask.id);
    if (course === undefined) throw new Error(`no course of ${ask.id}`);
    return course;
  }

  #ours(now: number): number {
    return now + (this.#options.skew ?? 0);
  }
}

function asked({ account, identifiers, class: kind }: Ask) {
  return { account, names: identifiers, isAri: kind === 'ari' };
}
