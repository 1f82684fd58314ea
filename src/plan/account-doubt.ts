// Whether a CA's refusal of an order's request is about the account instead, so that the issuer must look after it first. Called by the order driver.

import type { CaProblem } from '../order/ca.ts';

/** An account that the CA vouched for this short a time (ms) ago is not to blame for an `unauthorized`. */
const trustedMs = 60_000;

/**
 * `accountDoesNotExist` always; `unauthorized` (RFC 8555 §7.3.6: also what a deactivated account gets) only where the CA has not confirmed the account
 * lately, so that an order which is refused for its own sake fails for its own sake. `vouchedAt` in epoch ms; undefined: never in this process.
 */
export function doubtsAccount(problem: CaProblem, vouchedAt: number | undefined, now: number): boolean {
  if (problem.kind !== 'refused') return false;
  if (problem.type === 'accountDoesNotExist') return true;
  return problem.type === 'unauthorized' && (vouchedAt === undefined || now - vouchedAt > trustedMs);
}
