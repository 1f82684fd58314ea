// The stage of the tests of `certway infra`: a world of its own, one process of it as its ServiceAccount, and what they ask of the GatewayInfra.

import { readFile } from 'node:fs/promises';
import type { GatewayInfra } from '../../src/api/gateway-infra.ts';
import type { Condition } from '../../src/api/meta.ts';
import { openSession } from '../../src/kube/session.ts';
import { type Audit, openAudit, type Write } from '../rig/audit.ts';
import { crdDir } from '../rig/fill-crds.ts';
import { type Infra, startInfra } from '../rig/infra.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';

export const infraUser = 'system:serviceaccount:certway-system:certway-infra';
export const system = 'envoy-gateway-system';
/** This machine may be busy with other worlds. */
export const patient = { deadlineMs: 90_000 };

export interface Stage extends AsyncDisposable {
  readonly world: World;
  readonly kubectl: Kubectl;
  readonly audit: Audit;
  readonly infra: Infra;
  /** Starts another process with the same flags. */
  start(flags?: readonly string[]): Promise<Infra>;
}

export async function openStage(): Promise<Stage> {
  const world = await startWorld();
  try {
    const flags = [`--crd-dir=${await crdDir()}`, '--log-level=debug'];
    const start = (more: readonly string[] = []) => startInfra(world, { flags: [...flags, ...more] });
    return {
      world,
      kubectl: kubectlFor(world),
      audit: openAudit(world.auditLog),
      infra: await start(),
      start,
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

/** What people write. The CRDs of Gateway API are the rig's, so Certway is told to leave them to it. */
export function wish(spec: object = {}): readonly object[] {
  const whole = { crds: { policy: 'PreferExisting' }, ...spec };
  return [{ apiVersion: 'certway.dev/v1alpha1', kind: 'GatewayInfra', metadata: { name: 'default' }, spec: whole }];
}

export function read({ kubectl }: Pick<Stage, 'kubectl'>): Promise<GatewayInfra> {
  return kubectl.get<GatewayInfra>('gatewayinfra', 'default');
}

/** Waits until the condition is so; answers it. */
export function condition(stage: Pick<Stage, 'kubectl'>, type: string, wanted: Partial<Condition>): Promise<Condition> {
  return until(
    `${type} ${JSON.stringify(wanted)}`,
    async () => {
      const found = (await read(stage)).status?.conditions?.find((each) => each.type === type);
      const isSo = Object.entries(wanted).every(([name, value]) => Reflect.get(found ?? {}, name) === value);
      if (!isSo) throw new Error(JSON.stringify(found));
      return found;
    },
    patient,
  );
}

/** Waits until everything stands for the generation that is there now. */
export async function settled(stage: Pick<Stage, 'kubectl'>): Promise<void> {
  await until(
    'the GatewayInfra to be reconciled',
    async () => {
      const { metadata, status } = await read(stage);
      const of = (type: string) => status?.conditions?.find((each) => each.type === type);
      const isDone = of('Progressing')?.reason === 'Reconciled' && of('Degraded')?.status === 'False';
      const isNow = status?.observedGeneration === metadata.generation && of('ControllerInstalled')?.status === 'True';
      if (!isDone || !isNow) throw new Error(JSON.stringify(status?.conditions));
      return true;
    },
    patient,
  );
}

/** How many reconciles of that controller have ended, by the process's own metrics. */
export async function reconciles({ infra }: Pick<Stage, 'infra'>, controller: string): Promise<number> {
  const text = await (await fetch(infra.metricsUrl)).text();
  const counts = [...text.matchAll(/certway_reconcile_duration_seconds_count\{controller="(\w+)"[^}]*\} (\d+)/g)];
  return counts.filter(([, name]) => name === controller).reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** All that infra wrote since, but for Leases. */
export async function writesSince({ audit }: Pick<Stage, 'audit'>, since: number): Promise<readonly Write[]> {
  return (await audit.writes()).filter((write) => write.user === infraUser && write.at >= since);
}

export async function logOf({ infra }: Pick<Stage, 'infra'>): Promise<string> {
  return readFile(infra.logFile, 'utf8');
}

/** What a kubelet would say of Envoy Gateway's Pods: that they are ready. Nothing runs; a Deployment rolls all the same. */
export async function readyPods(stage: Pick<Stage, 'world'>): Promise<AsyncDisposable> {
  const session = await openSession({ kubeconfig: stage.world.kubeconfig, environment: {} });
  const path = `/api/v1/namespaces/${system}/pods`;
  const ending = new AbortController();
  const round = async (): Promise<undefined> => {
    const found = await session.request<{ items: readonly Pod[] }>({
      method: 'GET',
      path,
      query: { labelSelector: 'control-plane=envoy-gateway' },
    });
    for (const { metadata, status } of found.ok ? found.value.items : []) {
      if (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true) continue;
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }];
      const body = { status: { phase: 'Running', conditions } };
      const contentType = 'application/merge-patch+json';
      await session.request({ method: 'PATCH', path: `${path}/${metadata.name}/status`, contentType, body });
    }
    return undefined;
  };
  const running = until('the end of the test', round, { deadlineMs: 3_600_000, signal: ending.signal });
  const over = running.catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await over;
      await session[Symbol.asyncDispose]();
    },
  };
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
