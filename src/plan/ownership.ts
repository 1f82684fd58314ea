// Decides who issues: Certway, a cert-manager, or nobody for the moment. Called by apply/ownership.ts on every change of what it sees.
// Whatever it decides, the API server keeps two issuers apart: Certway issues only while it holds cert-manager's own Lease.
//
//   --issuance  CRDs             somebody else holds the Lease     decision
//   external    any              any                               leave
//   auto        foreign          any                               leave, until labelled or quiet for --takeover-after
//   any other                    yes, and we issued until now      stop (TwoIssuers), until they are gone
//   any other                    yes                               leave, until they are gone
//   any other                    no                                seek the Lease; issue once it is ours

export type IssuanceWish = 'auto' | 'builtin' | 'external';

/** Who holds a Lease of cert-manager's name, in whatever namespace, and renews it. */
export interface Holder {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
}

export interface OwnershipSeen {
  readonly wish: IssuanceWish;
  /** Absent: never without being told. */
  readonly takeoverAfterMs?: number;
  /** Whose the CustomResourceDefinition of Certificates is. */
  readonly crd: 'unknown' | 'absent' | 'ours' | 'foreign';
  readonly leases:
    | { readonly kind: 'unknown' }
    | { readonly kind: 'forbidden'; readonly message: string }
    /** `quietMs`: for how long nobody else has been seen at work. */
    | { readonly kind: 'seen'; readonly others: readonly Holder[]; readonly quietMs: number };
  /** cert-manager's Lease as we hold it; `refused` is why we cannot. */
  readonly hold: { readonly kind: 'none' | 'held' } | { readonly kind: 'refused'; readonly message: string };
  readonly last: OwnershipDecision['kind'];
}

export type OwnershipDecision =
  | { readonly kind: 'issue' }
  /** Nothing stands against it but the Lease. */
  | { readonly kind: 'seek'; readonly why: string }
  /** `about`: where people will look for the reason. */
  | {
      readonly kind: 'leave';
      readonly why: string;
      readonly about: 'flag' | 'crd' | 'lease' | 'start';
      readonly againMs?: number;
    }
  | { readonly kind: 'stop'; readonly why: string; readonly holder: Holder };

export const decidingCrd = 'certificates.cert-manager.io';
/** On a CustomResourceDefinition: it is ours to act upon. */
export const oursLabel = { name: 'app.kubernetes.io/part-of', value: 'certway' } as const;

export function decideOwnership(seen: OwnershipSeen): OwnershipDecision {
  const { wish, crd, leases, hold } = seen;
  if (wish === 'external') {
    return { kind: 'leave', about: 'flag', why: '--issuance=external leaves issuance to a cert-manager.' };
  }
  if (crd === 'unknown' || leases.kind === 'unknown') {
    return { kind: 'leave', about: 'start', why: 'It is not known yet whether a cert-manager issues here.' };
  }
  if (leases.kind === 'forbidden') return { kind: 'leave', about: 'lease', why: mayNotSee(leases.message) };
  const [other] = leases.others;
  const waiting = wish === 'auto' && crd === 'foreign' ? untilOurs(seen, leases.quietMs, other) : undefined;
  if (waiting !== undefined) return waiting;
  if (other !== undefined) return besides(other, seen.last);
  switch (hold.kind) {
    case 'held':
      return { kind: 'issue' };
    case 'none':
      return { kind: 'seek', why: "Certway waits for cert-manager's Lease." };
    case 'refused':
      return { kind: 'seek', why: mayNotHold(hold.message) };
    default:
      return hold satisfies never;
  }
}

/** What stands against issuing where the CRDs are somebody else's; undefined when enough quiet has passed. */
function untilOurs(seen: OwnershipSeen, quietMs: number, other: Holder | undefined): OwnershipDecision | undefined {
  const { takeoverAfterMs } = seen;
  const remedy = `label the CustomResourceDefinition ${decidingCrd} ${oursLabel.name}=${oursLabel.value}, or start Certway with --issuance=builtin`;
  const whose = `The CustomResourceDefinition ${decidingCrd} is not Certway's`;
  if (takeoverAfterMs === undefined || other !== undefined) {
    const holder = other === undefined ? '' : ` (${nameOf(other)})`;
    return {
      kind: 'leave',
      about: 'crd',
      why: `${whose}: issuance is left to a cert-manager${holder}. To take it, ${remedy}.`,
    };
  }
  if (quietMs >= takeoverAfterMs) return undefined;
  const minutes = Math.ceil((takeoverAfterMs - quietMs) / 60_000);
  const why = `${whose}: Certway takes issuance over when nobody else has been seen at work for ${minutes} more minutes; not to wait, ${remedy}.`;
  return { kind: 'leave', about: 'crd', why, againMs: takeoverAfterMs - quietMs };
}

function besides(other: Holder, last: OwnershipDecision['kind']): OwnershipDecision {
  if (last !== 'issue' && last !== 'stop') {
    const why = `${nameOf(other)}: Certway issues as soon as that ends. Scale that cert-manager to zero, or start Certway with --issuance=external.`;
    return { kind: 'leave', about: 'lease', why };
  }
  const remedy =
    'Scale one of the two to zero, or start Certway with --issuance=external; it goes on when the other is gone.';
  return {
    kind: 'stop',
    holder: other,
    why: `${nameOf(other)} while Certway issued, so Certway has stopped issuing. ${remedy}`,
  };
}

function nameOf({ namespace, name, identity }: Holder): string {
  return `"${identity}" holds Lease ${namespace}/${name}`;
}

function mayNotSee(message: string): string {
  return `Certway may not watch cert-manager's Lease, so it cannot know that it is alone, and issues nothing: apply deploy/rbac.yaml (${message}).`;
}

function mayNotHold(message: string): string {
  return `Certway may not hold cert-manager's Lease, which keeps two issuers apart, and issues nothing: apply deploy/rbac.yaml, or name another with --cert-manager-lease (${message}).`;
}
