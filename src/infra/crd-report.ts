// What people are told of the CustomResourceDefinitions: one line each in the status, and the condition CRDsReady, False wherever somebody has to
// decide. Called by provision/crds.ts after each round.

import type { CrdOwner, InfraCrd } from '../api/gateway-infra.ts';
import { infraManagedBy } from '../api/gateway-infra.ts';
import type { ConditionStatus } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import { groupOf } from './crd-names.ts';
import type { Ownership } from './crd-owner.ts';
import type { CrdPolicy, CrdSeen, CrdStep } from './crd-plan.ts';

/** One CRD at the end of a round. */
export interface CrdOutcome {
  readonly seen: CrdSeen;
  readonly step: CrdStep;
  /** What the API server said against the step. */
  readonly failure?: string;
}

export interface CrdsReady {
  readonly type: 'CRDsReady';
  readonly status: ConditionStatus;
  readonly reason:
    | 'ManagedBySelf'
    | 'ManagedByOther'
    | 'UnknownManagement'
    | 'MixedOwnership'
    | 'NoneExist'
    | 'NotReady'
    | 'Error';
  readonly message: string;
}

export interface CrdRound {
  readonly policy: CrdPolicy;
  /** Ascending by name. */
  readonly outcomes: readonly CrdOutcome[];
  /** Why nothing can be installed, as a sentence: there is no directory of CRDs, or it cannot be read. */
  readonly source?: { readonly kind: 'none' | 'unreadable'; readonly message: string };
}

export function crdLines({ outcomes }: CrdRound): readonly InfraCrd[] {
  return outcomes.map(({ seen: { name, live } }): InfraCrd => {
    if (live === undefined) return { name, owner: 'Absent', established: false };
    const { sight, ownership } = live;
    const ownerName = ownerNameOf(ownership);
    return {
      name,
      owner: ownerOf(ownership),
      ...(ownerName !== undefined && { ownerName }),
      ...(sight.release !== undefined && { bundleVersion: sight.release }),
      ...(sight.channel !== undefined && { channel: sight.channel }),
      established: sight.established && !sight.terminating,
    };
  });
}

/** In the order of urgency: what failed, what is missing or not served yet, what nobody answers for, who owns it. */
export function crdsReady(round: CrdRound): CrdsReady {
  return failures(round) ?? absences(round) ?? quarrels(round) ?? owned(round);
}

function failures({ outcomes, source }: CrdRound): CrdsReady | undefined {
  const failed = outcomes.flatMap(({ seen, step, failure }) => {
    if (failure !== undefined) return [`${seen.name}: ${failure}`];
    return step.kind === 'refuse' && step.why === 'update'
      ? [`${seen.name} is ours, and not updated: ${list(step.losses)}`]
      : [];
  });
  const unreadable = source?.kind === 'unreadable' ? [source.message] : [];
  const told = [...unreadable, ...failed];
  return told.length === 0 ? undefined : condition('False', 'Error', `${list(told, '; ')}.`);
}

function absences({ outcomes, policy, source }: CrdRound): CrdsReady | undefined {
  const missing = outcomes.filter(({ seen }) => seen.live === undefined);
  const nobodyInstalls =
    policy === 'Ignore'
      ? 'crds.policy is Ignore: install them, or set it to Auto'
      : (source?.message ?? 'they are being installed');
  if (missing.length === outcomes.length) {
    return condition('Unknown', 'NoneExist', `None of the CustomResourceDefinitions exists; ${nobodyInstalls}.`);
  }
  if (missing.length > 0) {
    return condition('False', 'NotReady', `Missing: ${names(missing)}; ${nobodyInstalls}.`);
  }
  const late = outcomes.filter(({ seen }) => seen.live?.sight.established !== true || seen.live.sight.terminating);
  return late.length === 0
    ? undefined
    : condition('False', 'NotReady', `Not established yet, or being deleted: ${names(late)}.`);
}

const remedy = `To hand one to Certway: kubectl label crd NAME --overwrite ${labels.managedBy}=${infraManagedBy}; or set crds.policy to PreferExisting to leave it to them`;

