// The certificates between Envoy Gateway and its proxies: made where they are missing, renewed before they end, never overwritten while they are good.
// Called by infra.ts before the system that mounts them.

import type { Secret } from '../api/core.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import { type CertificatesSeen, planCertificates } from '../infra/certgen.ts';
import { makeCertificates } from './certgen.ts';
import type { InfraPorts } from './ports.ts';
import type { Trouble } from './status.ts';
import { ensureAll, type StepResult } from './step.ts';

export function certificatesSeen({ stores }: Pick<InfraPorts, 'stores'>, { spec }: GatewayInfra): CertificatesSeen {
  const all = [...stores.systemSecrets.list()].map((secret): [string, Secret] => [secret.metadata.name, secret]);
  return { systemNamespace: spec.systemNamespace, secrets: new Map(all) };
}

export async function provideCertificates(ports: InfraPorts, infra: GatewayInfra): Promise<StepResult> {
  const now = ports.now();
  const seen = certificatesSeen(ports, infra);
  const plan = planCertificates(seen, now);
  const troubles: Trouble[] = [...plan.refusals];
  if (plan.actions.length > 0) {
    const made = await makeCertificates(plan, seen, infra.metadata.uid ?? '', now);
    if (made.ok) {
      const problem = await ensureAll(ports, made.value, 'certificates');
      if (problem !== undefined) troubles.push(problem);
    } else {
      const object = `Secrets of ${infra.spec.systemNamespace}`;
      troubles.push({ step: 'certificates', object, reason: 'NotMade', message: made.problem.message });
    }
  }
  return troubles.length > 0 ? { kind: 'held', troubles } : { kind: 'done', at: plan.revisitAt };
}
