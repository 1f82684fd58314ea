// Settles that each Certificate has one owner: of several objects of one namespace that name one Secret, the oldest has it.
// Called by gateway.ts with the claims of the whole Gateway. Objects of other Gateways are met in plan/listeners.ts.

import { xListenerSets } from '../api/resources.ts';
import { type Claim, refusal } from './object.ts';
import { type Ages, byPrecedence } from './precedence.ts';
import type { Source } from './source.ts';
import { listed, quoted } from './words.ts';
import type { Refusal, WantedCertificate } from './world.ts';

export interface Settled {
  readonly wanted: readonly WantedCertificate[];
  readonly refusals: readonly Refusal[];
}

export function settleClaims(claims: readonly Claim[], ages: Ages): Settled {
  const holders = new Map<string, Claim>();
  const refusals: Refusal[] = [];
  for (const claim of [...claims].sort((a, b) => byPrecedence(a.source, b.source, ages))) {
    const key = `${claim.source.namespace}/${claim.secret}`;
    const holder = holders.get(key);
    if (holder === undefined) holders.set(key, claim);
    else if (!isTwin(holder.source, claim.source)) refusals.push(taken(claim, holder));
  }
  return { wanted: [...holders.values()].flatMap((claim) => claim.wanted ?? []), refusals };
}

/** The ListenerSet that takes over from the XListenerSet of its name. */
function isTwin(holder: Source, other: Source): boolean {
  return other.subject.kind === xListenerSets.kind && holder.parent !== undefined && holder.name === other.name;
}

function taken({ source, secret, listeners }: Claim, holder: Claim): Refusal {
  const by = `${holder.source.subject.kind} ${quoted(holder.source.name)}, which is older`;
  const remedy = `name another one in ${listed(listeners.map(quoted))}`;
  return refusal(source, 'BadConfig', `Secret ${quoted(secret)} is already named by ${by}; ${remedy}.`, {
    holds: [secret],
  });
}
