// A year of a big installation before Let's Encrypt, in steps of ten minutes: what comes due, who is admitted, what the CA says. The limits are kept
// by a strict CA of our own making; the moments of renewal and the urgency of an ask are those of src/plan.

import type { Ask } from '../../src/budget/ask.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/budget/checkpoint.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import type { Limits } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { renewAt } from '../../src/plan/renewal.ts';
import { standingBefore } from '../../src/plan/renewal-class.ts';
import { suggestionOf } from '../../src/plan/renewal-info.ts';
import { born, type Dice, day, hour, minute } from './dice.ts';
import { isInWindow, lastOf, type Profile, profiles, type Site, windowOf } from './site.ts';
import type { StrictCa } from './strict-ca.ts';

export interface YearOptions {
  readonly ca: StrictCa;
  readonly limits: Limits;
  readonly dice: Dice;
  readonly sites: readonly { readonly at: number; readonly site: Site }[];
  /** When the CA does not answer. */
  readonly outages: readonly (readonly [number, number])[];
  readonly events: readonly { readonly at: number; readonly run: (year: Year, now: number) => void }[];
  readonly days: number;
}

const step = 10 * minute;
const account = 'https://acme-v02.api.letsencrypt.org/acme/acct/1';
/** What eight requests at a time manage in a step, at a second each order. */
const throughput = 600;

export class Year {
  issued = 0;
  refused: string[] = [];
  expired: string[] = [];
  /** Least part of the life that was left at a renewal, and the hours. */
  readonly margins = new Map<Profile, { readonly part: number; readonly hours: number; readonly site: string }>();
  readonly longestWait = new Map<string, number>();
  most = 0;
  #ledger: Ledger;
  #rounds = noRounds;
  #orders = 0;
  /** How many of the greedy tenant still wait for their first certificate. */
  #greedy = 0;
  readonly #waiting = new Map<string, { readonly site: Site; readonly ask: Ask }>();
  readonly #agenda = new Map<number, (() => void)[]>();
  readonly #options: YearOptions;
  readonly #all: Site[] = [];

