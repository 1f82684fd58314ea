// Starting one part of the world and waiting until it answers: an early end is told with the last lines of its log, and a
// port that someone else took meanwhile is a reason to try again with another.

import { readFile } from 'node:fs/promises';
import type { Command, Part, Tether } from './tether.ts';
import { until } from './wait.ts';

export interface Readiness {
  readonly name: string;
  readonly deadlineMs: number;
  probe(): Promise<boolean>;
}

const attempts = 4;
const tailLines = 30;

/** Starts a part, with a fresh command (and so fresh ports) for each attempt; resolves when it is ready. */
export async function startPart<T extends { readonly command: Command; readonly readiness: Readiness }>(
  tether: Tether,
  draft: () => Promise<T>,
): Promise<T & { readonly part: Part }> {
  for (let attempt = 1; ; attempt += 1) {
    const drafted = await draft();
    const part = await tether.start(drafted.command);
    try {
      await ready(part, drafted.readiness);
      return { ...drafted, part };
    } catch (error) {
      const log = await readFile(part.logFile, 'utf8').catch(() => '');
      if (attempt === attempts || !/address already in use/i.test(log)) throw error;
    }
  }
}

/** Resolves when the probe says so; rejects with the tail of the part's log if it ends before, or takes too long. */
export async function ready(part: Part, { name, deadlineMs, probe }: Readiness): Promise<void> {
  const gone = new AbortController();
  void part.exited.then((code) => gone.abort(new Error(`${name} ended with code ${code} before it was ready`)));
  try {
    await until(`${name} to be ready`, probe, { deadlineMs, signal: gone.signal });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${why}. The end of its log (${part.logFile}):\n${await tail(part.logFile)}`, { cause });
  }
}

/** The last lines of a log file, for messages. */
export async function tail(file: string): Promise<string> {
  const log = await readFile(file, 'utf8').catch(() => '');
  return log.trimEnd().split('\n').slice(-tailLines).join('\n');
}
