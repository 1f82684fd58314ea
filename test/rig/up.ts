// `npm run up`: starts the embedded world in the background and prints how to use it. `-- --no-controller` leaves the
// controller out, `-- --controller-flag=--x=y` (repeatable) adds a flag to it.

import { fork } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tail } from './part.ts';
import { type Place, rigPlace } from './rig-place.ts';
import type { Report } from './supervisor.ts';

const place = rigPlace();

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  try {
    const options = {
      'controller-flag': { type: 'string', multiple: true },
      'no-controller': { type: 'boolean' },
    } as const;
    parseArgs({ args, options });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
  await mkdir(place.dir, { recursive: true });
  const outcome = await launch(place, args);
  switch (outcome.kind) {
    case 'ready':
      console.log(await instructions(place));
      return 0;
    case 'already runs':
      console.log(`The world already runs (see ${place.envFile}). To end it: npm run down`);
      return 0;
    case 'failed':
      console.error(outcome.why);
      return 1;
    default:
      outcome satisfies never;
      return 1;
  }
}

type Outcome = Exclude<Report, { readonly kind: 'progress' }>;

// Detached, with its output in a file: it outlives this terminal.
async function launch({ logFile }: Place, args: readonly string[]): Promise<Outcome> {
  await using log = await open(logFile, 'a');
  const supervisor = fork(join(import.meta.dirname, 'supervisor.ts'), args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  return new Promise((resolve) => {
    let why: string | undefined;
    supervisor.on('message', (said: Report) => {
      if (said.kind === 'progress') return console.log(said.line);
      // A failed one is waited for: it has a world to end first.
      if (said.kind === 'failed') {
        why = said.why;
        return;
      }
      resolve(said);
      supervisor.disconnect();
      supervisor.unref();
    });
    supervisor.on('exit', async () => resolve({ kind: 'failed', why: why ?? (await tail(logFile)) }));
  });
}

async function instructions({ envFile, controllerScript }: Place): Promise<string> {
  const env = await readFile(envFile, 'utf8');
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(env)?.[1];
  const command = (await readFile(controllerScript, 'utf8')).split('\n')[1]?.replace(/^exec | "\$@"$/g, '');
  const pid = value('CONTROLLER_PID');
  return [
    '',
    'The world runs. Use it:',
    `  export KUBECONFIG=${value('KUBECONFIG')}`,
    `  alias kubectl=${value('KUBECTL')}`,
    `  set -a; . ${envFile}; set +a     # ACME_DIRECTORY, SOLVER_URL, METRICS_URL and the rest`,
    pid === undefined
      ? 'There is no controller in it. To start one:'
      : `The controller is process ${pid}, its log ${value('CONTROLLER_LOG')}`,
    pid === undefined
      ? `  ${controllerScript}     # or, in full:`
      : `To restart it by hand: kill ${pid}; ${controllerScript}     # or, in full:`,
    `  ${command}`,
    'To end everything: npm run down',
  ].join('\n');
}

process.exitCode = await main();
