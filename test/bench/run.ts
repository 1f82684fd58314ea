// `npm run bench`: measures each benchmark in a fresh world. With --json one JSON object per line on stdout and nothing else there;
// progress and the list of writes go to stderr. Ctrl-C ends everything that was started.

import { parseArgs } from 'node:util';
import { measure } from './measure.ts';
import { jsonLine, type Measured, resultTable, writesTable } from './result.ts';
import { type Benchmark, suite } from './suite.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    repeat: { type: 'string', default: '1' },
  },
});

const tell = (line: string) => void process.stderr.write(`${line}\n`);
// The world's tether ends its parts, and removes its directory, however this process ends.
const leave = () => process.exit(130);
process.once('SIGINT', leave).once('SIGTERM', leave);

const all: Measured[] = [];
for (const benchmark of chosen(values.only, Number(values.repeat))) {
  const measured = await measure(benchmark, tell);
  all.push(measured);
  tell(writesTable(measured));
  if (values.json) {
    process.stdout.write(`${jsonLine(measured)}\n`);
  }
}
if (!values.json) {
  process.stdout.write(`${resultTable(all)}\n`);
}

function chosen(only: string | undefined, repeat: number): readonly Benchmark[] {
  const names = only?.split(',') ?? suite.map(({ name }) => name);
  const unknown = names.filter((name) => !suite.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0 || !(Number.isInteger(repeat) && repeat > 0)) {
    tell(`usage: npm run bench -- [--json] [--repeat N] [--only ${suite.map(({ name }) => name).join(',')}]`);
    process.exit(2);
  }
  const once = suite.filter(({ name }) => names.includes(name));
  return Array.from({ length: repeat }, () => once).flat();
}
