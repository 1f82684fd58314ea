// Waiting for a condition with a deadline: the only way tests and the rig wait. A failure says what was awaited and what
// was last seen, so that a red run can be read without its logs.

import { inspect } from 'node:util';

export interface Patience {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

const firstPauseMs = 25;
const longestPauseMs = 250;
const defaultDeadlineMs = 15_000;

/**
 * The first value of `probe` that is neither undefined nor false. A probe that throws counts as «not yet», and its error
 * is what was last seen. Rejects at the deadline (15 s by default), or with the signal's reason.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = defaultDeadlineMs, signal }: Patience = {},
): Promise<T> {
  const started = performance.now();
  let pause = firstPauseMs;
  for (;;) {
    signal?.throwIfAborted();
    const seen = await attempt(probe);
    if (seen.kind === 'there') return seen.value;
    if (performance.now() - started + pause > deadlineMs) {
      const message = `waited ${(deadlineMs / 1000).toFixed(1)} s for ${what}; last seen: ${describe(seen)}`;
      throw seen.kind === 'threw' ? new Error(message, { cause: seen.error }) : new Error(message);
    }
    await new Promise((resume) => setTimeout(resume, pause));
    pause = Math.min(longestPauseMs, pause * 1.5);
  }
}

type Seen<T> =
  | { readonly kind: 'there'; readonly value: T }
  | { readonly kind: 'not yet'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown };

async function attempt<T>(probe: () => Promise<T | undefined | false> | T | undefined | false): Promise<Seen<T>> {
  try {
    const value = await probe();
    return value === undefined || value === false ? { kind: 'not yet', value } : { kind: 'there', value };
  } catch (error) {
    return { kind: 'threw', error };
  }
}

function describe(seen: Seen<unknown>): string {
  if (seen.kind !== 'threw') return inspect(seen.value, { depth: 3, breakLength: 120 });
  return seen.error instanceof Error ? seen.error.message : inspect(seen.error);
}
