// When a name that failed its preflight is looked at again. Called by apply/ with the failures in a row. Pure. Events come sooner: see
// apply/challenge-wakes.ts.

import type { PreflightProblem } from './preflight.ts';

const longestMs = 600_000;

/** Epoch ms; `attempts` counts this failure, from 1. Grows to 10 minutes. */
export function nextPreflight({ kind }: PreflightProblem, attempts: number, now: number): number {
  return now + Math.min(longestMs, firstPause(kind) * 2 ** Math.min(Math.max(attempts, 1) - 1, 20));
}

/** ms. How soon what was met can be another: a route is programmed within milliseconds, records are changed by people. */
function firstPause(kind: PreflightProblem['kind']): number {
  switch (kind) {
    case 'body':
      return 50;
    case 'connect':
      return 500;
    case 'timeout':
      return 2_000;
    case 'dns':
    case 'address':
    case 'redirect':
      return 5_000;
    case 'stopped':
      return 1_000;
    default:
      return kind satisfies never;
  }
}
