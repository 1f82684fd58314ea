// The Gateway API's own policy against downgrades and against experimental CRDs over standard ones, kept where its CRDs are ours and
// spec.crds.protect asks for it. One that somebody else has installed is left alone. Called by crds.ts at the end of a round.

import { infraManagedBy } from '../api/gateway-infra.ts';
import { labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { admissionPolicies, admissionPolicyBindings, type Rendered, type Resource } from '../api/resources.ts';
import type { Wanted } from '../infra/wanted.ts';
import type { CrdBundle } from './crd-bundle.ts';
import { type EnsurePorts, ensure, type ProvisionProblem, remove } from './ensure.ts';

export async function keepSafeUpgrades(
  ports: EnsurePorts,
  bundle: NonNullable<CrdBundle['policy']>,
  want: { readonly kind: 'present' } | { readonly kind: 'absent'; readonly uid: string },
): Promise<Reply<unknown, ProvisionProblem>> {
  const pair: readonly Wanted[] = [
    { of: admissionPolicies, object: bundle.policy },
    { of: admissionPolicyBindings, object: bundle.binding },
  ];
  if (want.kind === 'absent') {
    // The binding first: a policy without one does nothing, a binding without its policy is a warning in each request.
    for (const { of, object } of pair.toReversed()) {
      const gone = await remove(ports, of, { name: object.metadata.name }, want.uid, 'crds');
      if (!gone.ok) return gone;
    }
    return { ok: true, value: undefined };
  }
  for (const wanted of pair) {
    const foreign = await isForeign(ports, wanted);
    if (!foreign.ok || foreign.value) return foreign;
    const stands = await ensure(ports, wanted, 'crds');
    if (!stands.ok) return stands;
  }
  return { ok: true, value: undefined };
}

// The cache holds ours alone: a policy that it lacks may still be there.
async function isForeign(
  { kube, stores }: EnsurePorts,
  { of, object }: Wanted,
): Promise<Reply<boolean, ProvisionProblem>> {
  const { name } = object.metadata;
  if (stores.rendered.get(`${of.plural}.${of.group}`)?.get(name) !== undefined) return { ok: true, value: false };
  const live = await kube.get(of as Resource<Rendered>, { name });
  if (live.ok) return { ok: true, value: live.value.metadata.labels?.[labels.managedBy] !== infraManagedBy };
  if (live.problem.kind === 'notFound') return { ok: true, value: false };
  return { ok: false, problem: { step: 'crds', object: `${of.kind} ${name}`, kube: live.problem } };
}
