// Which of an ACME issuer's solvers proves a name: cert-manager's selectors and preferences, then whether we can perform the choice.
// Called by apply/ when an Order is planned. Pure.

import type { AcmeSolver, SolverSelector } from '../api/certmanager.ts';

export type ChallengeType = 'http-01' | 'dns-01';

export interface SolverQuestion {
  readonly solvers: readonly AcmeSolver[];
  /** The name to prove, with its `*.` where it has one. */
  readonly name: string;
  /** Labels that matchLabels selects by. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the CA offers for the name; by default what RFC 8555 and RFC 8738 allow for it. */
  readonly offered?: readonly ChallengeType[];
}

export interface ChosenSolver {
  readonly solver: AcmeSolver;
  readonly type: ChallengeType;
}

/** The solver by which the name is proven, or why there is none, as a sentence for the Certificate. */
export function pickSolver(question: SolverQuestion): ChosenSolver | { readonly refusal: string } {
  const { name } = question;
  const chosen = chooseSolver(question);
  if (chosen === undefined) {
    const why = name.startsWith('*.') ? ' A wildcard can be proven by DNS-01 only.' : '';
    return { refusal: `None of the issuer’s solvers is for ${name}.${why}` };
  }
  if (chosen.type === 'http-01' && chosen.solver.http01?.gatewayHTTPRoute === undefined) {
    return { refusal: `The issuer’s solver for ${name} uses Ingress; give it http01.gatewayHTTPRoute.` };
  }
  return chosen;
}

/** A solver for the exact name beats one for a longer zone, that one more labels, and among equals the first in the list wins. */
export function chooseSolver(question: SolverQuestion): ChosenSolver | undefined {
  let best: (ChosenSolver & { readonly rank: Rank }) | undefined;
  for (const solver of question.solvers) {
    const type = typeFor(solver, question.offered ?? offeredFor(question.name));
    const rank = type === undefined ? undefined : rankOf(solver.selector, question);
    if (type === undefined || rank === undefined) continue;
    if (best === undefined || compareRanks(rank, best.rank) > 0) best = { solver, type, rank };
  }
  return best === undefined ? undefined : { solver: best.solver, type: best.type };
}

function offeredFor(name: string): readonly ChallengeType[] {
  return name.startsWith('*.') ? ['dns-01'] : ['http-01', 'dns-01'];
}

function typeFor(solver: AcmeSolver, offered: readonly ChallengeType[]): ChallengeType | undefined {
  if (solver.http01 !== undefined && offered.includes('http-01')) return 'http-01';
  return solver.dns01 !== undefined && offered.includes('dns-01') ? 'dns-01' : undefined;
}

/** Exact name (1 or 0), length of the zone, number of labels: compared in this order. */
type Rank = readonly [number, number, number];

/** Undefined where a part of the selector is given and does not match. */
function rankOf(selector: SolverSelector | undefined, { name, labels }: SolverQuestion): Rank | undefined {
  const wanted = Object.entries(selector?.matchLabels ?? {});
  const names = selector?.dnsNames ?? [];
  const zones = selector?.dnsZones ?? [];
  const zone = longestZone(name, zones);
  if (!wanted.every(([key, value]) => labels[key] === value)) return undefined;
  if (names.length > 0 && !names.includes(name)) return undefined;
  if (zones.length > 0 && zone === undefined) return undefined;
  return [names.length > 0 ? 1 : 0, zone?.length ?? 0, wanted.length];
}

function longestZone(name: string, zones: readonly string[]): string | undefined {
  const matching = zones.filter((zone) => name === zone || name.endsWith(`.${zone}`));
  return matching.toSorted((a, b) => b.length - a.length)[0];
}

function compareRanks(a: Rank, b: Rank): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
