// Whether this process may write: always without leader election, else while it holds a young lease. Made by main.ts before the session that it guards.

import { type HeldLease, holdLease, type LeaseOptions } from './lease.ts';
import type { Session } from './session.ts';

export interface LeadershipConfig
  extends Pick<LeaseOptions, 'namespace' | 'identity' | 'leaseMs' | 'renewDeadlineMs' | 'retryMs'> {
  readonly enabled: boolean;
  /** Of the Lease; certway-controller where it is left out. */
  readonly name?: string;
}

export interface Leadership {
  /** Asked before each write to the API server and each POST to a CA. */
  readonly mayWrite: () => boolean;
  /** Why a leader should be restarted; empty while all is well. */
  readonly ails: () => readonly string[];
  /** Calls `onLead` once this process leads. */
  seek(session: Session, events: Pick<LeaseOptions, 'signal' | 'onLost' | 'onProblem'> & { onLead(): void }): void;
  /** Lets the next candidate take over at once. */
  release(): Promise<void>;
}

export function leadership(config: LeadershipConfig): Leadership {
  let lease: HeldLease | undefined;
  return {
    mayWrite: () => !config.enabled || lease?.fresh() === true,
    ails: () => (lease?.held === true && !lease.fresh() ? ['the lease is held but was not renewed in time'] : []),
    seek: (session, { onLead, ...events }) => {
      if (!config.enabled) onLead();
      else
        lease = holdLease({ ...config, ...events, session, name: config.name ?? 'certway-controller', onHeld: onLead });
    },
    release: async () => lease?.release(),
  };
}
