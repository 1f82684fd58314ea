// Others that spend from an account's cell of orders, and do not tell us: felt by a refusal where the model saw room. Then we take a share of what the CA
// gives, one unit at a time, and feel our way back up. Part of the ledger.

import { holdEnd } from './cell.ts';
import type { Cells } from './cells.ts';
import { rateOfEntry } from './entry.ts';

const limit = 'newOrdersPerAccount';
const least = 1 / 32;
/** A refusal halves the share: so about one order in a hundred is refused while the others take all that they get. */
const step = 1 / 200;

export class Company {
  readonly #cells: Cells;
  /** Of the account's rate, between 0 and 1; an account that is alone has none. */
  readonly #shares = new Map<string, number>();

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  /** To be called before the cell is held. Requests that were refused side by side say it once. */
  refused(account: string, now: number): void {
    if (holdEnd(this.#cells.at(limit, account).cell.hold, now) > now) return;
    this.#shares.set(account, Math.max(least, (this.#shares.get(account) ?? 1) / 2));
  }

  /** Before the next unit lies what the others may have taken; the cell's rest may be theirs as well. */
  spent(account: string, now: number): void {
    const share = this.#shares.get(account);
    if (share === undefined) return;
    const { emissionMs } = rateOfEntry(this.#cells.at(limit, account));
    this.#cells.hold(limit, account, now + emissionMs / share, now);
    if (share + step < 1) this.#shares.set(account, share + step);
    else this.#shares.delete(account);
  }
}
