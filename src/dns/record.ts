// Which record proves a name: where it goes, in which zone, with which value. Called by the driver of orders before anything is presented.

import type { Dns01Solver } from '../api/dns01-solver.ts';
import type { Reply } from '../api/reply.ts';
import { followCnames } from './cname.ts';
import { challengeName, challengeValue } from './names.ts';
import type { DnsProblem } from './problem.ts';
import type { TxtRecord } from './provider.ts';
import type { DnsView } from './view.ts';
import { findZone } from './zone.ts';

export interface Proof {
  /** With its `*.` where it has one. */
  readonly dnsName: string;
  /** RFC 8555 §8.1. */
  readonly keyAuthorization: string;
  readonly cnameStrategy: Dns01Solver['cnameStrategy'];
}

// Short, since nobody needs it after the validation; no provider's minimum is higher than this but for Cloudflare's, which is equal.
const ttlSeconds = 60;

/** To be kept (it holds nothing secret) before it is presented: CNAMEs may point elsewhere by the time of the clean-up. */
export async function recordFor(
  proof: Proof,
  view: DnsView,
  signal: AbortSignal,
): Promise<Reply<TxtRecord, DnsProblem>> {
  const name = challengeName(proof.dnsName);
  const end =
    proof.cnameStrategy === 'Follow' ? await followCnames(view, name, signal) : ({ ok: true, value: name } as const);
  if (!end.ok) return end;
  const zone = await findZone(view, end.value, signal);
  if (!zone.ok) return zone;
  const dnsName = proof.dnsName.replace(/^\*\./, '').toLowerCase();
  const value = challengeValue(proof.keyAuthorization);
  return { ok: true, value: { dnsName, fqdn: end.value, zone: zone.value, value, ttl: ttlSeconds } };
}
