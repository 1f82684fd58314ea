// Which of several objects comes first: the older, then by name. Called by gateway.ts for listeners and by claims.ts for Secrets.
// An XListenerSet and the ListenerSet of its name count as one object, as old as the older of them: moving to the new API costs no place.

import type { Source } from './source.ts';

/** RFC 3339 texts, which sort as they are. */
export type Ages = ReadonlyMap<Source, string>;

export function agesOf(sets: readonly Source[]): Ages {
  const oldest = new Map<string, string>();
  for (const set of sets) {
    const age = oldest.get(keyOf(set));
    if (age === undefined || set.created < age) oldest.set(keyOf(set), set.created);
  }
  return new Map(sets.map((set) => [set, oldest.get(keyOf(set)) ?? set.created]));
}

/** Gateway API's order of listener sets: creation, then "namespace/name". */
export function byPrecedence(a: Source, b: Source, ages: Ages): number {
  return (
    compare(ages.get(a) ?? a.created, ages.get(b) ?? b.created) ||
    compare(keyOf(a), keyOf(b)) ||
    compare(a.subject.kind, b.subject.kind)
  );
}

function keyOf({ namespace, name }: Source): string {
  return `${namespace}/${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
