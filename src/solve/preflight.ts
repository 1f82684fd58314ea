// Walks the CA's way to a name before an order is made: does DNS know it, does it lead to the Gateway, and is it our responder that answers there?
// Called by apply/ with the challenge route up and the Order's intent recorded, outside the queue. A failed order costs what its owner has least of.

import { randomBytes } from 'node:crypto';
import type { GatewayAddress } from '../api/gateway.ts';
import type { Reply } from '../api/reply.ts';
import { findAddresses } from './addresses.ts';
import { astray, strangers } from './astray.ts';
import { probeAnswer, probeToken } from './probe-token.ts';
import { challengePath } from './route.ts';
import { checkPath, type PathProblem, type SelfCheck } from './self-check.ts';

/**
 * Whether the name's addresses must be the Gateway's. `warn`: others are tolerated where our responder answers there all the same (NAT, a balancer
 * in front). `off`: DNS is not asked at all, and the probe goes to the Gateway's own addresses (split DNS).
 */
export type AddressCheck = 'require' | 'warn' | 'off';

export interface Preflight extends Omit<SelfCheck, 'token' | 'expected' | 'via'> {
  /** Of the account that is about to order (RFC 7638). */
  readonly thumbprint: string;
  /** What the Gateways of the path say of where they are; none while no data plane has said so. */
  readonly gatewayAddresses: readonly GatewayAddress[];
  readonly addressCheck: AddressCheck;
}

export interface PreflightNote {
  /** The name leads elsewhere than to where its Gateway says it is. */
  readonly warning?: string;
}

export interface PreflightProblem {
  readonly kind: PathProblem['kind'] | 'address';
  /** One or two sentences without changing parts. */
  readonly message: string;
}

export async function preflight(question: Preflight): Promise<Reply<PreflightNote, PreflightProblem>> {
  const { addressCheck, signal } = question;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(question.withinMs ?? 10_000)]);
  const expected = await reachableAt(question.gatewayAddresses, question.nameservers, deadline);
  if (addressCheck === 'off') return told(undefined, await ask(question, expected.length > 0 ? expected : undefined));
  const found = await findAddresses(question.host, question.nameservers, deadline);
  if (signal.aborted)
    return { ok: false, problem: { kind: 'stopped', message: `The check of ${question.host} was called off.` } };
  if (!found.ok) {
    const remedy = expected.length === 0 ? '' : ` Point it at the Gateway, ${listOf(expected)}.`;
    return { ok: false, problem: { kind: 'dns', message: `${question.host} ${found.problem}.${remedy}` } };
  }
  const strays = expected.length === 0 ? [] : strangers(found.value, expected);
  const warning = strays.length === 0 ? undefined : astray(question.host, strays, expected);
  if (warning !== undefined && addressCheck === 'require')
    return { ok: false, problem: { kind: 'address', message: warning } };
  return told(warning, await ask(question, found.value));
}

function told(
  warning: string | undefined,
  checked: Reply<undefined, PathProblem>,
): Reply<PreflightNote, PreflightProblem> {
  if (checked.ok) return { ok: true, value: warning === undefined ? {} : { warning } };
  const { kind, message } = checked.problem;
  if (kind === 'stopped') return checked;
  // Where the name leads astray, that is the likely cause of whatever else was met there.
  if (warning !== undefined) return { ok: false, problem: { kind: 'address', message: `${message} ${warning}` } };
  const remedy = ` Keep redirects off ${challengePath} (for the Gateway’s owner).`;
  return { ok: false, problem: { kind, message: kind === 'redirect' ? `${message}${remedy}` : message } };
}

function ask(question: Preflight, via: readonly string[] | undefined): Promise<Reply<undefined, PathProblem>> {
  const { host, thumbprint } = question;
  const token = probeToken(thumbprint, host, randomBytes(16));
  const expected = probeAnswer(thumbprint, host, token) ?? '';
  return checkPath({ ...question, token, expected, ...(via !== undefined && { via }) });
}

/** Where a Gateway can be reached. A balancer's Hostname is looked up where names are; one that resolves to nothing counts as not known. */
export async function reachableAt(
  gatewayAddresses: readonly GatewayAddress[],
  nameservers: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(
    gatewayAddresses.map(async ({ type = 'IPAddress', value }): Promise<readonly string[]> => {
      if (type === 'IPAddress') return [value];
      if (type !== 'Hostname') return [];
      const resolved = await findAddresses(value, nameservers, signal);
      return resolved.ok ? resolved.value : [];
    }),
  );
  return [...new Set(found.flat())];
}

function listOf(addresses: readonly string[]): string {
  return addresses.toSorted().slice(0, 4).join(', ');
}
