// The build cache in ~/.cache/certway: each entry is a directory made once, under a temporary name, and renamed into
// place. Two runs side by side share the work: one builds, the other waits for it.

import { mkdir, mkdtemp, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './wait.ts';

const staleMs = 15_000;
const touchMs = 3_000;
const longestBuildMs = 3_600_000;

/** The directory `<root>/<name>`; `fill` makes its content when it is not there yet. A failed fill leaves nothing behind. */
export async function cached(
  root: string,
  name: string,
  fill: (dir: string) => Promise<void>,
  onWait: () => void,
): Promise<string> {
  const entry = join(root, name);
  if (await exists(entry)) return entry;
  await mkdir(root, { recursive: true });
  await using _lock = await lock(`${entry}.lock`, onWait);
  if (await exists(entry)) return entry;
  const draft = await mkdtemp(`${entry}.draft-`);
  try {
    await fill(draft);
    await rename(draft, entry);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return entry;
}

// The holder touches its lock file; an untouched one belongs to a killed run. Should two waiters take over the same
// stale lock at once, both build, and the rename above still leaves one whole entry.
async function lock(file: string, onWait: () => void): Promise<AsyncDisposable> {
  let waiting = false;
  await until(
    `the lock ${file}`,
    async () => {
      if (await take(file)) return true;
      if (await isStale(file)) await rm(file, { force: true });
      else if (!waiting) onWait();
      waiting = true;
      return false;
    },
    { deadlineMs: longestBuildMs },
  );
  const touching = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined); // removed by hand: the rename keeps us safe
  }, touchMs);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(touching);
      await rm(file, { force: true });
    },
  };
}

async function take(file: string): Promise<boolean> {
  try {
    await (await open(file, 'wx')).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleMs;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
