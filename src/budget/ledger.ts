// What one CA has given and what it is still asked for: its cells, the units that unfinished Orders reserve, and what it said itself. One per
// directory; apply/ tells it what happened, line.ts asks it. Deterministic: times are arguments, epoch ms on the CA's clock.

import type { Ask, CellUse, Uses } from './ask.ts';
import { nextFree } from './cell.ts';
import { Cells } from './cells.ts';
import { type Checkpoint, recently } from './checkpoint.ts';
import { Company } from './company.ts';
import { type CellView, type Entry, rateOfEntry, spendOne } from './entry.ts';
import { hear } from './hearing.ts';
import { type Barrier, Holds, type KeptHolds } from './holds.ts';
import { KnownUses } from './known-uses.ts';
import type { Limits } from './limits.ts';
import { Lost } from './lost.ts';
import { type Reservation, Reservations } from './reservations.ts';
import { type CellKey, exactSet, ownAddress, sortedNames } from './subject.ts';
import type { ToldProblem } from './told.ts';

/** The offset to the CA's clock is learned anew with every reply and trembles; more than this is a clock that was set. */
const trembling = 60_000;

export class Ledger {
  readonly #cells: Cells;
  readonly #company: Company;
  readonly #known: KnownUses;
  readonly #reservations: Reservations;
  readonly #finished = new Map<string, { readonly account: string; readonly at: number }>();
  readonly #holds = new Holds();
  readonly #lost: Lost;
  #latest = 0;

  constructor(limits: Limits) {
    this.#cells = new Cells(limits);
    this.#company = new Company(this.#cells);
    this.#lost = new Lost(this.#cells);
    this.#reservations = new Reservations(this.#cells);
    this.#known = new KnownUses(limits);
  }

  /** Other rates from now on; what is spent stays spent. */
  setLimits(limits: Limits): void {
    this.#cells.setLimits(limits);
    this.#known.setLimits(limits);
    const open = this.#reservations.list();
    for (const { ask } of open) this.#reservations.free(ask.id);
    for (const each of open) this.#reservations.book(each.ask, this.#known.of(each.ask), each);
  }

  /** The cells that the ask would use. */
  usesOf(ask: Ask): readonly CellUse[] {
    return this.#known.of(ask).uses;
  }

  /** The same, and which of them is the exact set: of two that have the same, one goes after the other. */
  needsOf(ask: Ask): Uses {
    return this.#known.of(ask);
  }

  /** The cell of that key, where anything was ever taken from it. */
  entry(key: CellKey): Entry | undefined {
    return this.#cells.find(key);
  }

