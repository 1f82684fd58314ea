// One wish for an order, and which cells of the CA it touches: the CA's exemptions, in one table. Called by ledger.ts.

import type { Limit } from './cell.ts';
import { type LimitName, type Limits, overrideOf, rateOf } from './limits.ts';
import { type CellKey, cellKey, exactSet, registeredDomain, sortedNames } from './subject.ts';

/**
 * How the CA sees it. `ari`: `replaces` names a certificate of the same account, inside its suggested window (RFC 9773 §5). `renewal`: the
 * exact same set was issued within 120 days, by anybody. `new`: all else.
 */
export type Class = 'ari' | 'renewal' | 'new';

/** How we see it: no working certificate or less than a day left; its window is open; a new name; anything that can wait. */
export type Urgency = 'urgent' | 'window' | 'new' | 'routine';

export interface Ask {
  /** The UID of the Order. */
  readonly id: string;
  /** The URL of the account. */
  readonly account: string;
  /** DNS names and addresses, wildcards with their `*.`. */
  readonly identifiers: readonly string[];
  readonly class: Class;
  readonly urgency: Urgency;
  /** Epoch ms; the earliest goes first among equals. Infinity where nothing presses. */
  readonly deadline: number;
  readonly tenant: string;
  /** Epoch ms since when it waits. */
  readonly since: number;
}

/** One unit of one cell. */
export interface CellUse {
  readonly key: CellKey;
  readonly limit: LimitName;
  readonly subject: string;
  /** Undefined where nothing is known to bind: the cell exists only while the CA holds it. */
  readonly rate: Limit | undefined;
  /** Boulder spends at three moments. */
  readonly spentAt: 'order' | 'issuance' | 'failure';
  /** Whether a full cell keeps the order out; the CA counts some units without asking. */
  readonly checked: boolean;
  /** Whose failure it is. */
  readonly identifier?: string;
}

export interface Uses {
  /** All of them. */
  readonly uses: readonly CellUse[];
  /** That of the exact set, by which equal needs are told. */
  readonly set: CellUse;
  /** Account and exact set: of two equal ones the later waits. */
  readonly need: string;
}

/**
 * Boulder's NewOrderLimitTransactions and what it spends later: a renewal is asked for neither order nor domain, an ARI renewal for nothing;
 * an issued certificate always counts for its exact set, a failure always for its name.
 */
export function usesOf(ask: Ask, limits: Limits): Uses {
  const { account } = ask;
  const make = (limit: LimitName, subject: string, spentAt: CellUse['spentAt'], checked: boolean): CellUse => {
    return { key: cellKey(limit, subject), limit, subject, rate: rateOf(limits, limit, subject), spentAt, checked };
  };
  const names = sortedNames(ask.identifiers);
  const isAsked = ask.class !== 'ari';
  const set = make('certificatesPerExactSet', exactSet(names), 'issuance', isAsked);
  const need = `${account} ${set.key}`;
  const failures = names.map((identifier) => ({
    ...make('failedAuthorizations', `${account} ${identifier}`, 'failure', isAsked),
    identifier,
  }));
  if (ask.class !== 'new') return { set, need, uses: [set, ...failures] };
  const own = overrideOf(limits, 'certificatesPerDomain', account);
  const domains = [...new Set(names.map(registeredDomain))].flatMap((domain) =>
    // An account with a rate of its own is asked for that alone, and counts for the common one all the same.
    own === undefined
      ? [make('certificatesPerDomain', domain, 'issuance', true)]
      : [
          make('certificatesPerDomain', `${account} ${domain}`, 'issuance', true),
          make('certificatesPerDomain', domain, 'issuance', false),
        ],
  );
  return { set, need, uses: [make('newOrdersPerAccount', account, 'order', true), ...domains, set, ...failures] };
}
