// The one writer of GatewayInfra.status. The reconcilers tell it their part; it remembers, and a queue of one key writes what has changed, guarded by
// the resourceVersion that it was made from. Made by main-infra.ts.

import type { GatewayInfra, GatewayInfraStatus, InfraCrd, InfraNamespace } from '../api/gateway-infra.ts';
import { deployments, gatewayInfras } from '../api/resources.ts';
import { digestOf } from '../infra/digest.ts';
import { gatewayName } from '../infra/eg-names.ts';
import type { Fault, InfraCondition } from '../infra/infra-conditions.ts';
import { statusChanges } from '../infra/infra-events.ts';
import { namespacesOf, statusOf, type Told } from '../infra/infra-status.ts';
import type { InfraRefusal } from '../infra/refusal.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type ProvisionProblem, type Step, steps } from './ensure.ts';
import { afterTrouble } from './outcome.ts';
import type { InfraPorts, InfraWakes } from './ports.ts';
import { infraOf, renderedStore } from './stores.ts';

/** What a step could not do: of the API server's making, or refused by us because of what the spec asks for. */
export type Trouble = ProvisionProblem | InfraRefusal;

export interface Progress {
  readonly generation: number;
  /** A whole sentence; absent: the step is through. */
  readonly waitsFor?: string;
}

export interface InfraStatus {
  /** Ascending by name. */
  crds(value: readonly InfraCrd[]): void;
  /** One namespace's line; undefined takes it away. */
  namespace(name: string, value: InfraNamespace | undefined): void;
  /** As they were told since the process began, before that as the status lists them; ascending by name. */
  namespaces(): readonly InfraNamespace[];
  /** A condition of one's own, such as CRDsReady; those that infra-conditions.ts makes of everything together are not told. */
  condition(value: InfraCondition): void;
  /** Takes a condition of one's own away. */
  without(type: InfraCondition['type']): void;
  rendered(value: NonNullable<GatewayInfraStatus['rendered']>): void;
  /** What holds a step back, for Degraded; `[]` when all went well. `part` tells the namespaces of one step apart. */
  trouble(step: Step, troubles: readonly Trouble[], part?: string): void;
  /** How far a step is, for Progressing and observedGeneration. */
  progress(step: Step, state: Progress, part?: string): void;
}

export interface StatusWriter extends InfraStatus {
  readonly write: () => Promise<Outcome>;
}

type StatusPorts = Pick<InfraPorts, 'kube' | 'stores' | 'recorder' | 'log' | 'now'> & {
  readonly wake: Pick<InfraWakes, 'status' | 'infra'>;
};

interface Memory {
  crds: readonly InfraCrd[] | undefined;
  rendered: GatewayInfraStatus['rendered'];
  readonly namespaces: Map<string, InfraNamespace | undefined>;
  readonly conditions: Map<InfraCondition['type'], InfraCondition | 'absent'>;
  readonly faults: Map<string, readonly Fault[]>;
  readonly progress: Map<string, Progress>;
  writtenAt: number;
  /** When the first word came. */
  since: number | undefined;
}

const mostWaits = 3;
/** Hundreds of namespaces may speak at once: what they say in that time is one write. */
const quietMs = 250;
/** A process that begins knows little; for so long, what the last one wrote is believed unless something fails. */
const settlingMs = 5_000;
const alwaysHeard = ['crds', 'certificates', 'system', 'classes'] as const satisfies readonly Step[];

export function infraStatus(ports: StatusPorts): StatusWriter {
  let memory = emptyMemory();
  let of: string | undefined;
  // A GatewayInfra that was made anew begins anew.
  const current = () => {
    const uid = infraOf(ports.stores)?.metadata.uid;
    if (uid !== of) memory = emptyMemory();
    of = uid;
    return memory;
  };
  const told = (note: (into: Memory) => void) => {
    const into = current();
    into.since ??= ports.now();
    note(into);
    ports.wake.status();
  };
  return {
    crds: (value) => told((into) => Object.assign(into, { crds: value })),
    rendered: (value) => told((into) => Object.assign(into, { rendered: value })),
    namespace: (name, value) => {
      const before = current().namespaces.get(name);
      told(({ namespaces }) => namespaces.set(name, value));
      // What Envoy Gateway watches, and what its deletion waits for.
      if (before?.state !== value?.state) ports.wake.infra();
    },
    namespaces: () => namespacesOf(current().namespaces, infraOf(ports.stores)?.status?.namespaces ?? []),
    condition: (value) => told(({ conditions }) => conditions.set(value.type, value)),
    without: (type) => told(({ conditions }) => conditions.set(type, 'absent')),
    trouble: (step, troubles, part = '') =>
      told(({ faults }) =>
        faults.set(
          `${step}/${part}`,
          troubles.flatMap((each) => faultOf(step, each)),
        ),
      ),
    progress: (step, state, part = '') => told(({ progress }) => progress.set(`${step}/${part}`, state)),
    write: () => write(ports, current()),
  };
}

