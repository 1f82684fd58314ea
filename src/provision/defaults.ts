// What a GatewayInfra leaves open is written back to it once, so that a later release of Certway with other defaults changes nothing that runs; with
// it goes the finalizer, before anything is rendered. Called by infra.ts at the begin of each look.

import { type GatewayInfra, infraFinalizer } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { gatewayInfras } from '../api/resources.ts';
import { defaultClasses } from '../infra/render-classes.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { InfraPorts } from './ports.ts';

/** The GatewayInfra with its defaults, as it stands now; guarded by its resourceVersion. */
export async function withDefaults(
  { kube, stores, log }: Pick<InfraPorts, 'kube' | 'stores' | 'log'>,
  infra: GatewayInfra,
): Promise<Reply<GatewayInfra, KubeProblem>> {
  const { spec, metadata } = infra;
  const finalizers = metadata.finalizers ?? [];
  const isWhole = spec.classes !== undefined && spec.crds?.policy !== undefined && finalizers.includes(infraFinalizer);
  if (isWhole) return { ok: true, value: infra };
  const answer = await kube.replace(gatewayInfras, {
    ...infra,
    metadata: { ...metadata, finalizers: [...new Set([...finalizers, infraFinalizer])] },
    spec: {
      ...spec,
      classes: spec.classes ?? defaultClasses,
      crds: { ...spec.crds, policy: spec.crds?.policy ?? 'Auto' },
    },
  });
  if (!answer.ok) return answer;
  stores.gatewayInfras.note(answer.value);
  log.info(
    { classes: answer.value.spec.classes?.map(({ name }) => name) },
    'defaults are written back to the GatewayInfra',
  );
  return answer;
}
