// Ledgers against the referee, in virtual time: every order takes its way to the CA and back, with what chance adds on the way, while the line decides who
// goes next. Two ledgers may share one account, unknown to each other. Pure but for its seed; called by gcra-match.test.ts.

import type { Ask } from '../../../src/budget/ask.ts';
import { Ledger } from '../../../src/budget/ledger.ts';
import type { Limits } from '../../../src/budget/limits.ts';
import { decide } from '../../../src/budget/line.ts';
import { noRounds, type Rounds } from '../../../src/budget/rounds.ts';
import { type Seeded, seeded } from '../../queue/seeded.ts';
import { type Rate, type Rates, Referee, type Tally } from './gcra.ts';
import { lowerBoundSeconds } from './gcra-bound.ts';

export interface Match {
  readonly rates: Rates;
  /** What each side wants, in the order in which it comes: whose it is, and for which name. */
  readonly sides: readonly (readonly { readonly tenant: string; readonly name: string }[])[];
  /** newOrder requests that one side has under way at once. */
  readonly inFlight: number;
  readonly seed: number;
}

export interface Outcome {
  readonly tally: Tally;
  readonly seconds: number;
  readonly bound: number;
  /** Seconds, by side and tenant. */
  readonly finishes: readonly ReadonlyMap<string, number>[];
}

interface Side {
  readonly ledger: Ledger;
  readonly waiting: Map<string, Ask>;
  readonly sending: Ask[];
  readonly finishes: Map<string, number>;
  rounds: Rounds;
  underWay: number;
  /** When to decide again. */
  wakeAt: number;
}

const account = 'https://ca.example/account/1';
const start = Date.parse('2027-01-01T00:00:00Z');
const patienceMs = 3_600_000;

/** Plays until everything is issued; throws when that takes an hour of the match's own time. */
export function play(match: Match): Outcome {
  const field = new Field(match);
  const sides = match.sides.map((wanted, at) => sideOf(match.rates, wanted, at));
  while (sides.some((side) => field.lasts(side))) {
    if (field.now - start > patienceMs) throw new Error(`no end in sight: ${JSON.stringify(field.referee.tally)}`);
    for (const side of sides) field.decide(side);
    field.advance(Math.min(...sides.filter(({ waiting }) => waiting.size > 0).map(({ wakeAt }) => wakeAt)));
  }
  const names = match.sides.flat().map(({ name }) => ({ account, names: [name] }));
  return {
    tally: field.referee.tally,
    seconds: (field.now - start) / 1000,
    bound: lowerBoundSeconds(names, match.rates),
    finishes: sides.map(({ finishes }) => finishes),
  };
}

/** The time, what is to happen in it, and the CA. */
class Field {
  readonly referee: Referee;
  now = start;
  readonly #inFlight: number;
  readonly #chance: Seeded;
  readonly #events: { readonly at: number; readonly happen: () => void }[] = [];
  readonly #open = new Map<Side, number>();

  constructor({ rates, inFlight, seed }: Match) {
    this.referee = new Referee(rates);
    this.#inFlight = inFlight;
    this.#chance = seeded(seed);
  }

  lasts(side: Side): boolean {
    return side.waiting.size > 0 || (this.#open.get(side) ?? 0) > 0;
  }

  decide(side: Side): void {
    if (side.waiting.size === 0 || side.wakeAt > this.now) return;
    const decision = decide(side.ledger, [...side.waiting.values()], side.rounds, this.now);
    side.rounds = decision.rounds;
    side.wakeAt = decision.wakeAt ?? Number.POSITIVE_INFINITY;
    for (const ask of decision.admitted) {
      side.ledger.reserve(ask, this.now);
      side.waiting.delete(ask.id);
      side.sending.push(ask);
      this.#count(side, 1);
    }
    this.#send(side);
  }

  /** To the next event, or to `wakeAt`. */
  advance(wakeAt: number): void {
    this.#events.sort((a, b) => a.at - b.at);
    const next = Math.min(wakeAt, this.#events[0]?.at ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(next)) throw new Error('nothing will ever happen again');
    this.now = Math.max(this.now, next);
    const due = this.#events.findIndex(({ at }) => at > this.now);
    for (const { happen } of this.#events.splice(0, due < 0 ? this.#events.length : due)) happen();
  }

  #send(side: Side): void {
    while (side.underWay < this.#inFlight) {
      const ask = side.sending.shift();
      if (ask === undefined) return;
      side.underWay += 1;
      this.#later(10, 40, () => this.#arrive(side, ask));
    }
  }

  #arrive(side: Side, ask: Ask): void {
    const ruling = this.referee.ask({ account, names: ask.identifiers, standing: 'plain' }, this.now);
    const at = this.now;
    this.#later(5, 40, () => {
      side.underWay -= 1;
      if (ruling.kind === 'granted') this.#placed(side, ask);
      else {
        const retryAt = at + Math.ceil(ruling.waitMs / 1000) * 1000;
        side.ledger.told(ask, { status: 429, limit: ruling.limit, retryAt }, this.now);
        this.#back(side, [ask, ...side.sending.splice(0)]);
      }
      side.wakeAt = this.now;
      this.#send(side);
    });
  }

  /** Who has not asked yet does not ask a CA that has just refused, but stands in line again. */
  #back(side: Side, asks: readonly Ask[]): void {
    for (const ask of asks) {
      side.ledger.release(ask.id);
      side.waiting.set(ask.id, ask);
      this.#count(side, -1);
    }
  }

  #placed(side: Side, ask: Ask): void {
    side.ledger.placed(ask.id, this.now);
    this.#later(200, 800, () => {
      this.referee.issued({ account, names: ask.identifiers }, this.now);
      this.#later(50, 1_000, () => {
        side.ledger.issued(ask.id, this.now);
        side.finishes.set(ask.tenant, (this.now - start) / 1000);
        side.wakeAt = this.now;
        this.#count(side, -1);
      });
    });
  }

  #later(least: number, more: number, happen: () => void): void {
    this.#events.push({ at: this.now + least + this.#chance.below(more), happen });
  }

  #count(side: Side, change: number): void {
    this.#open.set(side, (this.#open.get(side) ?? 0) + change);
  }
}

function sideOf(rates: Rates, wanted: Match['sides'][number], at: number): Side {
  const asks = wanted.map(
    ({ tenant, name }, index): Ask => ({
      id: `${at}-${index}`,
      account,
      identifiers: [name],
      class: 'new',
      urgency: 'new',
      deadline: Number.POSITIVE_INFINITY,
      tenant,
      since: start + index,
    }),
  );
  return {
    ledger: new Ledger(limitsOf(rates)),
    waiting: new Map(asks.map((ask) => [ask.id, ask])),
    sending: [],
    finishes: new Map(),
    rounds: noRounds,
    underWay: 0,
    wakeAt: start,
  };
}

function limitsOf(rates: Rates): Limits {
  const of = ({ burst, everyMs }: Rate) => ({ burst, emissionMs: everyMs });
  return {
    limits: {
      newOrdersPerAccount: of(rates['new-orders-per-account']),
      certificatesPerDomain: of(rates['new-certificates-per-registered-domain']),
      certificatesPerExactSet: of(rates['new-certificates-per-exact-set-of-identifiers']),
      failedAuthorizations: of(rates['authorization-failures-per-identifier-per-account']),
    },
    overrides: [],
  };
}
