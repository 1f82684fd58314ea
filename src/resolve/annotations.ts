// Reads all shaping annotations of one object at once, with those that a ListenerSet inherits: the shape, or every bad value as a sentence.
// Called by object.ts, once per object that has an issuer.

import { annotationTable } from './annotation-table.ts';
import { contradictions, merged, type Shape } from './shape.ts';
import type { Source } from './source.ts';
import { badValue, listed, quoted } from './words.ts';

export interface Inherited {
  readonly annotations: Readonly<Record<string, string>>;
  /** "namespace/name" of the Gateway. */
  readonly from: string;
  /** What is to be inherited cannot be read. */
  readonly problem?: string;
}

export interface ShapeRead {
  readonly shape: Shape;
  /** One sentence per bad value. */
  readonly problems: readonly string[];
}

export function readShape(source: Source, inherited: Inherited): ShapeRead {
  const problems: string[] = inherited.problem === undefined ? [] : [inherited.problem];
  let shape: Shape = {};
  for (const row of annotationTable) {
    if (row.only !== undefined && source.parent === undefined) continue;
    const own = source.annotations[row.key];
    const value = own ?? inherited.annotations[row.key];
    if (value === undefined) continue;
    const part = row.read(value);
    if (part !== undefined) shape = merged(shape, part);
    else problems.push(badValue(row.key, value, row.accepts) + (own === undefined ? origin(inherited) : ''));
  }
  if (problems.length === 0) problems.push(...clashes(shape, source, inherited));
  return { shape, problems };
}

function origin(inherited: Inherited): string {
  return ` It is inherited from Gateway ${inherited.from}: its owner can correct it, or set another value here.`;
}

function clashes(shape: Shape, source: Source, inherited: Inherited): readonly string[] {
  return contradictions(shape).map(({ names, accepts }) => {
    const keys = names.map((name) => `cert-manager.io/${name}`);
    const standing = keys.flatMap((key) => {
      const value = source.annotations[key] ?? inherited.annotations[key];
      return value === undefined ? [] : [`${key} ${quoted(value)}`];
    });
    const foreign = keys.some((key) => source.annotations[key] === undefined && key in inherited.annotations);
    const [noun, verb] = standing.length > 1 ? ['Annotations', 'do not fit together'] : ['Annotation', 'does not fit'];
    return `${noun} ${listed(standing)} ${verb}; accepted is ${accepts}.${foreign ? origin(inherited) : ''}`;
  });
}
