// Makes one object of a hosting namespace stand, unless somebody else's has its name: tenants can make objects there too, and nothing of theirs is ever
// overwritten. Called by spaces.ts for each object in order.

import { infraManagedBy } from '../api/gateway-infra.ts';
import { labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { covers } from '../infra/covers.ts';
import { writerRole } from '../infra/space-names.ts';
import { nameOf, type Wanted } from '../infra/wanted.ts';
import { keyOf } from '../kube/store.ts';
import { type EnsurePorts, ensure, type ProvisionProblem } from './ensure.ts';
import { storeOf } from './stores.ts';

/** `unchanged` also where a platform owner's own RoleBinding says the same. `foreign`: a sentence. */
export type Standing =
  | { readonly kind: 'unchanged' | 'written' }
  | { readonly kind: 'foreign'; readonly message: string };

export async function stand(ports: EnsurePorts, wanted: Wanted): Promise<Reply<Standing, ProvisionProblem>> {
  const { of, object } = wanted;
  const store = storeOf(ports.stores, of, object.metadata.namespace);
  if (store?.get(keyOf(object)) === undefined) {
    // The cache holds only what bears our label.
    const there = await ports.kube.get(of, object.metadata);
    if (!there.ok && there.problem.kind !== 'notFound') {
      return { ok: false, problem: { step: 'namespace', object: nameOf(wanted), kube: there.problem } };
    }
    if (there.ok) {
      if (there.value.metadata.labels?.[labels.managedBy] !== infraManagedBy)
        return { ok: true, value: judged(there.value, wanted) };
      store?.note(there.value);
    }
  }
  const ensured = await ensure(ports, wanted, 'namespace');
  return ensured.ok ? { ok: true, value: { kind: ensured.value } } : ensured;
}

/** A grant by hand (`certway grant`) is as good as ours, and stays when we leave. */
function judged(there: object, wanted: Wanted): Standing {
  const { roleRef, subjects, metadata } = wanted.object;
  if (metadata.name === writerRole && covers(there, { roleRef, subjects })) return { kind: 'unchanged' };
  const message = `${nameOf(wanted)} stands already and is not of certway infra, so it is left as it is; rename or delete it, and ours is made.`;
  return { kind: 'foreign', message };
}
