// The infrastructure half's side of the contract, written by hand: a GatewayInfra whose status says what a test wants, in the place of `certway infra`.
// Two classes stand beside each other, infra's own and another controller's.

import type { GatewayInfra, NamespaceState } from '../../src/api/gateway-infra.ts';
import type { Condition, KubeObject } from '../../src/api/meta.ts';
import type { Kubectl } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { gateway } from '../world/team.ts';

export const ours = 'gateway.envoyproxy.io/gatewayclass-controller';

export interface InfraByHand {
  /** Makes the object, with the status. */
  create(said?: Said): Promise<void>;
  /** Its whole status, as one write. */
  say(said: Said): Promise<void>;
  get(): Promise<GatewayInfra>;
  /** Resolves when exactly these namespaces are acknowledged as drained. */
  acknowledged(...names: readonly string[]): Promise<void>;
}

export interface Said {
  readonly namespaces?: Readonly<Record<string, NamespaceState>>;
  readonly conditions?: readonly Condition[];
}

export function infraByHand(kubectl: Kubectl): InfraByHand {
  const object = { apiVersion: 'certway.dev/v1alpha1', kind: 'GatewayInfra', metadata: { name: 'default' }, spec: {} };
  const get = () => kubectl.get<GatewayInfra>('gatewayinfra', 'default');
  const say = async ({ namespaces = {}, conditions = [] }: Said) => {
    const status = {
      namespaces: Object.entries(namespaces).map(([name, state]) => ({ name, gateways: 1, listenerSets: 1, state })),
      conditions: conditions.map((each) => ({ lastTransitionTime: '2026-11-21T12:00:00Z', message: '', ...each })),
    };
    const patch = ['--type=merge', '--subresource=status', '-p', JSON.stringify({ status })];
    await kubectl.run(['patch', 'gatewayinfra', 'default', ...patch]);
  };
  return {
    create: async (said = {}) => {
      await kubectl.apply([object]);
      await say(said);
    },
    say,
    get,
    acknowledged: async (...names) => {
      const wanted = names.toSorted().join(',');
      await until(
        `the acknowledgement "${wanted}"`,
        async () => {
          const { annotations = {} } = (await get()).metadata;
          const found = annotations['certway.dev/drained-namespaces'] ?? '';
          if (found !== wanted) throw new Error(`it is "${found}"`);
          return true;
        },
        { deadlineMs: 30_000 },
      );
    },
  };
}

export const moving: Condition = { type: 'LegacyCleaned', status: 'False', reason: 'InProgress' };
export const moved: Condition = { type: 'LegacyCleaned', status: 'True', reason: 'Cleaned' };

/** `certway` is infra's, `other` somebody else's. */
export const classes: readonly KubeObject[] = [
  gatewayClass('certway', ours),
  gatewayClass('other', 'example.com/other'),
];

function gatewayClass(name: string, controllerName: string): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name },
    ...{ spec: { controllerName } },
  };
}

/** A Gateway that admits listener sets of its namespace, of one of the two classes. */
export function gatewayOf(namespace: string, className: 'certway' | 'other', name = 'parent'): KubeObject {
  const made = gateway(namespace, { name }) as KubeObject & { readonly spec: object };
  return { ...made, ...{ spec: { ...made.spec, gatewayClassName: className } } };
}
