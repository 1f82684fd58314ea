// A GatewayInfra, Gateways, ListenerSets and namespaces as values, for the tests of what a namespace hosts and is given.

import type { FromNamespaces, Gateway, ListenerSet } from '../../src/api/gateway.ts';
import type { GatewayInfra, GatewayInfraSpec } from '../../src/api/gateway-infra.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { type Host, type HostingWorld, hostIn } from '../../src/infra/hosting.ts';
import type { SpaceSeen } from '../../src/infra/space-plan.ts';
import type { Wanted } from '../../src/infra/wanted.ts';

export const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';

export function infraWith(
  spec: Partial<GatewayInfraSpec> = {},
  metadata: Partial<KubeObject['metadata']> = {},
): GatewayInfra {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default', uid: 'infra-1', generation: 1, ...metadata },
    spec: { systemNamespace: 'envoy-gateway-system', controllerName, ...spec },
  };
}

export function gatewayIn(
  namespace: string,
  more: { name?: string; className?: string; from?: FromNamespaces; leaving?: true } = {},
): Gateway {
  const { name = 'web', className = 'certway', from, leaving } = more;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      namespace,
      name,
      uid: `${namespace}-${name}`,
      generation: 1,
      ...(leaving && { deletionTimestamp: '2026-11-21T12:00:00Z' }),
    },
    spec: {
      gatewayClassName: className,
      listeners: [],
      ...(from !== undefined && { allowedListeners: { namespaces: { from } } }),
    },
  };
}

export function setIn(
  namespace: string,
  gateway: string,
  more: { kind?: 'ListenerSet' | 'XListenerSet'; refused?: string } = {},
): ListenerSet {
  const { kind = 'ListenerSet', refused } = more;
  const group = kind === 'ListenerSet' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1';
  const [at = '', name = ''] = gateway.split('/');
  return {
    apiVersion: group,
    kind,
    metadata: { namespace, name: 'set', uid: `${namespace}-set`, generation: 1 },
    spec: { parentRef: { namespace: at, name }, listeners: [] },
    ...(refused !== undefined && {
      status: { conditions: [{ type: 'Accepted', status: 'False', reason: refused, observedGeneration: 1 }] },
    }),
  };
}

export interface Things {
  readonly gateways?: readonly Gateway[];
  readonly sets?: readonly ListenerSet[];
  /** Names of those on their way out. */
  readonly terminating?: readonly string[];
  readonly absent?: readonly string[];
  readonly classes?: Readonly<Record<string, string>>;
}

export function worldOf(infra: GatewayInfra, things: Things): HostingWorld {
  const { gateways = [], sets = [], terminating = [], absent = [], classes = {} } = things;
  return {
    infra,
    gatewaysIn: (namespace) => gateways.filter(({ metadata }) => metadata.namespace === namespace),
    listenerSetsIn: (namespace) => sets.filter(({ metadata }) => metadata.namespace === namespace),
    gateway: (key) => gateways.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key),
    controllerOf: (name) => classes[name],
    namespace: (name) =>
      absent.includes(name)
        ? undefined
        : {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: {
              name,
              labels: {},
              ...(terminating.includes(name) && { deletionTimestamp: '2026-11-21T12:00:00Z' }),
            },
          },
    candidates: () => [...gateways, ...sets].map(({ metadata }) => metadata.namespace ?? ''),
  };
}

/** What is seen of a namespace: nothing of ours stands, nobody reads it, the certificate half has said nothing. */
export function seenIn(
  namespace: string,
  infra: GatewayInfra,
  things: Things,
  more: Partial<SpaceSeen> = {},
): SpaceSeen {
  const host: Host = hostIn(namespace, worldOf(infra, things));
  return {
    namespace,
    infra,
    host,
    bundle: 'absent',
    controllerAccount: 'certway-controller',
    live: [],
    subjects: new Set(),
    acknowledged: 'awaited',
    ...more,
  };
}

/** "RoleBinding certway-gateway-read", without the namespace that all of them share. */
export function names(wanted: readonly Wanted[]): readonly string[] {
  return wanted.map(({ of, object }) => `${of.kind} ${object.metadata.name}`);
}
