// `npm run demo`: a bare machine becomes an embedded world, the example gets its certificates, and each chain is checked against
// its CA. Exits 0 when all are good, 1 with the reasons when one does not come; `-- --keep` leaves everything up.

import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { execa } from 'execa';
import type { KubeObject } from '../../src/api/meta.ts';
import { startController } from './controller.ts';
import { openClient } from './demo/client.ts';
import { listenersOf, namespacesOf, readExample } from './demo/example.ts';
import { rootsOf } from './demo/roots.ts';
import { nameOf, type Row, rowsOf, type Verdicts } from './demo/rows.ts';
import { openScreen, type Screen } from './demo/screen.ts';
import { type Seen, startWatching, type Watching } from './demo/seen.ts';
import { verdictsOn } from './demo/verdicts.ts';
import { explain } from './demo/why.ts';
import { kubectlFor } from './kubectl.ts';
import { tail } from './part.ts';
import { until } from './wait.ts';
import { startWorld, type World } from './world.ts';

const patienceMs = 60_000;
const main = join(import.meta.dirname, '../../src/main.ts');
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
using screen = openScreen(process.stdout);
// The world's tether ends all that we started, whenever and however this process ends.
const leave = () => {
  screen[Symbol.dispose]();
  process.exit(130);
};
process.once('SIGINT', leave).once('SIGTERM', leave);
process.exitCode = await demo(screen).catch((error: unknown) => {
  screen.say(inspect(error, { depth: 3 }));
  return 1;
});

async function demo(screen: Screen): Promise<number> {
  const begun = performance.now();
  await using world = await startWorld({ progress: screen.say });
  const worldUp = performance.now();
  screen.say('Starting the controller …');
  await using controller = await startController(world);
  const controllerUp = performance.now();
  const example = await readExample(world.acme);
  await using client = await openClient(world.kubeconfig, 2);
  await using watching = startWatching(client);
  await applyAsUser(world, example);
  screen.say('Applied examples/listenersets.yaml');
  const wanted = listenersOf(example).length;
  const rows = await showUntilIssued(watching, wanted, screen);
  const verdicts = await judge(world, example, watching.seen, rows);
  const judged = rowsOf(watching.seen, performance.now(), verdicts);
  screen.show(judged);
  const bad = judged.filter((row) => verdicts.get(`${row.namespace}/${row.secretName}`)?.kind !== 'verified');
  const good = judged.length >= wanted && bad.length === 0;
  screen.say('');
  if (good) {
    screen.say('Every hostname has a certificate that leads to its CA.');
  } else {
    await tellWhy(screen, await explain(client, bad, namespacesOf(example)), controller.logFile);
  }
  tellTimes(
    screen,
    { world: worldUp - begun, controller: controllerUp - worldUp, all: performance.now() - begun },
    rows,
  );
  if (values.keep) {
    await keepUp(screen, world);
  }
  return good ? 0 : 1;
}

/** Exactly what a user does: kubectl, with the Secret rights that `certway grant` prints. */
async function applyAsUser(world: World, example: readonly KubeObject[]): Promise<void> {
  const kubectl = kubectlFor(world);
  const granted = await execa(process.execPath, [main, 'grant', ...namespacesOf(example)]);
  await kubectl.apply(granted.stdout);
  await kubectl.apply(example);
}

async function showUntilIssued({ seen, broken }: Watching, wanted: number, screen: Screen): Promise<readonly Row[]> {
  const issued = until(
    'all certificates',
    () => {
      const rows = rowsOf(seen, performance.now());
      screen.show(rows);
      return rows.length >= wanted && rows.every((row) => row.done);
    },
    { deadlineMs: patienceMs },
  );
  await Promise.race([issued.catch(() => undefined), broken]);
  return rowsOf(seen, performance.now());
}

async function judge(
  world: World,
  example: readonly KubeObject[],
  seen: Seen,
  rows: readonly Row[],
): Promise<Verdicts> {
  return verdictsOn(rows, seen, await rootsOf(example, seen, world.acme), Date.now());
}

async function tellWhy(screen: Screen, reasons: readonly string[], logFile: string): Promise<void> {
  screen.say('Not every hostname has a certificate that leads to its CA. What the cluster says:');
  for (const line of reasons) {
    screen.say(line);
  }
  screen.say(`The controller's log, ${logFile} (with -- --keep it stays), ends:`);
  screen.say(await tail(logFile));
}

interface Times {
  readonly world: number;
  readonly controller: number;
  readonly all: number;
}

function tellTimes(screen: Screen, times: Times, rows: readonly Row[]): void {
  screen.say('');
  screen.say('Where the time went');
  screen.say(`  world          ${seconds(times.world)}`);
  screen.say(`  controller     ${seconds(times.controller)}`);
  for (const row of rows.filter((one) => one.done)) {
    screen.say(`  ${row.hostname.padEnd(13)}  ${seconds(row.ms)}  from ${nameOf(row)} to Secret/${row.secretName}`);
  }
  screen.say(`  all            ${seconds(times.all)}`);
}

async function keepUp(screen: Screen, world: World): Promise<void> {
  screen.say('');
  screen.say('The world stays up until you press Ctrl-C. In another terminal:');
  screen.say(`  export KUBECONFIG=${world.kubeconfig} PATH=${dirname(world.kubectl)}:$PATH`);
  screen.say('Worth trying:');
  screen.say('  kubectl get certificates,orders,xlistenersets,listenersets');
  screen.say('  kubectl describe xlistenerset baz');
  screen.say('  kubectl annotate xlistenerset foo cert-manager.io/cluster-issuer=letsencrypt-prod --overwrite');
  process.off('SIGINT', leave).off('SIGTERM', leave);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  screen.say('Ending the world');
}
