// What we leave to somebody else of an object that is otherwise ours: the replicas of a Deployment that an autoscaler counts. Called by ensure.ts with
// what stands, before it compares.

import type { KubeObject, ManagedFields } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { deployments, type Resource } from '../api/resources.ts';
import type { Wanted } from '../infra/wanted.ts';
import type { Kube } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { isRecord } from '../kube/received.ts';
import { kindKey } from './ports.ts';

/** The HorizontalPodAutoscaler's controller runs in this program. `kubectl scale` is a person's edit, and is put right. */
const autoscaler = 'kube-controller-manager';

/** `wanted` without what is not ours to say; one read where the two numbers differ. */
export async function withoutYielded(
  kube: Pick<Kube, 'getWhole'>,
  wanted: Wanted,
  live: KubeObject,
): Promise<Reply<Wanted, KubeProblem>> {
  const asked = replicasOf(wanted.object);
  if (kindKey(wanted.of) !== kindKey(deployments) || asked === undefined || asked === replicasOf(live)) {
    return { ok: true, value: wanted };
  }
  const whole = await kube.getWhole<KubeObject>(wanted.of as Resource<KubeObject>, live.metadata);
  if (!whole.ok) return whole.problem.kind === 'notFound' ? { ok: true, value: wanted } : whole;
  const isTheirs = (whole.value.metadata.managedFields ?? []).some(countsReplicas);
  return { ok: true, value: isTheirs ? { ...wanted, object: withoutReplicas(wanted.object) } : wanted };
}

function countsReplicas({ manager, subresource, fieldsV1 }: ManagedFields): boolean {
  if (subresource !== 'scale' || manager?.startsWith(autoscaler) !== true || !isRecord(fieldsV1)) return false;
  const spec = fieldsV1['f:spec'];
  return isRecord(spec) && 'f:replicas' in spec;
}

function replicasOf(object: object): unknown {
  const spec = 'spec' in object ? object.spec : undefined;
  return isRecord(spec) ? spec.replicas : undefined;
}

function withoutReplicas(object: Wanted['object']): Wanted['object'] {
  if (!isRecord(object.spec)) return object;
  const { replicas: _, ...spec } = object.spec;
  return { ...object, spec };
}
