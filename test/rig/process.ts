// What `certway controller` and `certway infra` have in common when the rig starts them: they say where they listen, are ready when /readyz says so,
// and end when they are asked to. Called by controller.ts and infra.ts.

import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { ready } from './part.ts';
import type { Part } from './tether.ts';
import { until } from './wait.ts';

const patienceMs = 10_000;

/** What the process logs as `listening`, once it is ready. */
export async function listening(part: Part, name: string, deadlineMs: number): Promise<(what: string) => string> {
  let said: Readonly<Record<string, unknown>> | undefined;
  const address = (what: string) => String(said?.[what]);
  await ready(part, {
    name,
    deadlineMs,
    probe: async () => {
      said ??= (await readFile(part.logFile, 'utf8'))
        .split('\n')
        .map(addressesIn)
        .find((found) => found !== undefined);
      return said !== undefined && (await status(`http://${address('health')}/readyz`)) === 200;
    },
  });
  return address;
}

function addressesIn(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.includes('"listening"')) return undefined;
  const entry: Readonly<Record<string, unknown>> = JSON.parse(line);
  return entry.msg === 'listening' ? entry : undefined;
}

function status(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

/** One that does not end in time when asked is itself a fault, which the log then shows. */
export async function stop(part: Part): Promise<void> {
  let over = false;
  void part.exited.then(() => {
    over = true;
  });
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(part.pid, signal);
    } catch {
      return; // gone already
    }
    await until('the process to end', () => over, { deadlineMs: patienceMs }).catch(() => undefined);
    if (over) return;
  }
}
