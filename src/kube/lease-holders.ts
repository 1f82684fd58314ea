// Who holds the Leases of one name, in whatever namespace they stand, judged by when we saw them change. Fed by a watch; asked by
// apply/ownership.ts.

import type { Lease } from '../api/core.ts';
import { type Sighting, sight } from './lease-age.ts';
import { keyOf, type Store } from './store.ts';

export interface SeenHolder {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /** Epoch ms, by the holder's clock; 0 where it does not say. */
  readonly acquiredAt: number;
  /** Monotonic, ms: when it has run out, unless it is renewed. */
  readonly endsAt: number;
}

export interface LeaseHolders {
  /** Those whose time has not run out at `now` (monotonic, ms). */
  current(now: number): readonly SeenHolder[];
  /** Since when the Lease "namespace/name" stands as it does. */
  sightingOf(key: string): Sighting | undefined;
}

export function leaseHolders(leases: Store<Lease>): LeaseHolders {
  const sightings = new Map<string, Sighting>();
  leases.subscribe((change) => {
    if (change.kind === 'removed') sightings.delete(change.key);
    else sightings.set(change.key, sight(sightings.get(change.key), change.object, performance.now()));
  });
  return {
    current: (now) =>
      [...leases.list()].flatMap((lease) => {
        const holder = holderOf(lease, sightings.get(keyOf(lease)));
        return holder === undefined || holder.endsAt <= now ? [] : [holder];
      }),
    sightingOf: (key) => sightings.get(key),
  };
}

/** A Lease may come without a spec: someone made it by hand. */
function holderOf(
  { metadata, ...rest }: Partial<Lease> & Pick<Lease, 'metadata'>,
  sighting: Sighting | undefined,
): SeenHolder | undefined {
  const { holderIdentity: identity = '', acquireTime = '' } = rest.spec ?? {};
  if (identity === '' || sighting === undefined) return undefined;
  const { namespace = '', name } = metadata;
  const endsAt = sighting.since + sighting.lastsMs;
  return { namespace, name, identity, endsAt, acquiredAt: Date.parse(acquireTime) || 0 };
}
