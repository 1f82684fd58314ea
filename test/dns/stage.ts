// What the tests of this folder share: ports that touch nothing, the way BIND is seen, and records.

import type { Dns01Solver } from '../../src/api/dns01-solver.ts';
import type { Reply } from '../../src/api/reply.ts';
import { openHttps } from '../../src/dns/https.ts';
import { makeProvider, type ProviderPorts } from '../../src/dns/make-provider.ts';
import { readNameserver } from '../../src/dns/nameserver.ts';
import type { DnsProblem } from '../../src/dns/problem.ts';
import type { DnsProvider, TxtRecord } from '../../src/dns/provider.ts';
import type { DnsView } from '../../src/dns/view.ts';
import type { Bind, BindKey } from '../rig/dns-bind.ts';

export const https = openHttps({ proxies: undefined, userAgent: 'certway-test' });
export const never = new AbortController().signal;

/** Ports that reach nobody but where `change` says otherwise. */
export function ports(change: Partial<ProviderPorts> = {}): ProviderPorts {
  return {
    now: Date.now,
    https,
    proxies: undefined,
    session: { request: () => Promise.reject(new Error('the API server is not part of this test')) },
    requestToken: () => Promise.reject(new Error('the API server is not part of this test')),
    resourceNamespace: 'team',
    ambientCredentials: 'forbidden',
    ...change,
  };
}

export function got<T>(reply: Reply<T, DnsProblem>): T {
  if (!reply.ok) throw new Error(`${reply.problem.kind}: ${reply.problem.message}`);
  return reply.value;
}

export function problemIn<T>(reply: Reply<T, DnsProblem>): DnsProblem {
  if (reply.ok) throw new Error(`no problem, but ${JSON.stringify(reply.value)}`);
  return reply.problem;
}

/** The zone is the last two labels. */
export function record(name: string, value: string): TxtRecord {
  const zone = `${name.split('.').slice(-2).join('.')}.`;
  return { dnsName: name, fqdn: `_acme-challenge.${name}.`, zone, value, ttl: 60 };
}

/** A solver for BIND's primary with one of its keys. */
export function rfc2136(bind: Bind, key: BindKey): Dns01Solver {
  return {
    rfc2136: {
      nameserver: bind.primary,
      tsigKeyName: key.name,
      tsigAlgorithm: key.algorithm.replace('-', '').toUpperCase(),
      tsigSecretSecretRef: { name: 'tsig', key: 'secret' },
    },
  };
}

export function providerWith(solver: Dns01Solver, secret: string, change: Partial<ProviderPorts> = {}): DnsProvider {
  return got(makeProvider(solver, () => secret, ports(change)));
}

/** BIND's primary as the recursive server: it knows every zone of the test. */
export function bindView(bind: Bind, change: Partial<DnsView> = {}): DnsView {
  return { ...viewOf(bind.primary), authorityPort: bind.authorityPort, ...change };
}

export function viewOf(...servers: readonly string[]): DnsView {
  const nameservers = servers.map(readNameserver).filter((server) => server !== undefined);
  return { nameservers, checks: 'authorities', authorityPort: 53, https };
}
