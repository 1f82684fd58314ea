// What one run of a benchmark found, and how it is printed: a JSON line for machines, a table and the writes for people. Pure.

import type { WriteRow } from '../rig/audit.ts';

/** Seconds count from the first create; figures per certificate are means. */
export interface Result {
  readonly name: string;
  readonly certificates: number;
  /** Until the last Secret held its certificate. */
  readonly seconds: number;
  readonly first_s: number;
  readonly median_s: number;
  /** Mutating requests of the controller's own user in the audit log, refused ones and events included, Leases apart. */
  readonly writes_per_certificate: number;
  /** The same of all clients, from the API server's counters: includes the one create of the listener set by the benchmark. */
  readonly writes_all: number;
  /** Of the controller, from the first create until it was silent again: its start is not in it. */
  readonly cpu_s: number;
  /** Of the controller, since its start. */
  readonly rss_peak_mb: number;
  /** The longest that the controller's event loop stood still, in the same time as its CPU. */
  readonly loop_delay_max_ms: number;
  readonly acme_requests: number;
}

export interface Measured {
  readonly result: Result;
  /** The controller's writes. */
  readonly writes: readonly WriteRow[];
}

export function jsonLine({ result }: Measured): string {
  return JSON.stringify(result);
}

const columns: readonly (keyof Result)[] = [
  'name',
  'certificates',
  'seconds',
  'first_s',
  'median_s',
  'writes_per_certificate',
  'writes_all',
  'cpu_s',
  'rss_peak_mb',
  'loop_delay_max_ms',
  'acme_requests',
];

export function resultTable(all: readonly Measured[]): string {
  const cells = [columns.map(String), ...all.map(({ result }) => columns.map((column) => String(result[column])))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One line per kind of write, with its number per certificate: where the waste is. */
export function writesTable({ result, writes }: Measured): string {
  const lines = writes.map(({ verb, resource, code, count }) => {
    const each = (count / result.certificates).toFixed(2).padStart(6);
    return `  ${each} × ${verb} ${resource}${code < 300 ? '' : ` → ${code}`}`;
  });
  return [`${result.name}: the controller's writes per certificate`, ...lines].join('\n');
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
