// Where the demo shows its rows: a table redrawn in place on a terminal, one line per change everywhere else.

import type { Row } from './rows.ts';
import { nameOf } from './rows.ts';
import { lineOf, tableOf } from './table.ts';

export interface Screen extends Disposable {
  /** A line that stays, below what is shown; a table shown later begins below it. */
  say(line: string): void;
  show(rows: readonly Row[]): void;
}

type Output = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'isTTY'>;

export function openScreen(output: Output): Screen {
  return output.isTTY ? terminal(output) : plain(output);
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const clearBelow = '\x1b[J';
const clearToEnd = '\x1b[K';

/** Each frame is one write, without blanking first, and only when it differs from the last: so it does not flicker. */
function terminal(output: Output): Screen {
  let drawn: readonly string[] = [];
  const replace = (lines: readonly string[]): void => {
    const up = drawn.length === 0 ? '' : `\x1b[${drawn.length}A`;
    output.write(`${up}\r${lines.map((line) => `${line}${clearToEnd}\n`).join('')}${clearBelow}`);
    drawn = lines;
  };
  output.write(hideCursor);
  return {
    say: (line) => {
      drawn = [];
      output.write(`${line}\n`);
    },
    show: (rows) => {
      const lines = tableOf(rows, output.columns);
      if (lines.join('\n') !== drawn.join('\n')) {
        replace(lines);
      }
    },
    [Symbol.dispose]: () => void output.write(showCursor),
  };
}

function plain(output: Output): Screen {
  const states = new Map<string, string>();
  const say = (line: string): void => void output.write(`${line}\n`);
  return {
    say,
    show: (rows) => {
      for (const row of rows) {
        const key = `${row.namespace}/${nameOf(row)}/${row.hostname}`;
        if (states.get(key) !== row.state) {
          states.set(key, row.state);
          say(lineOf(row));
        }
      }
    },
    [Symbol.dispose]: () => undefined,
  };
}
