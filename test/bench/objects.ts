// The objects of one benchmark: a Gateway with a default issuer that everybody may attach to, and one listener set with one HTTPS
// listener per certificate, dealt over the namespaces. Pure.

import type { Gateway, ListenerSet, Namespace } from '../../src/api/gateway.ts';
import { type Benchmark, issuerAnnotation } from './suite.ts';

export interface Wanted {
  readonly set: ListenerSet;
  readonly namespace: string;
  readonly hostname: string;
  readonly secretName: string;
}

const platform = 'bench-platform';
const apiVersion = 'gateway.networking.k8s.io/v1';

export function benchNamespaces({ namespaces }: Benchmark): readonly string[] {
  return Array.from({ length: namespaces }, (_, index) => `bench-${index}`);
}

/** What stands before the clock starts: namespaces and the Gateway. */
export function standing(benchmark: Benchmark): readonly (Namespace | Gateway)[] {
  const everywhere = { namespaces: { from: 'All' } } as const;
  const gateway: Gateway = {
    apiVersion,
    kind: 'Gateway',
    metadata: { namespace: platform, name: 'shared', annotations: issuerAnnotation(benchmark) },
    spec: {
      gatewayClassName: 'bench',
      allowedListeners: everywhere,
      listeners: [{ name: 'http', protocol: 'HTTP', port: 80, allowedRoutes: everywhere }],
    },
  };
  const namespaces = [platform, ...benchNamespaces(benchmark)].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  return [...namespaces, gateway];
}

export function wantedOf(benchmark: Benchmark): readonly Wanted[] {
  const namespaces = benchNamespaces(benchmark);
  return Array.from({ length: benchmark.certificates }, (_, index) => {
    const namespace = namespaces[index % namespaces.length] ?? '';
    const name = `app-${String(index).padStart(3, '0')}`;
    const hostname = `${name}.${namespace}.example.com`;
    const secretName = `${name}-tls`;
    return { set: listenerSet(benchmark, namespace, name, hostname, secretName), namespace, hostname, secretName };
  });
}

function listenerSet(
  { annotations }: Benchmark,
  namespace: string,
  name: string,
  hostname: string,
  secretName: string,
): ListenerSet {
  const tls = { mode: 'Terminate', certificateRefs: [{ name: secretName }] } as const;
  return {
    apiVersion,
    kind: 'ListenerSet',
    metadata: { namespace, name, annotations },
    spec: {
      parentRef: { namespace: platform, name: 'shared' },
      listeners: [{ name: 'https', protocol: 'HTTPS', port: 443, hostname, tls }],
    },
  };
}
