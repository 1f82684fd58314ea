// Started by rig.test.ts as a process of its own: brings something up, says so, and waits to be killed.
// Arguments: `world`, or `tether` for a lone part that sleeps.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTether } from '../rig/tether.ts';
import { startWorld } from '../rig/world.ts';

async function hold(what: string | undefined): Promise<{ dir: string; group: number }> {
  if (what === 'world') {
    const { dir, tether } = await startWorld();
    return { dir, group: tether.pid };
  }
  const dir = await mkdtemp(join(tmpdir(), 'certway-tether-'));
  const tether = await startTether(dir);
  await tether.start({ argv: ['sleep', '600'], logFile: join(dir, 'sleep.log') });
  return { dir, group: tether.pid };
}

process.send?.(await hold(process.argv[2]));
setInterval(() => undefined, 60_000);
