// The flags of `certway infra` as a table, and the usage text made from it. Called by infra-config.ts only. What the platform wants of Envoy Gateway
// stands in the GatewayInfra; here is only how the process runs.

import { type Flag, flagLines } from './flags.ts';
import { leaseFlags } from './lease-flags.ts';

export const infraFlags = {
  kubeconfig: { type: 'string', help: 'kubeconfig file; absent: in-cluster credentials' },
  'crd-dir': {
    type: 'string',
    default: '',
    help: 'directory with the CRDs of Gateway API and Envoy Gateway, one YAML file or more; empty: none are ever installed',
  },
  'certway-namespace': { type: 'string', default: 'certway-system', help: 'where both halves of Certway run' },
  'acme-http01-solver-service': {
    type: 'string',
    default: 'certway-system/certway-acme-solver:8089',
    help: 'namespace/name:port of the Service that answers HTTP-01, made known to Envoy Gateway in its own namespace',
  },
  'legacy-overlap': {
    type: 'string',
    default: '5m',
    help: 'how long proxies of an older install serve beside the new ones, so that DNS can follow',
  },
  ...leaseFlags,
  'concurrent-workers': { type: 'string', default: '8', help: 'namespaces worked on at once' },
  'metrics-listen-address': { type: 'string', default: '0.0.0.0:9404', help: 'Prometheus metrics' },
  'healthz-listen-address': { type: 'string', default: '0.0.0.0:9405', help: '/livez and /readyz' },
  'log-level': { type: 'string', default: 'info', help: 'debug | info | warn | error' },
} as const satisfies Record<string, Flag>;

export type InfraValues = { readonly [Name in keyof typeof infraFlags]: string };

export function infraUsage(): string {
  return [
    'certway infra [flags]    run Envoy Gateway in Gateway Namespace Mode, as GatewayInfra default asks',
    '',
    ...flagLines(infraFlags),
    '',
  ].join('\n');
}
