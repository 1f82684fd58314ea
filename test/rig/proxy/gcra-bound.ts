// How soon a demand could be met at best under given rates: what a benchmark's seconds are held against. Pure.

import type { Rates } from './gcra.ts';
import { type Cell, cellsOf } from './gcra-cells.ts';

/**
 * Seconds from full cells: n units of a cell with burst b and one unit per e need (n − b)·e, and the slowest cell decides. For first certificates: what
 * Boulder exempts, and what slips past its unreserved check side by side, is not counted in.
 */
export function lowerBoundSeconds(
  demand: readonly { readonly account: string; readonly names: readonly string[] }[],
  rates: Rates,
): number {
  const units = new Map<string, { readonly cell: Cell; count: number }>();
  for (const one of demand) {
    const { orders, domains, exactSet } = cellsOf(one);
    for (const cell of [orders, ...domains, exactSet]) {
      const key = `${cell.limit} ${cell.subject}`;
      const counted = units.get(key) ?? { cell, count: 0 };
      counted.count += 1;
      units.set(key, counted);
    }
  }
  const needs = [...units.values()].map(({ cell, count }) => {
    const { burst, everyMs } = rates[cell.limit];
    return ((count - burst) * everyMs) / 1000;
  });
  return Math.max(0, ...needs);
}
