// How a process takes part in leader election: the flags that both halves have, and what they say. Called by flags.ts, infra-flags.ts and the files
// that read them.

import { hostname } from 'node:os';
import { booleanOf, durationOf } from './flag-values.ts';
import type { LeadershipConfig } from './kube/leadership.ts';

export const leaseFlags = {
  'leader-elect': { type: 'boolean', default: true, help: 'take part in leader election' },
  'leader-election-namespace': { type: 'string', default: 'certway-system', help: 'where the Lease stands' },
  'leader-election-lease-duration': {
    type: 'string',
    default: '15s',
    help: 'a lease not renewed for so long may be taken',
  },
  'leader-election-renew-deadline': {
    type: 'string',
    default: '10s',
    help: 'a leader that could not renew for so long stops',
  },
  'leader-election-retry-period': {
    type: 'string',
    default: '2s',
    help: 'between attempts to take or renew the lease',
  },
} as const;

type LeaseValues = { readonly [Name in keyof typeof leaseFlags]: string };
type Environment = Readonly<Record<string, string | undefined>>;

export function leaseOf(
  values: LeaseValues,
  env: Environment,
  mistakes: string[],
): Pick<LeadershipConfig, 'enabled' | 'namespace' | 'identity' | 'leaseMs' | 'renewDeadlineMs' | 'retryMs'> {
  const milliseconds = (name: keyof LeaseValues) => durationOf(name, values[name], mistakes);
  const lease = {
    enabled: booleanOf('leader-elect', values['leader-elect'], mistakes),
    namespace: values['leader-election-namespace'],
    identity: `${env.POD_NAME ?? hostname()}_${crypto.randomUUID()}`,
    leaseMs: milliseconds('leader-election-lease-duration'),
    renewDeadlineMs: milliseconds('leader-election-renew-deadline'),
    retryMs: milliseconds('leader-election-retry-period'),
  };
  if (lease.renewDeadlineMs >= lease.leaseMs) {
    mistakes.push('--leader-election-renew-deadline must be shorter than --leader-election-lease-duration');
  }
  return lease;
}
