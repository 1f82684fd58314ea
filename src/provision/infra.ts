// The reconcile of the GatewayInfra: defaults, then certificates, system and classes, or the way out. Called by the queue of one key that
// main-infra.ts starts. Namespaces, CRDs and older installs have reconcilers of their own; here is only waited for them.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import { envoyProxies, gatewayClasses, gateways } from '../api/resources.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { provideCertificates } from './certificates.ts';
import { provideClasses } from './classes.ts';
import { withDefaults } from './defaults.ts';
import type { Step } from './ensure.ts';
import { leave } from './finalizer.ts';
import { afterTrouble } from './outcome.ts';
import { type InfraPorts, kindKey } from './ports.ts';
import { outcomeOf, type StepResult } from './step.ts';
import { infraOf } from './stores.ts';
import { systemProvider } from './system.ts';
import { provideTenancy } from './tenancy.ts';
import type { Blind } from './watches.ts';

export interface InfraDependencies {
  /** Whether what stands in that systemNamespace is known. */
  readonly knows: (systemNamespace: string) => boolean;
  /** Kinds that may not be watched: nothing is decided on what is not seen. */
  readonly blind: () => readonly Blind[];
  /** Why the system may not be rendered yet, because of an older install; a whole sentence. */
  readonly legacyHolds: () => string | undefined;
}

type Part = readonly [step: Step, run: () => Promise<StepResult>];

export function infraReconciler(ports: InfraPorts, deps: InfraDependencies): () => Promise<Outcome> {
  const provideSystem = systemProvider(ports);
  return async () => {
    const seen = infraOf(ports.stores);
    if (seen === undefined) return { kind: 'settled' };
    ports.references.keep(referencedBy(seen));
    if (seen.spec.suspend === true) return suspended(ports, seen);
    if (!deps.knows(seen.spec.systemNamespace)) return { kind: 'settled' };
    const blind = deps.blind();
    ports.status.trouble(
      'system',
      blind.map(({ kind, message }) => ({
        step: 'system',
        object: `Watch of ${kind}`,
        reason: 'Forbidden',
        message: `${message}; nothing is changed until it may be watched: apply deploy/infra/ again.`,
      })),
      'sight',
    );
    if (blind.length > 0) return { kind: 'settled' };
    if (seen.metadata.deletionTimestamp !== undefined) return leave(ports, seen);
    const infra = await withDefaults(ports, seen);
    if (!infra.ok) {
      ports.status.trouble(
        'system',
        [{ step: 'system', object: 'GatewayInfra default', kube: infra.problem }],
        'defaults',
      );
      return afterTrouble(infra.problem, ports.now());
    }
    ports.status.trouble('system', [], 'defaults');
    const results = await runAll(ports, infra.value, obstacleOf(ports, infra.value, deps), [
      ['certificates', () => provideCertificates(ports, infra.value)],
      ['system', () => provideSystem(infra.value)],
      ['classes', () => provideClasses(ports, infra.value)],
    ]);
    // Policies of the API server's own: they wait for nothing.
    const tenancy = await runAll(ports, infra.value, undefined, [
      ['tenancy', () => provideTenancy(ports, infra.value)],
    ]);
    return outcomeOf([...results, ...tenancy], ports.now());
  };
}

/** One after the other. Classes are made also where the system is held: Gateways name them. */
async function runAll(
  { status }: InfraPorts,
  { metadata }: GatewayInfra,
  obstacle: StepResult | undefined,
  parts: readonly Part[],
): Promise<readonly StepResult[]> {
  const generation = metadata.generation ?? 0;
  const results: StepResult[] = [];
  for (const [step, run] of parts) {
    const result = obstacle ?? (await run());
    results.push(result);
    status.trouble(
      step,
      result.kind === 'held' && (obstacle === undefined || step === 'system') ? result.troubles : [],
    );
    status.progress(step, { generation, ...(result.kind === 'waits' && { waitsFor: result.why }) });
  }
  return results;
}

/** What everything here builds on. */
function obstacleOf({ stores }: InfraPorts, { spec }: GatewayInfra, deps: InfraDependencies): StepResult | undefined {
  const namespace = stores.namespaces.get(spec.systemNamespace);
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) {
    const object = `Namespace ${spec.systemNamespace}`;
    const message = `${object}, where Envoy Gateway shall run, ${namespace === undefined ? 'does not exist' : 'is being deleted'}; create it (deploy/infra/namespace.yaml has the default one).`;
    return { kind: 'held', troubles: [{ step: 'system', object, reason: 'NamespaceMissing', message }] };
  }
  const missing = [gatewayClasses, gateways, envoyProxies]
    .map(kindKey)
    .filter((crd) => stores.crds.get(crd) === undefined);
  if (missing.length > 0) {
    return {
      kind: 'waits',
      why: `These CRDs are not there yet: ${missing.join(', ')}; the condition CRDsReady says who brings them.`,
    };
  }
  const held = deps.legacyHolds();
  return held === undefined ? undefined : { kind: 'waits', why: held };
}

function suspended({ status }: InfraPorts, infra: GatewayInfra): Outcome {
  status.progress('system', { generation: infra.metadata.generation ?? 0 });
  if (infra.metadata.deletionTimestamp !== undefined) {
    const message = 'spec.suspend is true, so nothing is removed; set it to false, and the deletion goes on.';
    status.condition({ type: 'Released', status: 'False', reason: 'Suspended', message });
  }
  return { kind: 'settled' };
}

function referencedBy({ spec }: GatewayInfra) {
  const bundle = spec.namespaceResources?.trustBundle?.configMapRef;
  return [spec.envoyGatewayConfigRef, bundle].filter((ref) => ref !== undefined);
}
