// The bindings that put the admission policies on tenants in force while spec.tenancy.enabled, and their removal when it is switched off. Called by
// infra.ts; a binding may be there before its policy.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { renderTenancy } from '../infra/render-tenancy.ts';
import type { EnsurePorts } from './ensure.ts';
import { prune } from './prune.ts';
import { ensureAll, type StepResult } from './step.ts';

export async function provideTenancy(ports: EnsurePorts, infra: GatewayInfra): Promise<StepResult> {
  const wanted = renderTenancy(infra);
  const problem = await ensureAll(ports, wanted, 'tenancy');
  if (problem !== undefined) return { kind: 'held', troubles: [problem] };
  const pruned = await prune(ports, 'tenancy', wanted);
  return pruned.ok ? { kind: 'done' } : { kind: 'held', troubles: [pruned.problem] };
}
