// The demo's rows as text: columns as wide as their content, lines no wider than the terminal. Pure; screen.ts shows it.

import { nameOf, type Row } from './rows.ts';

const heads = ['OBJECT', 'HOSTNAME', 'ISSUER', 'ISSUER FROM', 'STATE', 'SECONDS'];
const gap = '  ';

/** Where the terminal is too narrow, the widest columns give way first. */
export function tableOf(rows: readonly Row[], width: number): readonly string[] {
  const cells = [heads, ...rows.map(cellsOf)];
  const natural = heads.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)));
  const widths = narrowed(natural, width - gap.length * (heads.length - 1));
  return cells.map((line) =>
    line
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join(gap)
      .trimEnd(),
  );
}

function narrowed(widths: readonly number[], room: number): readonly number[] {
  const widest = widths.indexOf(Math.max(...widths));
  const total = widths.reduce((sum, one) => sum + one, 0);
  const least = widths.length;
  return total <= room || total <= least
    ? widths
    : narrowed(
        widths.map((one, column) => (column === widest ? one - 1 : one)),
        room,
      );
}

export function cellsOf(row: Row): readonly string[] {
  return [nameOf(row), row.hostname, row.issuer, row.issuerFrom, row.state, (row.ms / 1000).toFixed(1)];
}

/** One line for a terminal that cannot redraw. */
export function lineOf(row: Row): string {
  const [object, hostname, issuer, from, state, seconds] = cellsOf(row);
  return `${object} ${hostname}: ${state} after ${seconds} s (${issuer}, named by ${from})`;
}

function pad(cell: string, width: number, column: number): string {
  const fitted = cell.length <= width ? cell : `${cell.slice(0, Math.max(0, width - 1))}…`;
  return column === heads.length - 1 ? fitted.padStart(width) : fitted.padEnd(width);
}
