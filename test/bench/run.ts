// `npm run bench`: measures each benchmark, or those whose names are given or begin with one, in a fresh world where it needs one. With --json one JSON
// object per line on stdout and nothing else there; progress and the list of writes go to stderr. Ctrl-C ends everything that was started.

import { parseArgs } from 'node:util';
import { deadBenchmark, measureBehindDead } from './behind-dead.ts';
import { dnsBenchmark, measureDns } from './dns01.ts';
import { infraBenchmark, measureInfra } from './infra-500.ts';
import { limitsBenchmarks, measureLimits } from './limits.ts';
import { lineBenchmark, measureLine } from './line.ts';
import { measure } from './measure.ts';
import { measureResolve, resolveBenchmark } from './resolve.ts';
import { jsonLine, type Measured, resultTable, writesTable } from './result.ts';
import { suite } from './suite.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
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
for (const name of chosen()) {
  const limits = limitsBenchmarks.find((each) => each.name === name);
  if (limits !== undefined) print(await measureLimits(limits, tell));
  else if (name === resolveBenchmark.name) print(measureResolve());
  else if (name === lineBenchmark.name) print(measureLine());
  else if (name === deadBenchmark.name) await behindDead();
  else if (name === dnsBenchmark.name) print(await measureDns(tell));
  else if (name === infraBenchmark.name) print(await measureInfra(tell));
  else await plain(name);
}
if (!values.json && all.length > 0) {
  process.stdout.write(`${resultTable(all)}\n`);
}

function print(result: object): void {
  process.stdout.write(`${JSON.stringify(result, undefined, values.json ? 0 : 2)}\n`);
}

async function plain(name: string): Promise<Measured> {
  const benchmark = suite.find((each) => each.name === name);
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`);
  const measured = await measure(benchmark, tell);
  all.push(measured);
  tell(writesTable(measured));
  if (values.json) process.stdout.write(`${jsonLine(measured)}\n`);
  return measured;
}

/** Beside the same without the dead, from this run. */
async function behindDead(): Promise<void> {
  const { likewise } = deadBenchmark;
  const { result } = all.findLast((each) => each.result.name === likewise) ?? (await plain(likewise));
  const benchmark = suite.find(({ name }) => name === likewise);
  if (benchmark !== undefined) print(await measureBehindDead(benchmark, result.seconds, tell));
}

/** --only names benchmarks exactly; a plain word takes all whose names begin with it. */
function chosen(): readonly string[] {
  const repeat = Number(values.repeat);
  const known = [
    resolveBenchmark,
    lineBenchmark,
    ...suite,
    deadBenchmark,
    dnsBenchmark,
    infraBenchmark,
    ...limitsBenchmarks,
  ].map(({ name }) => name);
  const exact = values.only?.split(',') ?? [];
  const unknown = [
    ...exact.filter((name) => !known.some((each) => each === name)),
    ...positionals.filter((word) => !known.some((each) => each.startsWith(word))),
  ];
  if (unknown.length > 0 || !(Number.isInteger(repeat) && repeat > 0)) {
    tell(`usage: npm run bench -- [--json] [--repeat N] [--only ${known.join(',')}] [WORD…]`);
    process.exit(2);
  }
  const isChosen = (name: string) => exact.includes(name) || positionals.some((word) => name.startsWith(word));
  const names = exact.length + positionals.length === 0 ? known : known.filter(isChosen);
  return Array.from({ length: repeat }, () => names).flat();
}
