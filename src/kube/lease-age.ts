// Whether another holder's Lease has run out. Pure. Called by lease.ts.
// Times in the Lease are the holder's clock and are never compared with ours: a lease runs out when *we* have not seen it change for as long
// as its holder said it lasts.

import type { Lease } from '../api/core.ts';

export interface Sighting {
  readonly version: string;
  /** Monotonic, ms: when we first saw this version. */
  readonly since: number;
  readonly lastsMs: number;
}

const unspecifiedMs = 15_000;

/** `now` is monotonic, ms. */
export function sight(previous: Sighting | undefined, lease: Lease, now: number): Sighting {
  const version = lease.metadata.resourceVersion ?? '';
  if (previous?.version === version) return previous;
  const seconds = lease.spec.leaseDurationSeconds;
  return { version, since: now, lastsMs: seconds === undefined ? unspecifiedMs : seconds * 1000 };
}

/** May it be taken? An empty holder has released it. */
export function mayTake(lease: Lease, sighting: Sighting, identity: string, now: number): boolean {
  const { holderIdentity } = lease.spec;
  if (holderIdentity === undefined || holderIdentity === '' || holderIdentity === identity) return true;
  return now - sighting.since >= sighting.lastsMs;
}
