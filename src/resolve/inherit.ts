// Which of a Gateway's annotations its ListenerSets take: the opt-in list `certway.dev/inherit`, and what it gives one ListenerSet.
// Called by gateway.ts once per Gateway and once per ListenerSet.

import { keys } from './annotation-keys.ts';
import { type AnnotationRow, annotationTable } from './annotation-table.ts';
import { readList } from './annotation-values.ts';
import type { Inherited } from './annotations.ts';
import type { Source } from './source.ts';
import { listed, quoted } from './words.ts';

export interface Bequest {
  /** The rows that the Gateway's owner opted in to, where the Gateway has a value for them. */
  readonly rows: readonly AnnotationRow[];
  readonly problem?: string;
}

const inheritable: ReadonlyMap<string, AnnotationRow> = new Map(
  annotationTable.filter((row) => row.unit !== undefined).map((row) => [shortName(row), row]),
);

const keysOfUnit: ReadonlyMap<string | undefined, readonly string[]> = new Map(
  [...inheritable.values()].map(({ unit }) => [
    unit,
    annotationTable.filter((row) => row.unit === unit).map(({ key }) => key),
  ]),
);

function shortName(row: AnnotationRow): string {
  return row.key.slice(row.key.indexOf('/') + 1);
}

export function readBequest(gateway: Source): Bequest {
  const value = gateway.annotations[keys.inherit];
  if (value === undefined) return { rows: [] };
  const names = readList(value);
  const unknown = names.filter((name) => !inheritable.has(name));
  if (unknown.length > 0) {
    const accepted = [...inheritable.keys()].join(', ');
    const said = `Annotation ${keys.inherit} is ${quoted(value)}, and ${listed(unknown.map(quoted))} cannot be inherited`;
    return { rows: [], problem: `${said}; accepted is a list, separated by commas, of ${accepted}.` };
  }
  const rows = names.flatMap((name) => inheritable.get(name) ?? []);
  return { rows: rows.filter((row) => gateway.annotations[row.key] !== undefined) };
}

export const nothingInherited: Inherited = { annotations: {}, from: '' };

/** What `set` takes: of no unit of which it has set anything itself. */
export function inheritedBy(set: Source, gateway: Source, bequest: Bequest): Inherited {
  const from = `${gateway.namespace}/${gateway.name}`;
  if (bequest.problem !== undefined) {
    const problem = `Gateway ${from} says in ${keys.inherit} what is inherited here, and it cannot be read; its owner can correct it.`;
    return { annotations: {}, from, problem };
  }
  if (bequest.rows.length === 0) return nothingInherited;
  const isOwn = (key: string) => set.annotations[key] !== undefined;
  const taken = bequest.rows.filter(({ unit }) => !(keysOfUnit.get(unit) ?? []).some(isOwn));
  return {
    annotations: Object.fromEntries(taken.map((row) => [row.key, gateway.annotations[row.key] ?? ''])),
    from,
  };
}
