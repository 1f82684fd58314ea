// Reads single fields of objects whose kinds are not typed here: what Helm or an Envoy Gateway before ours has made. Called by legacy-*.ts.

import { asMapping, valueAt } from './json.ts';

/** The value at that path; undefined where the path ends early. */
export function fieldAt(of: unknown, ...path: readonly string[]): unknown {
  return valueAt(asMapping(of) ?? {}, path);
}

export function textAt(of: unknown, ...path: readonly string[]): string | undefined {
  const value = fieldAt(of, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listAt(of: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = fieldAt(of, ...path);
  return Array.isArray(value) ? value : [];
}

/** 0 where there is none. */
export function countAt(of: unknown, ...path: readonly string[]): number {
  const value = fieldAt(of, ...path);
  return typeof value === 'number' ? value : 0;
}