/** Whoever asks to use what exists has decided; else somebody must. */
function quarrels({ outcomes, policy }: CrdRound): CrdsReady | undefined {
  if (policy === 'PreferExisting' || policy === 'Ignore') return undefined;
  const refused = outcomes.flatMap(({ seen, step }) =>
    step.kind === 'refuse' ? [`${seen.name} is not taken over, since this would be lost: ${list(step.losses)}`] : [],
  );
  if (refused.length > 0) return condition('False', 'UnknownManagement', `${list(refused, '; ')}.`);
  const mixed = [...Map.groupBy(outcomes, ({ seen }) => groupOf(seen.name)).entries()].filter(
    ([, group]) => new Set(group.map(ownerKey)).size > 1,
  );
  if (mixed.length > 0) {
    const who = mixed.map(([group, members]) => `${group} has several owners: ${byOwner(members, 'names')}`);
    return condition('False', 'MixedOwnership', `${who.join('; ')}. ${remedy}.`);
  }
  const unknown = outcomes.filter(({ seen: { live } }) => isUnowned(live?.ownership));
  if (unknown.length === 0) return undefined;
  return condition(
    'False',
    'UnknownManagement',
    `Nobody answers for ${byOwner(unknown, 'names')}. They are left as they are. ${remedy}.`,
  );
}

function owned({ outcomes }: CrdRound): CrdsReady {
  const ours = outcomes.some(({ seen }) => seen.live?.ownership.kind === 'Certway');
  return condition(
    'True',
    ours ? 'ManagedBySelf' : 'ManagedByOther',
    `All are established. ${byOwner(outcomes, 'counts')}.`,
  );
}

function byOwner(outcomes: readonly CrdOutcome[], tell: 'names' | 'counts'): string {
  const groups = Map.groupBy(outcomes, ownerKey);
  return [...groups.entries()]
    .map(([owner, members]) => `${owner}: ${tell === 'names' ? names(members) : counts(members)}`)
    .join('; ');
}

function counts(members: readonly CrdOutcome[]): string {
  const groups = Map.groupBy(members, ({ seen }) => groupOf(seen.name));
  return [...groups.entries()].map(([group, each]) => `${each.length} of ${group}`).join(', ');
}

function ownerKey({ seen: { live } }: CrdOutcome): string {
  if (live === undefined) return 'nobody';
  const { ownership } = live;
  switch (ownership.kind) {
    case 'Certway':
      return 'Certway';
    case 'PackageManager':
    case 'Other':
    case 'Abandoned':
      return ownerNameOf(ownership) ?? '';
    // Field managers tell who may know more, not who owns.
    case 'Unknown':
      return 'owner unknown';
    default:
      return ownership satisfies never;
  }
}

function ownerOf(ownership: Ownership): CrdOwner {
  return ownership.kind === 'Abandoned' ? 'Unknown' : ownership.kind;
}

function ownerNameOf(ownership: Ownership): string | undefined {
  if (ownership.kind === 'Certway') return undefined;
  return ownership.kind === 'Abandoned' ? `${ownership.name}, which is gone` : ownership.name;
}

function isUnowned(ownership: Ownership | undefined): boolean {
  return ownership?.kind === 'Unknown' || ownership?.kind === 'Abandoned';
}

function names(outcomes: readonly CrdOutcome[]): string {
  return list(outcomes.map(({ seen }) => seen.name));
}

// A condition's message is read by people: a dozen, and how many more.
const told = 12;

function list(items: readonly string[], between = ', '): string {
  const more = items.length > told ? [`${items.length - told} more`] : [];
  return [...items.slice(0, told), ...more].join(between);
}

function condition(status: ConditionStatus, reason: CrdsReady['reason'], message: string): CrdsReady {
  // The API server takes 32 KiB; a sentence of one of its own, quoted here, may be of any length.
  return { type: 'CRDsReady', status, reason, message: message.length > 4000 ? `${message.slice(0, 3999)}…` : message };
}
