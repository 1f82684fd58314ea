// Which of several objects comes first: the older, then by name. Called by gateway.ts for listeners and by claims.ts for Secrets.
// An XListenerSet and the ListenerSet of its name count as one object, as old as the older of them: moving to the new API costs no place.

import type { Source } from './source.ts';

export type Ages = ReadonlyMap<string, string>;

export function agesOf(sets: readonly Source[]): Ages {
  const ages = new Map<string, string>();
  for (const set of sets) {
    const age = ages.get(ageKey(set));
    if (age === undefined || set.created < age) ages.set(ageKey(set), set.created);
  }
  return ages;
}

/** Gateway API's order of listener sets: creation, then "namespace/name". */
export function byPrecedence(a: Source, b: Source, ages: Ages): number {
  return (
    compare(ageOf(a, ages), ageOf(b, ages)) ||
    compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`) ||
    compare(a.subject.kind, b.subject.kind)
  );
}

function ageOf(source: Source, ages: Ages): string {
  return ages.get(ageKey(source)) ?? source.created;
}

function ageKey(source: Source): string {
  return source.parent === undefined ? '' : `${source.namespace}/${source.name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
