// What the question who issues is decided on: whose the deciding CRD is, and who holds a Lease of cert-manager's name. Two watches of a few
// objects each. Made by ownership.ts, in every replica.

import type { Lease } from '../api/core.ts';
import type { KubeObject } from '../api/meta.ts';
import { customResourceDefinitions, leases } from '../api/resources.ts';
import type { Sighting } from '../kube/lease-age.ts';
import { leaseHolders, type SeenHolder } from '../kube/lease-holders.ts';
import type { ReflectorState } from '../kube/reflector.ts';
import { reflect } from '../kube/reflector.ts';
import type { Session } from '../kube/session.ts';
import { Store } from '../kube/store.ts';
import { decidingCrd, type OwnershipSeen, oursLabel } from '../plan/ownership.ts';

export interface SightOptions {
  readonly session: Session;
  /** cert-manager's. */
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Ours, on that Lease. */
  readonly identity: string;
  readonly signal: AbortSignal;
  onSeen(): void;
  onBug(error: unknown): void;
}

export interface OwnershipSight {
  facts(): Pick<OwnershipSeen, 'crd' | 'leases'>;
  /** Those who hold a Lease of that name beside us. */
  others(): readonly SeenHolder[];
  /** Since when cert-manager's Lease stands as it does. */
  sighting(): Sighting | undefined;
  /** A sign of somebody else's work: the quiet begins anew. */
  disturbed(): void;
  /** When the facts change by the passing of time alone, ms from now; infinite where they do not. */
  nextMs(): number;
}

// A right that is given later reaches no watch of ours.
const askAgainMs = 30_000;

export function watchOwners(options: SightOptions): OwnershipSight {
  const { lease, identity } = options;
  const crds = new Store<KubeObject>({ content: 'metadata', onBug: options.onBug });
  const store = new Store<Lease>({ onBug: options.onBug });
  const holders = leaseHolders(store);
  const at = `${lease.namespace}/${lease.name}`;
  let disturbedAt = performance.now();
  let forbidden: string | undefined;
  const others = () => holders.current(performance.now()).filter((holder) => holder.identity !== identity);
  const askAgain = startWatches(options, crds, store, (message) => {
    forbidden = message;
  });
  const seenLeases = (): OwnershipSeen['leases'] => {
    if (forbidden !== undefined) {
      askAgain();
      return { kind: 'forbidden', message: forbidden };
    }
    if (!store.synced) return { kind: 'unknown' };
    const present = others();
    if (present.length > 0) disturbedAt = performance.now();
    // Whoever came after us would have put another name there.
    const isStillOurs = store.get(at)?.spec?.holderIdentity === identity;
    const quietMs = isStillOurs ? Number.POSITIVE_INFINITY : performance.now() - disturbedAt;
    return { kind: 'seen', others: present, quietMs };
  };
  return {
    facts: () => ({ crd: whoseCrd(crds), leases: seenLeases() }),
    others,
    sighting: () => holders.sightingOf(at),
    disturbed: () => {
      disturbedAt = performance.now();
    },
    nextMs: () => {
      const ends = others().map(({ endsAt }) => endsAt - performance.now());
      return Math.min(...ends, forbidden === undefined ? Number.POSITIVE_INFINITY : askAgainMs);
    },
  };
}

function whoseCrd(crds: Store<KubeObject>): OwnershipSeen['crd'] {
  if (!crds.synced) return 'unknown';
  const crd = crds.get(decidingCrd);
  if (crd === undefined) return 'absent';
  return crd.metadata.labels?.[oursLabel.name] === oursLabel.value ? 'ours' : 'foreign';
}

/** Answers what makes a watch of Leases that was forbidden ask again. */
function startWatches(
  { session, signal, lease, onSeen, onBug }: SightOptions,
  crds: Store<KubeObject>,
  store: Store<Lease>,
  onForbidden: (message: string | undefined) => void,
): () => void {
  crds.subscribe(onSeen);
  store.subscribe(onSeen);
  const shared = { session, signal, onBug };
  const crd = { resource: customResourceDefinitions, store: crds, metadataOnly: true };
  reflect({ ...shared, ...crd, fieldSelector: `metadata.name=${decidingCrd}`, onState: onSeen });
  const onState = (state: ReflectorState) => {
    onForbidden(state.kind === 'forbidden' ? state.message : undefined);
    onSeen();
  };
  // In every namespace: a cert-manager may have been told to keep its Lease elsewhere.
  return reflect({ ...shared, resource: leases, store, fieldSelector: `metadata.name=${lease.name}`, onState }).wake;
}
