// Reading and writing lists of conditions as values. Used by every plan that reports a status.

import type { Condition } from '../api/meta.ts';

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type);
}

/** The list with `wanted` in it; a condition whose status stays keeps its lastTransitionTime. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  wanted: Omit<Condition, 'lastTransitionTime'>,
  now: number,
): readonly Condition[] {
  const last = conditionOf(conditions, wanted.type);
  const since = last?.status === wanted.status ? last.lastTransitionTime : undefined;
  const next = { ...wanted, lastTransitionTime: since ?? timestamp(now) };
  return last === undefined
    ? [...(conditions ?? []), next]
    : (conditions ?? []).map((each) => (each.type === wanted.type ? next : each));
}

export function withoutCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.filter((each) => each.type !== type);
}

/** RFC 3339 with whole seconds, as the API server stores `metav1.Time`. */
export function timestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
