// What the conditions of a GatewayInfra say, made from what every step of the work has told. Called by infra-status.ts only for the whole status.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { ConditionStatus, KubeObject } from '../api/meta.ts';

export interface InfraCondition {
  readonly type:
    | 'Available'
    | 'Progressing'
    | 'Degraded'
    | 'ControllerInstalled'
    | 'CRDsReady'
    | 'LegacyCleaned'
    | 'WideSecretRead'
    | 'Released';
  readonly status: ConditionStatus;
  readonly reason: string;
  /** A whole sentence. */
  readonly message: string;
}

/** One thing that a step could not do. */
export interface Fault {
  readonly step: string;
  /** "Deployment envoy-gateway-system/envoy-gateway". */
  readonly object: string;
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface Work {
  readonly infra: GatewayInfra;
  /** In the order of the steps. */
  readonly faults: readonly Fault[];
  /** Why steps are not through yet; empty when all of them are, for this generation. */
  readonly waits: readonly string[];
  /** Envoy Gateway's own, as it stands. */
  readonly deployment: KubeObject | undefined;
  /** The version and all objects of it have been applied since the last fault. */
  readonly installed: { readonly version: string } | undefined;
}

const mostFaults = 5;

/** Those that are made of everything together, in the order in which they are shown. */
export function conditionsOf(work: Work): readonly InfraCondition[] {
  return [available(work), progressing(work), degraded(work), controllerInstalled(work), wideSecretRead(work)];
}

function available({ deployment, infra }: Work): InfraCondition {
  const type = 'Available';
  const name = `Deployment ${infra.spec.systemNamespace}/envoy-gateway`;
  if (deployment === undefined) {
    return { type, status: 'False', reason: 'NoController', message: `${name} does not exist.` };
  }
  const { conditions = [], availableReplicas = 0 } = statusOf(deployment);
  const own = conditions.find((each) => each.type === 'Available');
  if (own?.status === 'True') {
    const message = `Envoy Gateway runs: ${name} has ${availableReplicas} available ${availableReplicas === 1 ? 'replica' : 'replicas'}.`;
    return { type, status: 'True', reason: 'ControllerAvailable', message };
  }
  const why = own?.message === undefined || own.message === '' ? 'no Pod of it is ready yet' : own.message;
  return { type, status: 'False', reason: 'ControllerUnavailable', message: `${name}: ${why}` };
}

function progressing({ infra, waits, faults }: Work): InfraCondition {
  const type = 'Progressing';
  if (infra.metadata.deletionTimestamp !== undefined) {
    const message = 'The GatewayInfra is being deleted; the condition Released says what that waits for.';
    return { type, status: 'True', reason: 'Deleting', message };
  }
  if (infra.spec.suspend === true) {
    const message = 'spec.suspend is true: nothing is changed until it is false.';
    return { type, status: 'False', reason: 'Suspended', message };
  }
  if (waits.length > 0) return { type, status: 'True', reason: 'Waiting', message: waits.join(' ') };
  if (faults.length > 0) {
    const message = 'What could be done stands; the condition Degraded says what could not.';
    return { type, status: 'False', reason: 'Blocked', message };
  }
  return { type, status: 'False', reason: 'Reconciled', message: 'Everything stands as the spec asks for it.' };
}

function degraded({ faults }: Work): InfraCondition {
  const type = 'Degraded';
  const [first] = faults;
  if (first === undefined) {
    return { type, status: 'False', reason: 'AsExpected', message: 'Every step has gone through.' };
  }
  const told = faults.slice(0, mostFaults).map(({ step, object, message }) => `${step}: ${object}: ${message}`);
  const more = faults.length > mostFaults ? [`and ${faults.length - mostFaults} more`] : [];
  return { type, status: 'True', reason: first.reason, message: [...told, ...more].join('; ') };
}

function controllerInstalled({ infra, faults, installed }: Work): InfraCondition {
  const type = 'ControllerInstalled';
  const own = faults.find(({ step }) => step === 'system' || step === 'certificates');
  if (own !== undefined) {
    const message = `${own.object}: ${own.message}`;
    return { type, status: 'False', reason: 'InstallFailed', message };
  }
  if (installed === undefined) {
    const message = 'The objects of Envoy Gateway have not been applied yet.';
    return { type, status: 'Unknown', reason: 'Pending', message };
  }
  const message = `Envoy Gateway ${installed.version} stands in ${infra.spec.systemNamespace} as it is rendered.`;
  return { type, status: 'True', reason: 'Installed', message };
}

function wideSecretRead({ infra }: Work): InfraCondition {
  const type = 'WideSecretRead';
  if (infra.spec.watch?.selector === undefined) {
    const message = 'Envoy Gateway reads Secrets only in its own namespace and in those that it serves.';
    return { type, status: 'False', reason: 'NamespacesWatched', message };
  }
  const message =
    'spec.watch.selector makes Envoy Gateway read every Secret of the cluster; use spec.watch.namespaces, or leave spec.watch out.';
  return { type, status: 'True', reason: 'SelectorWatched', message };
}

interface DeploymentStatus {
  readonly availableReplicas?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

function statusOf(deployment: KubeObject): DeploymentStatus {
  // The API server's own validation vouches for the shape.
  return 'status' in deployment ? ((deployment.status ?? {}) as DeploymentStatus) : {};
}
