// Reads CustomResourceDefinitions as they stand, each once per change: the cache holds their metadata alone, and says when a schema of half a
// megabyte is worth another request. Used by crds.ts for each round.

import type { Crd } from '../api/crd.ts';
import type { ObjectMeta } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { wholeCrds } from '../api/resources.ts';
import { type CrdSight, sightOf } from '../infra/crd-sight.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { InfraPorts } from './ports.ts';

export interface Looked {
  readonly metadata: ObjectMeta;
  readonly sight: CrdSight;
}

export interface CrdLook {
  /** Undefined: there is none. */
  at(name: string, brought: Crd | undefined): Promise<Reply<Looked | undefined, KubeProblem>>;
  /** The answer to a write of ours. */
  note(live: Crd, brought: Crd): Looked;
}

export function crdLook({ kube, stores }: Pick<InfraPorts, 'kube' | 'stores'>): CrdLook {
  const seen = new Map<string, Looked>();
  const keep = (live: Crd, brought: Crd | undefined): Looked => {
    const looked = { metadata: live.metadata, sight: sightOf(live, brought) };
    seen.set(live.metadata.name, looked);
    return looked;
  };
  return {
    at: async (name, brought) => {
      const cached = stores.crds.get(name);
      if (cached === undefined) {
        seen.delete(name);
        return { ok: true, value: undefined };
      }
      const known = seen.get(name);
      const isCurrent = known?.metadata.resourceVersion === cached.metadata.resourceVersion;
      // What was looked at before there was anything to hold it against is looked at again.
      const isCompared = known?.sight.beside !== undefined || brought === undefined;
      if (known !== undefined && isCurrent && isCompared) return { ok: true, value: known };
      const live = await kube.getWhole(wholeCrds, { name });
      if (live.ok) return { ok: true, value: keep(live.value, brought) };
      return live.problem.kind === 'notFound' ? { ok: true, value: undefined } : live;
    },
    note: (live, brought) => {
      const { apiVersion, kind, metadata } = live;
      stores.crds.note({ apiVersion, kind, metadata });
      return keep(live, brought);
    },
  };
}
