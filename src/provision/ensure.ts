// Makes one object stand as it is wanted, or takes one away; compares with the cache first, so that an object which is right costs no request.
// Called by every reconciler of this folder. Only what carries both labels of ours is ever deleted.

import { infraManagedBy, infraManager, infraUidLabel, stepLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import type { Resource } from '../api/resources.ts';
import { covers, withoutEmpty } from '../infra/covers.ts';
import { digestOf } from '../infra/digest.ts';
import { nameOf, type Wanted } from '../infra/wanted.ts';
import type { Ref } from '../kube/paths.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { keyOf } from '../kube/store.ts';
import type { InfraPorts } from './ports.ts';
import { infraOf, isOurs, storeOf } from './stores.ts';
import { withoutYielded } from './yielded.ts';

/** Who renders it: the values of `stepLabel`. */
export const steps = [
  'crds',
  'legacy',
  'certificates',
  'system',
  'classes',
  'tenancy',
  'solver',
  'namespace',
  'shared',
] as const;
export type Step = (typeof steps)[number];
/** What we applied last, as a hash: a field that is no longer wanted is gone from the next apply. */
export const appliedAnnotation = 'certway.dev/applied';

export interface ProvisionProblem {
  readonly step: Step;
  /** "Deployment envoy-gateway-system/envoy-gateway". */
  readonly object: string;
  readonly kube: KubeProblem;
}

export type EnsurePorts = Pick<InfraPorts, 'kube' | 'stores' | 'settled' | 'log'>;

/** Server-side apply with force, where the live object lacks anything of `wanted`. The labels of ours are added here. */
export async function ensure(
  ports: EnsurePorts,
  wanted: Wanted,
  step: Step,
): Promise<Reply<'unchanged' | 'written', ProvisionProblem>> {
  const failed = (kube: KubeProblem) => ({ ok: false, problem: { step, object: nameOf(wanted), kube } }) as const;
  const live = await liveOf(ports, wanted.of, wanted.object.metadata);
  if (!live.ok) return failed(live.problem);
  const own =
    live.value === undefined
      ? ({ ok: true, value: wanted } as const)
      : await withoutYielded(ports.kube, wanted, live.value);
  if (!own.ok) return failed(own.problem);
  const object = marked(ports, own.value, step);
  if (live.value !== undefined && isSettled(ports, live.value, object)) return { ok: true, value: 'unchanged' };
  if (live.value !== undefined && bindsAnother(live.value, object)) {
    // The role of a binding cannot be changed.
    const gone = await deleteSeen(ports, wanted.of, live.value);
    if (gone !== undefined) return failed(gone);
  }
  const applied = await applyWhole(ports.kube, wanted.of, object);
  if (!applied.ok) return failed(applied.problem);
  const { uid = '', resourceVersion, namespace } = applied.value.metadata;
  storeOf(ports.stores, wanted.of, namespace)?.note(applied.value);
  if (live.value?.metadata.resourceVersion === resourceVersion) {
    ports.settled.set(uid, mark(applied.value, object));
    return { ok: true, value: 'unchanged' };
  }
  ports.log.info({ step, object: nameOf(wanted) }, live.value === undefined ? 'made' : 'put right');
  return { ok: true, value: 'written' };
}

/**
 * A map of ours that had fields and shall have none becomes null in a server-side apply, which schemas refuse:
 * it is let go first, and taken up again empty.
 */
async function applyWhole(
  kube: EnsurePorts['kube'],
  of: Resource<KubeObject>,
  object: Wanted['object'],
): Promise<Reply<KubeObject, KubeProblem>> {
  const options = { fieldManager: infraManager, force: true };
  const applied = await kube.apply<KubeObject>(of, object, options);
  if (applied.ok || applied.problem.kind !== 'invalid') return applied;
  const lean = withoutEmpty(object);
  if (digestOf(lean) === digestOf(object)) return applied;
  const emptied = await kube.apply<KubeObject>(of, lean, options);
  return emptied.ok ? kube.apply<KubeObject>(of, object, options) : applied;
}

/**
 * Deletes it if it is rendered for the GatewayInfra of that uid; what is gone already, or somebody else's by now, counts as done. Only the
 * request is awaited: an object with finalizers may stand on.
 */
export async function remove(
  ports: EnsurePorts,
  of: Resource<KubeObject>,
  ref: Ref,
  uid: string,
  step: Step,
): Promise<Reply<'unchanged' | 'written', ProvisionProblem>> {
  const object = nameOf({ of, object: { apiVersion: '', kind: of.kind, metadata: { ...ref } } });
  const live = await liveOf(ports, of, ref);
  if (!live.ok) return { ok: false, problem: { step, object, kube: live.problem } };
  if (live.value === undefined || !isOurs(live.value, uid)) return { ok: true, value: 'unchanged' };
  if (live.value.metadata.deletionTimestamp !== undefined) return { ok: true, value: 'unchanged' };
  const problem = await deleteSeen(ports, of, live.value);
  if (problem !== undefined) return { ok: false, problem: { step, object, kube: problem } };
  ports.log.info({ step, object }, 'removed');
  return { ok: true, value: 'written' };
}

/** Exactly as it was seen: a label that was taken off meanwhile is a conflict, and the next look sees it. */
async function deleteSeen(
  { kube, stores }: EnsurePorts,
  of: Resource<KubeObject>,
  seen: KubeObject,
): Promise<KubeProblem | undefined> {
  const { uid, resourceVersion, namespace } = seen.metadata;
  const only = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
  const gone = await kube.delete(of, seen.metadata, only);
  if (!gone.ok && gone.problem.kind !== 'notFound') return gone.problem;
  storeOf(stores, of, namespace)?.forget(seen);
  return undefined;
}

function marked({ stores }: EnsurePorts, { object }: Wanted, step: Step): Wanted['object'] {
  const uid = infraOf(stores)?.metadata.uid;
  if (uid === undefined) throw new Error('something is ensured without a GatewayInfra');
  const { labels: own, annotations } = object.metadata;
  const marks = { [labels.managedBy]: infraManagedBy, [infraUidLabel]: uid, [stepLabel]: step };
  const named = { ...object, metadata: { ...object.metadata, labels: { ...own, ...marks } } };
  const notes = { ...annotations, [appliedAnnotation]: digestOf(named) };
  return { ...named, metadata: { ...named.metadata, annotations: notes } };
}

/** From the cache where one holds it; a kind or place that is not watched is read. */
async function liveOf(
  { kube, stores }: EnsurePorts,
  of: Resource<KubeObject>,
  ref: Ref,
): Promise<Reply<KubeObject | undefined, KubeProblem>> {
  const { name, namespace } = ref;
  const store = storeOf(stores, of, namespace);
  if (store !== undefined)
    return { ok: true, value: store.get(keyOf({ metadata: { name, ...(namespace && { namespace }) } })) };
  const read = await kube.get(of, ref);
  if (read.ok || read.problem.kind !== 'notFound') return read;
  return { ok: true, value: undefined };
}

function isSettled({ settled }: EnsurePorts, live: KubeObject, wanted: Wanted['object']): boolean {
  return covers(live, wanted) || settled.get(live.metadata.uid ?? '') === mark(live, wanted);
}

function mark(live: KubeObject, wanted: Wanted['object']): string {
  return `${live.metadata.resourceVersion}:${wanted.metadata.annotations?.[appliedAnnotation]}`;
}

function bindsAnother(live: KubeObject, wanted: Wanted['object']): boolean {
  return wanted.roleRef !== undefined && !covers('roleRef' in live ? live.roleRef : undefined, wanted.roleRef);
}
