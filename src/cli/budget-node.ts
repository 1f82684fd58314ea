// What `certway budget` answers with, as text or as JSON. Made by budget-view.ts, printed by budget-print.ts. Times are epoch ms.

export interface SpentBy {
  readonly tenant: string;
  readonly count: number;
}

export interface CellRow {
  /** The limit's name in the configuration, such as certificatesPerDomain. */
  readonly limit: string;
  /** A domain, an address, a name, an account's URL, or a set of names as budgets call it: "first+2:hash". */
  readonly subject: string;
  readonly used: number;
  readonly left: number;
  readonly burst: number;
  /** Not after now: there is one. */
  readonly nextFree: number;
  /** By the Orders that are still there, most first. */
  readonly spentBy: readonly SpentBy[];
}

export interface WaitRow {
  /** ari, renewal or new; unknown where no Order says. */
  readonly class: string;
  readonly tenant: string;
  readonly order: string;
  readonly since: number;
  readonly until?: number;
  readonly why: string;
}

export type HoldRow =
  | { readonly kind: 'account' | 'endpoint'; readonly until: number }
  /** Of a set of names, until somebody has visited the page. */
  | { readonly kind: 'pause'; readonly set: string; readonly url: string };

export interface AccountBudget {
  readonly directory: string;
  readonly account: string;
  /** Those that use it: "ClusterIssuer le", "Issuer team-a/le". */
  readonly issuers: readonly string[];
  /** Of the controller's books; absent where it keeps none yet. */
  readonly notedAt?: number;
  readonly holds: readonly HoldRow[];
  /** Scarcest first. */
  readonly cells: readonly CellRow[];
  /** First come first. */
  readonly waiting: readonly WaitRow[];
}

export interface BudgetView {
  readonly accounts: readonly AccountBudget[];
  /** Sentences without full stops: what could not be looked at, and which right is missing. */
  readonly unseen: readonly string[];
}
