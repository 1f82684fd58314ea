// Deals a list out by tenants, one of each in turn. Called by apply/listeners.ts.

/** The same elements: everybody's first, then everybody's second; within a tenant in the order of the list. */
export function byTurns<T>(list: readonly T[], tenantOf: (each: T) => string): readonly T[] {
  const counts = new Map<string, number>();
  const rounds: T[][] = [];
  for (const each of list) {
    const tenant = tenantOf(each);
    const round = counts.get(tenant) ?? 0;
    counts.set(tenant, round + 1);
    const present = rounds[round];
    if (present === undefined) rounds.push([each]);
    else present.push(each);
  }
  return rounds.flat();
}