  constructor(options: YearOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.limits);
    for (const { at, site } of options.sites) {
      this.at(at, () => {
        this.#all.push(site);
        this.want(site, at);
      });
    }
    for (const { at, run } of options.events) this.at(at, () => run(this, at));
    for (let at = born; at < born + options.days * day; at += day) this.at(at, () => void this.#ledger.view(at));
    for (let at = born + 30 * day; at < born + options.days * day; at += 30 * day) this.at(at, () => this.#restart(at));
  }

  get sites(): readonly Site[] {
    return this.#all;
  }

  at(when: number, run: () => void): void {
    const slot = Math.max(0, Math.ceil((when - born) / step));
    const due = this.#agenda.get(slot);
    if (due === undefined) this.#agenda.set(slot, [run]);
    else due.push(run);
  }

  run(): this {
    const { days, outages } = this.#options;
    for (let slot = 0; slot <= (days * day) / step; slot += 1) {
      const now = born + slot * step;
      for (const run of this.#agenda.get(slot) ?? []) run();
      this.#agenda.delete(slot);
      this.most = Math.max(this.most, this.#waiting.size);
      const isOut = outages.some(([from, to]) => now >= from && now < to);
      // A long line is looked at every hour: the CA saves up three hours' worth meanwhile, and this test takes a sixth of the time.
      const isDue = this.#waiting.size > 0 && (this.#waiting.size < 1000 || slot % 6 === 0);
      if (isDue && this.#ledger.nextAccount(now) <= now) this.#decide(now, isOut);
    }
    return this;
  }

  /** A certificate is wanted, or wanted anew. */
  want(site: Site, now: number): void {
    if (site.asking !== undefined) return;
    this.#orders += 1;
    site.asking = { id: `order-${this.#orders}`, since: now };
    if (site.tenant === 'greedy' && site.leaf === undefined) this.#greedy += 1;
    this.#line(site, now);
  }

  /** The names have changed, or the CA has spoken: what was planned is void. */
  again(site: Site, now: number): void {
    site.plan += 1;
    if (site.leaf !== undefined) this.#schedule(site, now);
  }

  #line(site: Site, now: number): void {
    if (site.asking === undefined) return;
    const { id, since } = site.asking;
    const { identifiers, tenant } = site;
    const standing = standingBefore({ identifiers, since, last: lastOf(site), replaces: 'named' }, now);
    this.#waiting.set(id, { site, ask: { id, account, identifiers, tenant, since, ...standing } });
  }

  #decide(now: number, isOut: boolean): void {
    // Windows open and lives end while they wait.
    for (const { site } of this.#waiting.values()) if (site.leaf !== undefined) this.#line(site, now);
    const asks = [...this.#waiting.values()].map(({ ask }) => ask);
    const { admitted, rounds } = decide(this.#ledger, asks, this.#rounds, now);
    this.#rounds = rounds;
    for (const ask of admitted.slice(0, throughput)) {
      const waiting = this.#waiting.get(ask.id);
      if (waiting === undefined) throw new Error(`admitted ${ask.id}, which does not wait`);
      this.#ledger.reserve(ask, now);
      if (isOut) {
        this.#ledger.release(ask.id);
        this.#ledger.told(ask, { status: 503, retryAt: now + hour }, now);
        return;
      }
      this.#order(waiting.site, ask, now);
    }
  }

  #order(site: Site, ask: Ask, now: number): void {
    const { ca, dice } = this.#options;
    const asked = { account, names: ask.identifiers, isAri: ask.class === 'ari' && isInWindow(site, now) };
    const refusal = ca.newOrder(asked, now);
    if (refusal !== undefined) {
      this.refused.push(
        `day ${((now - born) / day).toFixed(2)}: ${site.name}: ${refusal.fragment} of ${refusal.subject}`,
      );
      this.#ledger.told(ask, { status: 429, limit: refusal.fragment, retryAt: refusal.retryAt }, now);
      this.#ledger.release(ask.id);
      return;
    }
    this.#waiting.delete(ask.id);
    this.#ledger.placed(ask.id, now);
    const isBeside = this.#greedy > 0;
    if (site.tenant === 'greedy' && site.leaf === undefined) this.#greedy -= 1;
    const kind = `${ask.urgency} of ${site.tenant === 'greedy' ? 'the greedy' : isBeside ? 'others beside the greedy' : 'others'}`;
    this.longestWait.set(kind, Math.max(this.longestWait.get(kind) ?? 0, now - (site.asking?.since ?? now)));
    if (now < site.deadUntil || dice.chance(0.01)) this.#fail(site, ask, now + 30_000);
    else this.#issue(site, ask, asked, now + 30_000);
  }

  /** 1, 10, 100 minutes, a day. */
  #fail(site: Site, ask: Ask, now: number): void {
    const [name = ''] = ask.identifiers;
    this.#options.ca.fail(account, name, now);
    this.#ledger.failed(ask.id, [name], now);
    delete site.asking;
    const pause = Math.min(
      site.leaf === undefined ? day : (site.leaf.notAfter - site.leaf.notBefore) / 60,
      day,
      minute * 10 ** site.failures,
    );
    site.failures = Math.min(site.failures + 1, 4);
    this.at(now + pause, () => this.want(site, now + pause));
  }

  #issue(site: Site, ask: Ask, asked: Parameters<StrictCa['issue']>[0], now: number): void {
    this.#options.ca.issue(asked, now);
    this.#ledger.issued(ask.id, now);
    this.issued += 1;
    const { leaf, profile } = site;
    if (leaf !== undefined) {
      const part = (leaf.notAfter - now) / (leaf.notAfter - leaf.notBefore);
      if (part < 0)
        this.expired.push(`${site.name} (${profile}), ${((now - leaf.notAfter) / hour).toFixed(1)} h too late`);
      if (part < (this.margins.get(profile)?.part ?? 1))
        this.margins.set(profile, { part, hours: (leaf.notAfter - now) / hour, site: site.name });
    }
    site.leaf = { notBefore: now - hour, notAfter: now - hour + profiles[profile], identifiers: ask.identifiers };
    site.failures = 0;
    site.isRecalled = false;
    delete site.asking;
    this.#schedule(site, now);
  }

  #schedule(site: Site, now: number): void {
    const { leaf } = site;
    if (leaf === undefined) return;
    const plan = ++site.plan;
    const certId = `${site.name} ${leaf.notBefore}`;
    const suggested = suggestionOf({ certId, window: windowOf(site, leaf), soonest: 0 }, now);
    const renewal = renewAt({ leaf, seed: site.name, suggested, width: 'wide' });
    if (renewal.kind !== 'due') throw new Error('disabled');
    this.at(Math.max(renewal.at, now), () => {
      if (site.plan === plan) this.want(site, Math.max(renewal.at, now));
    });
  }

  /** Another process: what it knows is what was written down. */
  #restart(now: number): void {
    const read = readCheckpoint(writeCheckpoint(this.#ledger.snapshot(account, now)));
    if (!read.ok) throw new Error(read.problem);
    this.#ledger = new Ledger(this.#options.limits);
    this.#ledger.restore(read.value);
    this.#rounds = noRounds;
  }

  /** Of all that were there at the end: those that have no certificate, or one that is over. */
  stranded(): readonly string[] {
    const end = born + this.#options.days * day;
    return this.#all
      .filter(({ leaf }) => leaf === undefined || leaf.notAfter < end)
      .map(({ name, profile }) => `${name} (${profile})`);
  }
}
