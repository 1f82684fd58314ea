// A CA that keeps its limits as Boulder does, written from Boulder's rules and not from ours: what it checks at newOrder, what it spends when.
// Stricter than Boulder in one way: Boulder rounds half an emission in the asker's favour, this one does not.

export interface CaRate {
  /** Ms for `burst` units. */
  readonly period: number;
  readonly burst: number;
}

export interface CaRates {
  readonly orders?: CaRate;
  readonly domain?: CaRate;
  readonly set?: CaRate;
  readonly failures?: CaRate;
}

export interface CaOrderAsked {
  readonly account: string;
  readonly names: readonly string[];
  /** `replaces` names a certificate of the account, inside its window. */
  readonly isAri: boolean;
}

export interface CaRefusal {
  readonly fragment: string;
  readonly subject: string;
  readonly retryAt: number;
}

const renewalMemory = 120 * 86_400_000;

export class StrictCa {
  readonly #rates: CaRates;
  /** By domain. */
  readonly overrides = new Map<string, CaRate>();
  readonly #tats = new Map<string, number>();
  readonly #issued = new Map<string, number>();
  /** The fullest that any cell ever was, by limit: 1 is full. */
  readonly fullest = new Map<string, number>();

  constructor(rates: CaRates) {
    this.#rates = rates;
  }

  isRenewal(names: readonly string[], now: number): boolean {
    const last = this.#issued.get(setKey(names));
    return last !== undefined && now - last <= renewalMemory;
  }

  /** All or nothing; of several refusals the longest is told. */
  newOrder(order: CaOrderAsked, now: number): CaRefusal | undefined {
    if (order.isAri) return undefined;
    const isRenewal = this.isRenewal(order.names, now);
    const { orders, failures, set } = this.#rates;
    const wanted: (readonly [string, string, CaRate | undefined])[] = [
      ...(isRenewal ? [] : [['new-orders-per-account', order.account, orders] as const]),
      ...order.names.map((name) => {
        return ['authorization-failures-per-identifier-per-account', `${order.account} ${name}`, failures] as const;
      }),
      ...(isRenewal
        ? []
        : domainsOf(order.names).map((domain) => {
            return ['new-certificates-per-registered-domain', domain, this.#domainRate(domain)] as const;
          })),
      ['new-certificates-per-exact-set-of-identifiers', setKey(order.names), set],
    ];
    let worst: CaRefusal | undefined;
    for (const [fragment, subject, rate] of wanted) {
      if (rate === undefined) continue;
      const each = rate.period / rate.burst;
      const retryAt = Math.max(this.#tat(fragment, subject), now) + each - rate.period;
      if (retryAt > now + 1e-3 && retryAt > (worst?.retryAt ?? 0)) worst = { fragment, subject, retryAt };
    }
    if (worst === undefined && !isRenewal) this.#spend('new-orders-per-account', order.account, orders, now);
    return worst;
  }

  issue(order: CaOrderAsked, now: number): void {
    if (!order.isAri && !this.isRenewal(order.names, now)) {
      for (const domain of domainsOf(order.names)) {
        this.#spend('new-certificates-per-registered-domain', domain, this.#domainRate(domain), now);
      }
    }
    this.#spend('new-certificates-per-exact-set-of-identifiers', setKey(order.names), this.#rates.set, now);
    this.#issued.set(setKey(order.names), now);
  }

  fail(account: string, name: string, now: number): void {
    this.#spend('authorization-failures-per-identifier-per-account', `${account} ${name}`, this.#rates.failures, now);
  }

  /** When the cell is wholly free, which says all that is in it. */
  tat(fragment: string, subject: string): number {
    return this.#tat(fragment, subject);
  }

  #domainRate(domain: string): CaRate | undefined {
    return this.overrides.get(domain) ?? this.#rates.domain;
  }

  #tat(fragment: string, subject: string): number {
    return this.#tats.get(`${fragment}#${subject}`) ?? 0;
  }

  /** What does not fit is not counted. */
  #spend(fragment: string, subject: string, rate: CaRate | undefined, now: number): void {
    if (rate === undefined) return;
    const next = Math.max(this.#tat(fragment, subject), now) + rate.period / rate.burst;
    if (next > now + rate.period + 1e-3) return;
    this.#tats.set(`${fragment}#${subject}`, next);
    this.fullest.set(fragment, Math.max(this.fullest.get(fragment) ?? 0, (next - now) / rate.period));
  }
}

/** The last two labels: enough for the names of these tests. */
function domainsOf(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.split('.').slice(-2).join('.')))];
}

function setKey(names: readonly string[]): string {
  return [...new Set(names)].sort().join(' ');
}
