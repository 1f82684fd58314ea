// Benchmark line-2000: what one decision costs while 2,000 orders wait for a CA with the limits of Let's Encrypt. Values only: no API server, no CA.

import { Ledger } from '../../src/budget/ledger.ts';
import { knownLimits } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { ask, born } from '../budget/dice.ts';
import { median, round } from './result.ts';

export const lineBenchmark = { name: 'line-2000', waiting: 2_000, tenants: 50, domains: 200 } as const;

const decisions = 60;
/** One short of the burst. */
const underWay = 299;

export interface LineResult {
  readonly name: string;
  readonly waiting: number;
  /** Of CPU, for one decision: the best says what the code costs, the rest what else this machine does. */
  readonly best_ms: number;
  readonly median_ms: number;
  readonly first_ms: number;
}

/** Throws when a decision is not as it must be. */
export function measureLine(): LineResult {
  const { name, waiting, tenants, domains } = lineBenchmark;
  const ledger = new Ledger(knownLimits('https://acme-v02.api.letsencrypt.org/directory'));
  const make = (at: number) => {
    const domain = `d${at % domains}.test`;
    const identifiers = [`w${at}.${domain}`, `d${at}.${domain}`];
    return ask({ id: `order-${at}`, tenant: `team-${at % tenants}`, identifiers, since: born + at });
  };
  for (let at = 0; at < underWay; at += 1) {
    ledger.reserve(make(10_000 + at), born);
    ledger.placed(`order-${10_000 + at}`, born);
  }
  const asks = Array.from({ length: waiting }, (_, at) => make(at));
  const costs = Array.from({ length: decisions }, () => {
    const before = process.cpuUsage();
    const { waits } = decide(ledger, asks, noRounds, born);
    const { user, system } = process.cpuUsage(before);
    if (waits.size !== waiting - 1) throw new Error(`${name}: ${waits.size} wait of ${waiting}, and one could go`);
    return (user + system) / 1000;
  });
  return {
    name,
    waiting,
    best_ms: round(Math.min(...costs), 1),
    median_ms: round(median(costs.toSorted((a, b) => a - b)), 1),
    first_ms: round(costs[0] ?? 0, 0),
  };
}
