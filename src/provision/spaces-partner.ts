// Whether a certificate half is at work that could say that it has left a namespace: its Lease tells. Without one nobody writes Secrets, and nothing
// has to be waited for. Asked by spaces.ts for namespaces that are being left.

import { leases } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import { type Sighting, sight } from '../kube/lease-age.ts';
import type { InfraSettings } from './ports.ts';

/** `doubtful`: its Lease stands and has not moved since we look; look again then. */
export type Partner =
  | { readonly kind: 'atWork' | 'nobody' }
  | { readonly kind: 'doubtful'; readonly lookAgainMs: number };

export type LookForPartner = () => Promise<Partner>;

/** The longest that a certificate half which is being restarted or moved may be without a leader. */
const patienceMs = 60_000;
const freshMs = 2_000;

export interface PartnerPorts {
  readonly kube: Kube;
  readonly settings: Pick<InfraSettings, 'certwayNamespace' | 'controllerAccount'>;
  /** Monotonic, ms. */
  readonly uptime: () => number;
}

/** One read for all namespaces that ask within two seconds. What cannot be read counts as at work. */
export function lookForPartner({ kube, settings, uptime }: PartnerPorts): LookForPartner {
  let seen: Sighting | undefined;
  let last: { readonly at: number; readonly answer: Promise<Partner> } | undefined;
  const look = async (): Promise<Partner> => {
    const ref = { namespace: settings.certwayNamespace, name: settings.controllerAccount };
    const lease = await kube.get(leases, ref);
    if (!lease.ok) return { kind: lease.problem.kind === 'notFound' ? 'nobody' : 'atWork' };
    const before = seen;
    seen = sight(before, lease.value, uptime());
    // Renewed since the last look.
    if (before !== undefined && before !== seen) return { kind: 'atWork' };
    const left = Math.max(patienceMs, seen.lastsMs) - (uptime() - seen.since);
    return left <= 0 ? { kind: 'nobody' } : { kind: 'doubtful', lookAgainMs: left };
  };
  return () => {
    if (last === undefined || uptime() - last.at >= freshMs) last = { at: uptime(), answer: look() };
    return last.answer;
  };
}