  /** Whether an admitted order that the CA has not seen yet has a unit of that cell. */
  isAboutToBeChecked(key: CellKey): boolean {
    const reserved = this.#cells.find(key)?.reserved ?? [];
    return [...reserved].some((id) => this.#reservations.get(id)?.isPlaced === false);
  }

  isReserved(id: string): boolean {
    return this.#reservations.get(id) !== undefined;
  }

  /** What keeps an ask back before any cell is looked at. */
  barrier(ask: Ask, now: number): Barrier | undefined {
    this.#observe(now);
    const { set, need } = this.#known.of(ask);
    const barrier = this.#holds.barrier(ask.account, set.subject, now);
    return (
      barrier ?? (this.#reservations.hasEqual(ask.id, need) ? { limit: 'equalNeed', subject: set.subject } : undefined)
    );
  }

  /** Admitted: its units are nobody else's until it ends. Nothing happens for one that is known. */
  reserve(ask: Ask, now: number): void {
    this.#observe(now);
    this.#book(ask, { since: now, isPlaced: false });
  }

  /** What has ended begins again under the same id: a rehearsal. */
  again(id: string): void {
    this.#finished.delete(id);
  }

  /** The same for an Order whose newOrder is in the cells already. */
  resume(ask: Ask, now: number): void {
    this.#observe(now);
    this.#book(ask, { since: now, isPlaced: true });
  }

  /** The CA has taken newOrder. This and what ends an order may also be told of the past, in any order. */
  placed(id: string, now: number): void {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined || reservation.isPlaced) return;
    reservation.isPlaced = true;
    this.#lost.forget(id);
    this.#spend(reservation, now, (use) => use.spentAt === 'order');
    if (reservation.ask.class === 'new') this.#company.spent(reservation.ask.account, now);
  }

  /** The CA has signed. */
  issued(id: string, now: number): void {
    this.#finish(id, now, (use) => use.spentAt === 'issuance');
  }

  /** The order came to nothing; `identifiers` are the names whose validation failed. */
  failed(id: string, identifiers: readonly string[], now: number): void {
    const names = new Set(identifiers.map((each) => each.toLowerCase()));
    this.#finish(id, now, ({ identifier }) => {
      return identifier !== undefined && (names.has(identifier) || names.has(identifier.replace(/^\*\./, '')));
    });
  }

  /** Nothing was asked, or nothing came of it: what is not spent is free again. */
  release(id: string): void {
    this.#reservations.free(id);
    this.#known.forget(id);
  }

  /** An order unit for a newOrder whose reply, and whose Order, nobody may ever see. */
  lost(ask: Ask, now: number): void {
    this.#spend({ ask, uses: this.usesOf(ask) }, now, (use) => use.spentAt === 'order');
    this.#lost.counted(ask.id);
  }

  /** The CA has the order: as placed, but for a unit that was counted as lost already. */
  found(id: string, now: number): void {
    const reservation = this.#reservations.get(id);
    if (reservation !== undefined && this.#lost.found(reservation)) reservation.isPlaced = true;
    else this.placed(id, now);
  }

  /** The CA's own list has no such order: what was counted as lost is back. */
  unasked(ask: Ask): void {
    this.#lost.unasked(ask, this.#known.of(ask));
  }

  /** When another account may be made, `ahead` others first. */
  nextAccount(now: number, ahead = 0): number {
    this.#observe(now);
    const entry = this.#cells.at('newAccountsPerIp', ownAddress);
    return Math.max(this.#holds.directoryFree(now), nextFree(entry.cell, ahead, rateOfEntry(entry), now));
  }

  /** A newAccount is about to be sent; `account` is whose checkpoint keeps it. */
  accountMade(account: string, now: number): void {
    spendOne(this.#cells.at('newAccountsPerIp', ownAddress), account, undefined, now);
  }

  /** The CA's own word about its limits; `ask` is whose request it was, where it was an order's. */
  told(ask: Ask | undefined, problem: ToldProblem, now: number): void {
    this.#observe(now);
    hear({ cells: this.#cells, company: this.#company, holds: this.#holds, known: this.#known }, ask, problem, now);
  }

  /** A person has acted: pauses and holds of the account end; of an order that is deleted its own pause alone. */
  unheld(account: string, identifiers?: readonly string[]): void {
    if (identifiers === undefined) this.#holds.end(account);
    else this.#holds.endPause(account, exactSet(sortedNames(identifiers)));
  }

  /** To be called before each decision: what was reserved for too long is anybody's. */
  loosen(now: number): void {
    this.#reservations.loosen(now);
  }

  /** What the CA has stopped for the account. */
  kept(account: string, now: number): KeptHolds {
    return this.#holds.kept(account, now);
  }

  /** What a restart must know of the account beside its Orders. */
  snapshot(account: string, now: number): Checkpoint {
    this.#sweep(now);
    const placed = this.#reservations.list().filter(({ ask, isPlaced }) => isPlaced && ask.account === account);
    return {
      account,
      at: now,
      cells: this.#cells.kept(account, now),
      placed: placed.map(({ ask }) => ask.id),
      finished: [...this.#finished].filter(([, each]) => each.account === account).map(([id]) => id),
      ...this.kept(account, now),
    };
  }

  /** Takes a checkpoint in; of what both know, the stricter counts. */
  restore(checkpoint: Checkpoint): void {
    const { account, at, cells, finished } = checkpoint;
    this.#latest = Math.max(this.#latest, at);
    this.#cells.restore(account, cells);
    for (const id of finished) this.#finished.set(id, { account, at });
    this.#holds.restore(account, checkpoint);
  }

  /** Every cell that is not wholly free. */
  view(now: number): readonly CellView[] {
    this.#sweep(now);
    return this.#cells.views(now);
  }

  #book(ask: Ask, how: Pick<Reservation, 'since' | 'isPlaced'>): void {
    if (this.isReserved(ask.id) || this.#finished.has(ask.id)) return;
    this.#reservations.book(ask, this.#known.of(ask), how);
  }

  #spend({ ask, uses }: Pick<Reservation, 'ask' | 'uses'>, now: number, isMeant: (use: CellUse) => boolean): void {
    for (const { limit, subject } of uses.filter(isMeant)) {
      const entry = this.#cells.at(limit, subject);
      entry.reserved.delete(ask.id);
      spendOne(entry, ask.account, ask.tenant, now);
    }
  }

  #finish(id: string, now: number, isMeant: (use: CellUse) => boolean): void {
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return;
    // What ended has begun: the CA counted it, although nobody saw its answer to newOrder.
    this.placed(id, now);
    this.#spend(reservation, now, isMeant);
    this.release(id);
    this.#finished.set(id, { account: reservation.ask.account, at: now });
  }

  /** A clock that was set back is one of ours, or the CA's own: either way nothing may wait for the time that it showed. */
  #observe(now: number): void {
    if (now < this.#latest - trembling) {
      this.#holds.rebase(this.#latest, now);
      this.#cells.rebase(this.#latest, now);
      this.#latest = now;
    }
    this.#latest = Math.max(this.#latest, now);
  }

  #sweep(now: number): void {
    this.#observe(now);
    this.#holds.sweep(now);
    this.#cells.sweep(now);
    for (const [id, { at }] of this.#finished) if (Math.abs(now - at) > recently) this.#finished.delete(id);
  }
}
