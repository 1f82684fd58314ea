// Makes the provider that a DNS-01 solver names, with the Secrets that it needs read afresh. Called by records.ts and order-cleanup.ts.

import type { SecretKeySelector } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { Dns01Solver } from '../api/dns01-solver.ts';
import type { Order } from '../api/order.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import { makeProvider, solverSecrets } from '../dns/make-provider.ts';
import { type DnsProblem, failed } from '../dns/problem.ts';
import type { DnsProvider } from '../dns/provider.ts';
import { templateBehind } from '../plan/stamp.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';

type Made = Promise<Reply<DnsProvider, DnsProblem>>;

/** The same for an order of many names: the Secrets of each solver are read once. */
export function solverProviders(ports: Ports, order: Order): (solver: Dns01Solver) => Made {
  const made = new Map<string, Made>();
  return (solver) => {
    const key = JSON.stringify(solver);
    const provider = made.get(key) ?? solverProvider(ports, order, solver);
    made.set(key, provider);
    return provider;
  };
}

export async function solverProvider(
  ports: Ports,
  order: Order,
  solver: Dns01Solver,
): Promise<Reply<DnsProvider, DnsProblem>> {
  // What is stamped from a ClusterIssuer has its solvers, with their Secrets.
  const isCluster = templateBehind(order.spec.issuerRef) !== undefined;
  const namespace = isCluster ? ports.settings.clusterResourceNamespace : (order.metadata.namespace ?? '');
  const found = new Map<string, Secret>();
  for (const { name } of solverSecrets(solver)) {
    if (found.has(name)) continue;
    const read = await ports.kube.get(secrets, { namespace, name });
    if (read.ok) found.set(name, read.value);
    else if (read.problem.kind === 'forbidden') {
      return failed('misconfigured', `Certway may not read Secret "${name}" in namespace "${namespace}".`);
    } else if (read.problem.kind !== 'notFound') return failed('unavailable', `Secret "${name}" cannot be read now.`);
  }
  const text = ({ name, key = '' }: SecretKeySelector) => {
    const secret = found.get(name);
    const value = secret === undefined ? '' : decode(secret, key);
    return value === '' ? undefined : value;
  };
  const { ambient, ...rest } = ports.dns;
  return makeProvider(solver, text, {
    ...rest,
    now: ports.now,
    resourceNamespace: namespace,
    ambientCredentials: isCluster ? ambient.clusterIssuers : ambient.issuers,
  });
}
