// The objects of a run against a CA that keeps small limits: what all tenants ask for, dealt so that equal demand is fair, and the issuer that tells
// the controller what the CA gives. Pure.

import type { Issuer } from '../../src/api/certmanager.ts';
import { annotations } from '../../src/api/names.ts';
import type { Rate, Rates } from '../rig/proxy/gcra.ts';
import { standing, type Wanted, wantedOf } from './objects.ts';
import type { Benchmark } from './suite.ts';

export interface LimitsSize {
  /** A multiple of the tenants. */
  readonly certificates: number;
  readonly tenants: number;
  /** Registered domains. */
  readonly domains: number;
}

export interface LimitsWanted extends Wanted {
  readonly tenant: string;
}

/** Of examples/listenersets.yaml. */
const issuer = 'letsencrypt-prod';
export const accountSecret = { namespace: 'certway-system', name: 'letsencrypt-prod-account' } as const;

function benchmarkOf({ certificates, tenants }: LimitsSize): Benchmark {
  const marks = { 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  return { name: 'limits', certificates, namespaces: tenants, issuer, annotations: marks };
}

/** A Gateway that names the issuer, and a namespace for each tenant. */
export function standingOf(size: LimitsSize): ReturnType<typeof standing> {
  return standing(benchmarkOf(size));
}

/**
 * In the order in which they are created: each tenant's first, each tenant's second, and so on. The domains stand in a circle, of which each tenant
 * takes as many in a row as it has certificates, where the one before it has stopped. So each domain is shared by several tenants, no domain has two
 * certificates more than another, and tenants meet at a domain at the same moment. `below`: a label that tells the names of two clusters apart.
 */
export function demandOf(size: LimitsSize, below: string): readonly LimitsWanted[] {
  const { certificates, tenants, domains } = size;
  const share = certificates / tenants;
  return wantedOf(benchmarkOf(size)).map((one, index) => {
    const tenant = index % tenants;
    const turn = Math.floor(index / tenants);
    const hostname = `app-${index}.${below}.${domainOf((tenant * share + turn) % domains)}`;
    const { spec, ...set } = one.set;
    const listeners = spec.listeners.map((listener) => ({ ...listener, hostname }));
    return { ...one, tenant: one.namespace, hostname, set: { ...set, spec: { ...spec, listeners } } };
  });
}

/** Every name of one cluster, for the DNS server. */
export function patternsOf({ domains }: LimitsSize, below: string): readonly string[] {
  return Array.from({ length: domains }, (_, index) => `*.${below}.${domainOf(index)}`);
}

function domainOf(index: number): string {
  return `shop-${index}.example`;
}

/** The issuer with the CA's limits for the controller to read. */
export function withLimits(of: Issuer, rates: Rates): Issuer {
  const limits = {
    newOrdersPerAccount: written(rates['new-orders-per-account']),
    certificatesPerDomain: written(rates['new-certificates-per-registered-domain']),
    certificatesPerExactSet: written(rates['new-certificates-per-exact-set-of-identifiers']),
    failedAuthorizations: written(rates['authorization-failures-per-identifier-per-account']),
  };
  const marks = { ...of.metadata.annotations, [annotations.limits]: JSON.stringify({ limits }) };
  return { ...of, metadata: { ...of.metadata, annotations: marks } };
}

function written({ burst, everyMs }: Rate): object {
  const seconds = (burst * everyMs) / 1000;
  if (!Number.isInteger(seconds)) throw new Error(`a period of ${seconds} s cannot be written`);
  return { count: burst, period: `${seconds}s` };
}
