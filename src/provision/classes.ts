// The GatewayClasses of the spec and the EnvoyProxy behind each: made, kept, taken away when they are dropped and nobody uses them. Called by infra.ts;
// what is decided stands in infra/render-classes.ts.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { planClasses } from '../infra/render-classes.ts';
import { keyOf } from '../kube/store.ts';
import { remove } from './ensure.ts';
import type { InfraPorts } from './ports.ts';
import type { Trouble } from './status.ts';
import { ensureAll, type StepResult } from './step.ts';

export async function provideClasses(ports: InfraPorts, infra: GatewayInfra): Promise<StepResult> {
  const { stores } = ports;
  const uid = infra.metadata.uid ?? '';
  const plan = planClasses({
    infra,
    uid,
    classes: [...stores.gatewayClasses.list()],
    gateways: [...stores.gateways.list()],
    proxyBases: new Map([...stores.envoyProxies.list()].map((each) => [keyOf(each), each])),
  });
  const troubles: Trouble[] = [...plan.refusals];
  const problem = await ensureAll(ports, plan.wanted, 'classes');
  if (problem !== undefined) troubles.push(problem);
  for (const { of, ...ref } of plan.remove) {
    const gone = await remove(ports, of, ref, uid, 'classes');
    if (!gone.ok) troubles.push(gone.problem);
  }
  return troubles.length > 0 ? { kind: 'held', troubles } : { kind: 'done' };
}