function emptyMemory(): Memory {
  return {
    crds: undefined,
    rendered: undefined,
    namespaces: new Map(),
    conditions: new Map(),
    faults: new Map(),
    progress: new Map(),
    writtenAt: Number.NEGATIVE_INFINITY,
    since: undefined,
  };
}

async function write(ports: StatusPorts, memory: Memory): Promise<Outcome> {
  const infra = infraOf(ports.stores);
  if (infra === undefined) return { kind: 'settled' };
  const now = ports.now();
  if (now < memory.writtenAt + quietMs) return { kind: 'revisit', at: memory.writtenAt + quietMs };
  const told = toldOf(ports, infra, memory);
  const settledAt = (memory.since ?? now) + settlingMs;
  if (now < settledAt && isSettling(memory, told)) return { kind: 'revisit', at: settledAt };
  const status = statusOf(told, now);
  if (digestOf(status) === digestOf(infra.status ?? {})) return { kind: 'settled' };
  memory.writtenAt = now;
  const answer = await ports.kube.replaceStatus(gatewayInfras, { ...infra, status });
  if (!answer.ok) {
    ports.log.debug({ problem: answer.problem }, 'status of the GatewayInfra not written');
    return afterTrouble(answer.problem, ports.now());
  }
  ports.stores.gatewayInfras.note(answer.value);
  for (const { about, ...said } of statusChanges(infra, status)) {
    ports.log.info(said, 'GatewayInfra');
    await ports.recorder.say({ about, ...said }, { of: infra.metadata.generation ?? 0 });
  }
  return { kind: 'settled' };
}

/** The same spec was carried out before, and of what is said now a part is missing or waits to look. */
function isSettling({ progress }: Memory, { infra, faults, waits }: Told): boolean {
  const isKnown = infra.status?.observedGeneration === infra.metadata.generation;
  const isHeard = alwaysHeard.every((step) => progress.has(`${step}/`));
  return isKnown && faults.length === 0 && (!isHeard || waits.length > 0);
}

function toldOf(ports: StatusPorts, infra: GatewayInfra, memory: Memory): Told {
  const { faults, progress, ...parts } = memory;
  const inOrder = <T>(by: ReadonlyMap<string, T>) =>
    [...by].sort(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1)).map(([, each]) => each);
  const generation = infra.metadata.generation ?? 0;
  const system = progress.get('system/');
  return {
    ...parts,
    infra,
    faults: inOrder(faults).flat(),
    waits: waitsOf(inOrder(progress), generation),
    deployment: renderedStore(ports.stores, deployments).get(`${infra.spec.systemNamespace}/${gatewayName}`),
    installed: system?.waitsFor === undefined && system !== undefined ? parts.rendered : undefined,
    observedGeneration: system?.generation,
  };
}

function placeOf(part: string): number {
  return steps.findIndex((step) => part.startsWith(`${step}/`));
}

function waitsOf(progress: readonly Progress[], generation: number): readonly string[] {
  const waits = [...new Set(progress.flatMap(({ waitsFor }) => (waitsFor === undefined ? [] : [waitsFor])))];
  const isBehind = progress.length === 0 || progress.some((each) => each.generation < generation);
  return isBehind && waits.length === 0 ? ['The latest spec is being carried out.'] : waits.slice(0, mostWaits);
}

/** What passes by itself within moments is not told: a look that was out of date, a lease that is renewed late. */
function faultOf(step: Step, trouble: Trouble): readonly Fault[] {
  if (!('kube' in trouble)) return [{ ...trouble, step }];
  const { object, kube } = trouble;
  if (kube.kind === 'conflict' || kube.kind === 'notLeader') return [];
  const reason = `${kube.kind.charAt(0).toUpperCase()}${kube.kind.slice(1)}`;
  return [{ step, object, reason, message: kube.message }];
}
