// Which benchmarks there are. Their sizes are fixed for good: figures of different months must be comparable.

import { annotations as names } from '../../src/api/names.ts';

export interface Benchmark {
  readonly name: string;
  readonly certificates: number;
  readonly namespaces: number;
  /** A ClusterIssuer of examples/listenersets.yaml, named by the Gateway. */
  readonly issuer: 'ca-issuer' | 'letsencrypt-prod';
  /** On each listener set. */
  readonly annotations: Readonly<Record<string, string>>;
}

const keyAlgorithm = 'cert-manager.io/private-key-algorithm';

export const suite: readonly Benchmark[] = [
  { name: 'ca-200', certificates: 200, namespaces: 10, issuer: 'ca-issuer', annotations: {} },
  {
    name: 'ca-200-ecdsa',
    certificates: 200,
    namespaces: 10,
    issuer: 'ca-issuer',
    annotations: { [keyAlgorithm]: 'ECDSA' },
  },
  { name: 'acme-60', certificates: 60, namespaces: 10, issuer: 'letsencrypt-prod', annotations: {} },
];

/** The Gateway's annotation that names the issuer. */
export function issuerAnnotation({ issuer }: Benchmark): Readonly<Record<string, string>> {
  return { [names.clusterIssuer]: issuer };
}
