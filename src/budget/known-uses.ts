// The cells of those that wait, found once: the public suffix list and the hash of a set cost more than all else in a decision. Part of the ledger.

import { type Ask, type Uses, usesOf } from './ask.ts';
import type { Limits } from './limits.ts';

const most = 10_000;

export class KnownUses {
  readonly #known = new Map<string, Uses & { readonly ask: Ask }>();
  #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  setLimits(limits: Limits): void {
    this.#limits = limits;
    this.#known.clear();
  }

  of(ask: Ask): Uses {
    const known = this.#known.get(ask.id);
    if (known !== undefined && isSameNeed(known.ask, ask)) return known;
    if (this.#known.size > most) this.#known.clear();
    const found = { ask, ...this.read(ask) };
    this.#known.set(ask.id, found);
    return found;
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  /** Without remembering it. */
  read(ask: Ask): Uses {
    return usesOf(ask, this.#limits);
  }
}

function isSameNeed(a: Ask, b: Ask): boolean {
  if (a === b) return true;
  if (a.account !== b.account || a.class !== b.class || a.identifiers.length !== b.identifiers.length) return false;
  return a.identifiers === b.identifiers || a.identifiers.every((each, at) => each === b.identifiers[at]);
}
