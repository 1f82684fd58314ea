// `npm run down`: ends the background world of this checkout completely. Without one it says so, and succeeds.

import { once } from 'node:events';
import { rm, rmdir } from 'node:fs/promises';
import { reach, rigPlace } from './rig-place.ts';
import { until } from './wait.ts';

const endMs = 30_000;
const place = rigPlace();

async function main(): Promise<void> {
  const supervisor = await reach(place);
  if (supervisor === undefined) console.log('No world runs here.');
  else {
    const [greeting] = await once(supervisor, 'data');
    // The connection closes with the process, also where nobody collects its exit code.
    supervisor.on('error', () => undefined).write('stop\n');
    await until('the world to end', () => supervisor.closed, { deadlineMs: endMs }).catch(() => {
      process.kill(Number(String(greeting)), 'SIGKILL'); // its tether ends everything else
    });
    console.log('The world has ended.');
  }
  const files = [place.envFile, place.controllerScript, place.logFile, place.socket];
  await Promise.all(files.map((file) => rm(file, { force: true })));
  await rmdir(place.dir).catch(() => undefined); // holds something of someone else, or was never there
}

await main();
