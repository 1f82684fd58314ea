// What is to be done about one namespace, from what it hosts and what of ours stands there. Called by provision/spaces.ts, which performs it and looks
// again; the cluster is the only memory.
//
//   hosts       of ours there   acknowledged   →
//   (reserved)  whatever                       reserved   nothing is touched
//   yes                                        provision  make what is wanted, in order; then take back what is not
//   no          some            not yet        drain      wait: the certificate half may be writing
//   no          some            yes            drain      take all back, in order
//   no          none                           none       no line in the status
//   on its way out, or gone                    none       what stands there goes with it

import type { GatewayInfra, InfraNamespace } from '../api/gateway-infra.ts';
import { wholeRoleBindings } from '../api/resources.ts';
import { type CleanupScene, type CleanupStep, cleanupSteps, grantsCopies, isEarlier } from './cleanup.ts';
import { type Host, isHosting } from './hosting.ts';
import { pullWriter, type SpaceInput, spaceObjects } from './space.ts';
import { isAlwaysReserved, isReserved, writerRole } from './space-names.ts';
import { nameOf, type Wanted } from './wanted.ts';

/**
 * Of the certificate half about a namespace that it may have to leave: `given`, it writes no Secret there any more; `awaited`, it has not said so yet;
 * `nobody`, none is at work that could.
 */
export type Acknowledgement = 'given' | 'awaited' | 'nobody';

export interface SpaceSeen extends SpaceInput, CleanupScene {
  readonly namespace: string;
  /** Bindings, bundle and account there that are rendered for this GatewayInfra. */
  readonly live: readonly Wanted[];
  readonly acknowledged: Acknowledgement;
  /** Of the namespace itself. */
  readonly labels?: Readonly<Record<string, string>>;
}

export type SpacePlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'reserved'; readonly why: string }
  | { readonly kind: 'provision'; readonly wanted: readonly Wanted[]; readonly after: readonly CleanupStep[] }
  | { readonly kind: 'drain'; readonly steps: readonly CleanupStep[] };

export function planSpace(seen: SpaceSeen): SpacePlan {
  const { namespace, infra, host, live } = seen;
  const isAsked = isHosting(host) || host.named === 'watched';
  // What was made before the spec reserved it is taken back: rights must not stay where nobody looks after them.
  const isTakenBack =
    isReserved(namespace, infra.spec) &&
    !isAlwaysReserved(namespace, infra.spec) &&
    host.standing === 'present' &&
    live.length > 0;
  if (isReserved(namespace, infra.spec) && !isTakenBack)
    return isAsked ? { kind: 'reserved', why: reservedWhy(seen) } : { kind: 'none' };
  if (host.standing !== 'present') return { kind: 'none' };
  if (isAsked && !isTakenBack) return provision(seen);
  if (live.length === 0) return { kind: 'none' };
  const waits: readonly CleanupStep[] = needsWord(seen) ? [{ kind: 'wait', why: awaitedWhy(namespace) }] : [];
  const lost = lostRight(seen);
  return { kind: 'drain', steps: [...waits, ...(lost.length > 0 ? lost : cleanupSteps(live, seen))] };
}

/** Copies may stand that nobody can take away any more; the next look does the rest. */
function lostRight({ namespace, infra, live }: SpaceSeen): readonly CleanupStep[] {
  if (live.some(grantsCopies) || !live.some(isEarlier)) return [];
  return pullWriter(namespace, infra).map((object) => ({ kind: 'regain', object }));
}

function provision(seen: SpaceSeen): SpacePlan {
  const wanted = spaceObjects(seen.namespace, seen);
  const kept = new Set(wanted.map(nameOf));
  // What cannot be read for now stays as it is.
  const isUnknown = (each: Wanted) =>
    typeof seen.bundle === 'string' && each.of.kind === 'ConfigMap' && asksBundle(seen.infra);
  const stale = seen.live.filter((each) => !kept.has(nameOf(each)) && !isUnknown(each));
  return { kind: 'provision', wanted, after: cleanupSteps(stale, seen) };
}

function asksBundle({ spec }: GatewayInfra): boolean {
  return spec.namespaceResources?.trustBundle !== undefined;
}

/** Only the right that we gave it can be taken from under its hands. */
function needsWord({ acknowledged, live }: SpaceSeen): boolean {
  const grants = live.some(
    ({ of, object }) => of.kind === wholeRoleBindings.kind && object.metadata.name === writerRole,
  );
  return acknowledged === 'awaited' && grants;
}

function awaitedWhy(namespace: string): string {
  return `Waits for the certificate half to take note that nothing is issued in ${namespace} any more (annotation certway.dev/drained-namespaces of GatewayInfra default); if it does not, look at the log of certway controller.`;
}

function reservedWhy({ namespace, host }: SpaceSeen): string {
  const what = [
    ...(host.gateways > 0 ? [`${host.gateways} Gateway(s)`] : []),
    ...(host.listenerSets > 0 ? [`${host.listenerSets} listener set(s)`] : []),
  ].join(' and ');
  const held = what === '' ? 'The spec names it' : `It holds ${what}`;
  return `${held}, but namespace ${namespace} is reserved: nothing is made there. Move them to another namespace, or take it out of spec.reservedNamespaces where it stands there.`;
}

/** The namespace's line in the status. */
export function lineOf(
  name: string,
  { gateways, listenerSets }: Pick<Host, 'gateways' | 'listenerSets'>,
  state: InfraNamespace['state'],
  reasons: readonly string[] = [],
): InfraNamespace {
  return { name, gateways, listenerSets, state, ...(reasons.length > 0 && { blockedBy: reasons.join(' ') }) };
}
