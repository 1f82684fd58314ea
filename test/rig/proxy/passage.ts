// What a fault proxy remembers of each request, and the one promise of a client that can be read off it: never to come before Retry-After.
// Written by fault-proxy.ts, read by tests.

import type { OutgoingHttpHeaders } from 'node:http';

/** One request that has passed, in order of arrival. Times are epoch ms. */
export interface Passage {
  readonly edge: string;
  readonly name?: string;
  readonly at: number;
  /** What the upstream or the script answered, 0 if the upstream broke. */
  status?: number;
  /** What the upstream answered, whatever the client got to see of it; absent where it was not asked. */
  upstream?: number;
  /** Before when the client was asked not to come again. */
  notBefore?: number;
}

export function recordAnswer(
  passage: Passage,
  { status, headers }: { readonly status: number; readonly headers: OutgoingHttpHeaders },
): void {
  passage.status = status;
  const wait = waitOf(headers);
  if (wait !== undefined) passage.notBefore = Date.now() + wait;
}

/** ms (RFC 9110 §10.2.3); a date counts from the answer's own Date. */
function waitOf(headers: OutgoingHttpHeaders): number | undefined {
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const { 'retry-after': said, date } = named;
  if (said === undefined) return undefined;
  if (/^\d+$/.test(said)) return Number(said) * 1000;
  return Date.parse(said) - (date === undefined ? Date.now() : Date.parse(date));
}

/** Every request about the same thing (the same name) that came before an answer had allowed it, as a sentence. */
export function tooEarly(passed: readonly Passage[]): readonly string[] {
  return passed.flatMap((first, index) => {
    const { notBefore, name } = first;
    if (notBefore === undefined || name === undefined) return [];
    return passed
      .slice(index + 1)
      .filter((next) => next.name === name && next.at < notBefore)
      .map((next) => `${next.edge} ${name} came ${notBefore - next.at} ms before «${first.edge}» had allowed it`);
  });
}
