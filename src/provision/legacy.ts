// Moves a cluster from an Envoy Gateway that its chart installed to ours: look, plan, tell, and only then perform. Called by the queue `legacy` of
// main-infra.ts; `holds` is asked by infra.ts before it renders anything of Envoy Gateway.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import * as resources from '../api/resources.ts';
import { gatewayName } from '../infra/eg-names.ts';
import { findInstall } from '../infra/legacy-install.ts';
import { usualNamespace } from '../infra/legacy-kinds.ts';
import { type LegacyPlan, planLegacy } from '../infra/legacy-plan.ts';
import { conditionOf } from '../plan/conditions.ts';
import { refOf } from '../plan/object-ref.ts';
import type { Outcome } from '../queue/work-queue.ts';
import type { ProvisionProblem } from './ensure.ts';
import { lookForLegacy, lookForProxies } from './legacy-look.ts';
import { performLegacy } from './legacy-perform.ts';
import { afterTrouble } from './outcome.ts';
import { type InfraPorts, kindKey } from './ports.ts';
import { infraOf } from './stores.ts';

export interface LegacyOptions {
  /** How long old proxies serve beside the new ones, ms: names in DNS follow a new address only so fast. */
  readonly overlapMs: number;
}

export interface Legacy {
  reconcile(key: string): Promise<Outcome>;
  /** Whether our own Envoy Gateway and its classes must not be rendered yet; true until the first look is over. */
  holds(): boolean;
}

/** While nothing was found, an event that is about something else costs no look sooner than this. */
const quietMs = 60_000;
const unsyncedMs = 500;

export function legacy(ports: InfraPorts, options: LegacyOptions): Legacy {
  let holding = true;
  let quiet: { readonly generation: number | undefined; readonly until: number; readonly again: number } | undefined;

  const settle = (plan: LegacyPlan, infra: GatewayInfra) => {
    const { generation } = infra.metadata;
    const nothing = plan.reason === 'NoneFound' || plan.reason === 'Cleaned';
    quiet = nothing ? { generation, until: ports.now() + quietMs, again: plan.revisitAt } : undefined;
    const turned = holding !== (plan.system === 'hold');
    holding = plan.system === 'hold';
    if (turned) ports.wake.infra();
  };

  return {
    holds: () => holding,
    reconcile: async () => {
      const infra = infraOf(ports.stores);
      if (infra === undefined || infra.metadata.deletionTimestamp !== undefined) return { kind: 'settled' };
      if (quiet !== undefined && quiet.generation === infra.metadata.generation && ports.now() < quiet.until) {
        return { kind: 'revisit', at: quiet.again };
      }
      // Helm's records are read from there, and they go before anything else does.
      if (!ports.stores.systemSecrets.synced) return { kind: 'revisit', at: ports.now() + unsyncedMs };
      const plan = await planFor(ports, infra, options);
      if (!plan.ok) return troubled(ports, plan.problem);
      await tell(ports, infra, plan.value);
      settle(plan.value, infra);
      const problem = infra.spec.suspend === true ? undefined : await performLegacy(ports, plan.value);
      if (problem !== undefined) return troubled(ports, problem);
      ports.status.trouble('legacy', []);
      return { kind: 'revisit', at: plan.value.revisitAt };
    },
  };
}

async function planFor(
  ports: InfraPorts,
  infra: GatewayInfra,
  { overlapMs }: LegacyOptions,
): Promise<Reply<LegacyPlan, ProvisionProblem>> {
  const { spec, status } = infra;
  const systemNamespace = spec.systemNamespace;
  const places = [...new Set([systemNamespace, spec.legacy?.namespace ?? usualNamespace])];
  const sights = await lookForLegacy(ports, places, systemNamespace);
  if (!sights.ok) return sights;
  const hasProxies = sights.value.some((sight) => (findInstall(sight)?.proxies.length ?? 0) > 0);
  const fresh = hasProxies ? await lookForProxies(ports) : ({ ok: true, value: [] } as const);
  if (!fresh.ok) return fresh;
  const previous = conditionOf(status?.conditions, 'LegacyCleaned');
  const oursSince = sinceOurs(ports, systemNamespace);
  const plan = planLegacy({
    sights: sights.value,
    systemNamespace,
    certwayNamespace: ports.settings.certwayNamespace,
    controllerName: spec.controllerName,
    cleanup: spec.legacy?.cleanup ?? 'Manual',
    config: spec.envoyGatewayConfigRef === undefined ? 'none' : 'named',
    gateways: [...ports.stores.gateways.list()],
    fresh: fresh.value,
    overlapMs,
    now: ports.now(),
    ...(previous !== undefined && { previous }),
    ...(oursSince !== undefined && { oursSince }),
  });
  return { ok: true, value: plan };
}

function sinceOurs({ stores }: InfraPorts, namespace: string): number | undefined {
  const ours = stores.rendered.get(kindKey(resources.deployments))?.get(`${namespace}/${gatewayName}`);
  const at = Date.parse(ours?.metadata.creationTimestamp ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** In the status at every look, and as an event when it has become something else: before anything is done about it. */
async function tell(ports: InfraPorts, infra: GatewayInfra, { reason, message, system }: LegacyPlan): Promise<void> {
  const clean = reason === 'NoneFound' || reason === 'Cleaned';
  ports.status.condition({ type: 'LegacyCleaned', status: clean ? 'True' : 'False', reason, message });
  const generation = infra.metadata.generation ?? 0;
  ports.status.progress('legacy', { generation, ...(system === 'hold' && { waitsFor: message }) });
  const previous = conditionOf(infra.status?.conditions, 'LegacyCleaned');
  if (reason === 'NoneFound' || previous?.reason === reason) return;
  const about = refOf(infra);
  await ports.recorder.say({ about, type: clean ? 'Normal' : 'Warning', reason: `Legacy${reason}`, message });
}

function troubled(ports: InfraPorts, problem: ProvisionProblem): Outcome {
  ports.status.trouble('legacy', [problem]);
  ports.log.warn(
    { step: 'legacy', object: problem.object, problem: problem.kube },
    'cannot go on with the earlier Envoy Gateway',
  );
  return afterTrouble(problem.kube, ports.now());
}
