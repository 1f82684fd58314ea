// What a CA said beyond its cells: «not this account», «not now», «not until a person acts». Part of the ledger, which asks it before any cell.

import { type Hold, holdEnd, rebased } from './cell.ts';
import type { LimitName } from './limits.ts';

/** Why an ask may not go yet, whatever the cells say. `until` is undefined where no time ends it. */
export interface Barrier {
  /** `equalNeed`: another order for exactly these names is under way. */
  readonly limit: LimitName | 'accountHeld' | 'directoryHeld' | 'paused' | 'equalNeed';
  readonly subject: string;
  readonly until?: number;
  /** Where a person ends a pause. */
  readonly url?: string;
}

/** What of it a restart must know. */
export interface KeptHolds {
  readonly pauses: readonly { readonly set: string; readonly url: string }[];
  readonly accountHold?: Hold;
  readonly directoryHold?: Hold;
}

interface Refusal extends Pick<Barrier, 'limit' | 'subject'> {
  readonly account: string;
  readonly hold: Hold;
}

export class Holds {
  #directory: Hold | undefined;
  readonly #accounts = new Map<string, Hold>();
  /** By account and exact set, as the next. */
  readonly #pauses = new Map<string, { readonly account: string; readonly set: string; readonly url: string }>();
  readonly #refusals = new Map<string, Refusal>();

  /** The longest of what keeps this account, or this set of it, from asking. */
  barrier(account: string, set: string, now: number): Barrier | undefined {
    if (this.#isQuiet()) return undefined;
    const pause = this.#pauses.get(keyOf(account, set));
    if (pause !== undefined) return { limit: 'paused', subject: set, url: pause.url };
    let longest: Barrier | undefined;
    const consider = (limit: Barrier['limit'], subject: string, hold: Hold | undefined) => {
      const until = holdEnd(hold, now);
      if (until > (longest?.until ?? now)) longest = { limit, subject, until };
    };
    consider('directoryHeld', 'the CA', this.#directory);
    consider('accountHeld', account, this.#accounts.get(account));
    const refusal = this.#refusals.get(keyOf(account, set));
    if (refusal !== undefined) consider(refusal.limit, refusal.subject, refusal.hold);
    return longest;
  }

  #isQuiet(): boolean {
    return this.#directory === undefined && this.#accounts.size + this.#pauses.size + this.#refusals.size === 0;
  }

  /** When the CA may be asked again at all. */
  directoryFree(now: number): number {
    return holdEnd(this.#directory, now);
  }

  holdDirectory(until: number, now: number): void {
    this.#directory = later(this.#directory, until, now);
  }

  holdAccount(account: string, until: number, now: number): void {
    this.#accounts.set(account, later(this.#accounts.get(account), until, now));
  }

  pause(account: string, set: string, url: string): void {
    this.#pauses.set(keyOf(account, set), { account, set, url });
  }

  /** Who was refused does not ask the same again before the time that the CA named, whatever the model thinks of its cells. */
  refuse(account: string, set: string, of: Pick<Barrier, 'limit' | 'subject'>, until: number, now: number): void {
    this.#refusals.set(keyOf(account, set), { ...of, account, hold: { at: now, until } });
  }

  /** A person has acted. */
  end(account: string): void {
    this.#accounts.delete(account);
    for (const [key, each] of this.#pauses) if (each.account === account) this.#pauses.delete(key);
    for (const [key, each] of this.#refusals) if (each.account === account) this.#refusals.delete(key);
  }

  /** That of one exact set. */
  endPause(account: string, set: string): void {
    this.#pauses.delete(keyOf(account, set));
  }

  /** The clock was set from `before` to `now`. */
  rebase(before: number, now: number): void {
    if (this.#directory !== undefined) this.#directory = rebased(this.#directory, before, now);
    for (const [key, hold] of this.#accounts) this.#accounts.set(key, rebased(hold, before, now));
    for (const [key, each] of this.#refusals)
      this.#refusals.set(key, { ...each, hold: rebased(each.hold, before, now) });
  }

  sweep(now: number): void {
    if (holdEnd(this.#directory, now) <= now) this.#directory = undefined;
    for (const [key, hold] of this.#accounts) if (holdEnd(hold, now) <= now) this.#accounts.delete(key);
    for (const [key, { hold }] of this.#refusals) if (holdEnd(hold, now) <= now) this.#refusals.delete(key);
  }

  kept(account: string, now: number): KeptHolds {
    const directory = this.#directory;
    const own = this.#accounts.get(account);
    return {
      pauses: [...this.#pauses.values()]
        .filter((each) => each.account === account)
        .map(({ set, url }) => ({ set, url })),
      ...(own !== undefined && holdEnd(own, now) > now && { accountHold: own }),
      ...(directory !== undefined && holdEnd(directory, now) > now && { directoryHold: directory }),
    };
  }

  restore(account: string, { pauses, accountHold, directoryHold }: KeptHolds): void {
    for (const { set, url } of pauses) this.pause(account, set, url);
    if (accountHold !== undefined) this.#accounts.set(account, accountHold);
    if (directoryHold !== undefined) this.holdDirectory(directoryHold.until, directoryHold.at);
  }
}

function keyOf(account: string, set: string): string {
  return `${account} ${set}`;
}

function later(hold: Hold | undefined, until: number, now: number): Hold {
  return hold !== undefined && holdEnd(hold, now) >= until ? hold : { at: now, until };
}
