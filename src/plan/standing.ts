// What an order has put up for its proofs and must take down again. Part of what both plans see.

export interface Standing {
  /** Challenge routes by name. */
  readonly routes: readonly string[];
  /** Challenge objects by name. */
  readonly challenges: readonly string[];
}

export const nothingStands: Standing = { routes: [], challenges: [] };

export function isStanding({ routes, challenges }: Standing): boolean {
  return routes.length > 0 || challenges.length > 0;
}
