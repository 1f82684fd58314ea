// The metrics of budgets: what is left, who waits, what was held back and what a CA refused. Read from the ledgers at each scrape, so that nothing is
// kept twice. Labels stay few: of a big CA only the scarcest cells, and the tenants with the longest queues. Called by metrics.ts.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { Ask } from '../budget/ask.ts';
import type { CellView } from '../budget/entry.ts';
import type { KeptHolds } from '../budget/holds.ts';

/** One CA's directory, as its ledger and its line are at the moment. */
export interface BudgetSample {
  readonly directory: string;
  /** `Ledger.view`. */
  readonly cells: readonly CellView[];
  /** `Ledger.snapshot`, of each account. */
  readonly kept: readonly KeptHolds[];
  readonly waiting: readonly Pick<Ask, 'class' | 'tenant' | 'since'>[];
}

export interface BudgetMetrics {
  /** What each scrape asks; called once, by whoever keeps the ledgers. Times are on the clock of `now`. */
  budgets(read: () => readonly BudgetSample[], now: () => number): void;
  /** An order begins to wait for this limit, by our own count; once per wait. */
  budgetDenied(limit: string): void;
  /** The CA has answered 429; `unknown` where it does not name the limit. */
  budgetRefused(limit: string): void;
}

const mostOthers = 20;
const mostAccounts = 200;
const mostTenants = 50;
const rest = '(others)';

export function budgetMetrics(registry: Registry): BudgetMetrics {
  const registers = [registry];
  const labelNames = ['limit'];
  const denials = new Counter({
    name: 'certway_budget_denials_total',
    help: 'Orders that were held back because a limit of the CA is spent, by our own count.',
    labelNames,
    registers,
  });
  const refusals = new Counter({
    name: 'certway_budget_refusals_total',
    help: 'Requests that the CA refused for a rate limit (429).',
    labelNames,
    registers,
  });
  let read: () => readonly BudgetSample[] = () => [];
  let now: () => number = Date.now;
  registerGauges(
    registry,
    () => read(),
    () => now(),
  );
  return {
    budgets: (source, clock) => {
      read = source;
      now = clock;
    },
    budgetDenied: (limit) => denials.inc({ limit }),
    budgetRefused: (limit) => refusals.inc({ limit }),
  };
}

function registerGauges(registry: Registry, read: () => readonly BudgetSample[], now: () => number): void {
  const ofCells = (name: string, help: string, value: (cell: CellView) => number) =>
    gauge(registry, name, help, ['directory', 'limit', 'subject'], () =>
      read().flatMap(({ directory, cells }) =>
        scarcest(cells).map((cell) => {
          const { limit, subject } = cell;
          return { labels: { directory, limit, subject }, value: value(cell) };
        }),
      ),
    );
  ofCells('certway_budget_remaining', 'Units of a limit that are free now.', ({ left }) => left);
  ofCells('certway_budget_burst', 'Units of a limit that are free when nothing is spent.', ({ burst }) => burst);
  ofCells('certway_budget_next_free_seconds', 'Seconds until the next unit is free; 0: now.', ({ nextFree }) =>
    Math.max(0, (nextFree - now()) / 1000),
  );
  gauge(
    registry,
    'certway_budget_held',
    'What a CA has stopped, until a time or a person.',
    ['directory', 'kind'],
    () => read().flatMap(holds),
  );
  gauge(registry, 'certway_budget_waiting', 'Orders that wait for a limit.', ['class', 'tenant'], () => queues(read()));
  gauge(
    registry,
    'certway_budget_oldest_wait_seconds',
    'How long the oldest order of a class has waited for a limit.',
    ['class'],
    () => oldest(read(), now()),
  );
}

/** `endpoint`: for everybody behind this address. `pause`: until a person acts. */
function holds({ directory, kept }: BudgetSample): readonly Sample[] {
  const counts = {
    account: kept.filter(({ accountHold }) => accountHold !== undefined).length,
    endpoint: kept.some(({ directoryHold }) => directoryHold !== undefined) ? 1 : 0,
    pause: kept.reduce((sum, { pauses }) => sum + pauses.length, 0),
  };
  return Object.entries(counts).map(([kind, value]) => ({ labels: { directory, kind }, value }));
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function gauge(registry: Registry, name: string, help: string, labelNames: string[], read: () => readonly Sample[]) {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of read()) this.set(labels, value);
    },
  });
}

/** Those of accounts, and of all others the few with the smallest part left, latest next unit first; none without a rate. */
export function scarcest(cells: readonly CellView[]): readonly CellView[] {
  const byScarcity = cells
    .filter(({ emissionMs }) => emissionMs > 0)
    .toSorted((one, other) => one.left / one.burst - other.left / other.burst || other.nextFree - one.nextFree);
  const isAccount = ({ limit }: CellView) => limit === 'newOrdersPerAccount' || limit === 'newAccountsPerIp';
  return [
    ...byScarcity.filter(isAccount).slice(0, mostAccounts),
    ...byScarcity.filter((cell) => !isAccount(cell)).slice(0, mostOthers),
  ];
}

/** By class and tenant; the tenants with the shortest queues are one. */
function queues(budgets: readonly BudgetSample[]): readonly Sample[] {
  const waiting = budgets.flatMap((budget) => budget.waiting);
  const long = Object.entries(Object.groupBy(waiting, ({ tenant }) => tenant))
    .toSorted(([, one = []], [, other = []]) => other.length - one.length)
    .slice(0, mostTenants);
  const shown = new Set(long.map(([tenant]) => tenant));
  const counts = new Map<string, { readonly labels: Sample['labels']; value: number }>();
  for (const each of waiting) {
    const labels = { class: each.class, tenant: shown.has(each.tenant) ? each.tenant : rest };
    const key = JSON.stringify(labels);
    const count = counts.get(key) ?? { labels, value: 0 };
    count.value += 1;
    counts.set(key, count);
  }
  return [...counts.values()];
}

function oldest(budgets: readonly BudgetSample[], now: number): readonly Sample[] {
  const waiting = Object.groupBy(
    budgets.flatMap((budget) => budget.waiting),
    (each) => each.class,
  );
  return Object.entries(waiting).map(([name, each = []]) => {
    const since = each.reduce((first, { since }) => Math.min(first, since), now);
    return { labels: { class: name }, value: Math.max(0, (now - since) / 1000) };
  });
}
