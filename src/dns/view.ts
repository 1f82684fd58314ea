// Through whose eyes DNS is seen: which recursive servers are asked, and whether records are checked there or at the zone's own servers.
// Made once from the flags, narrowed per solver; passed to everything in this folder that looks names up.

import type { Dns01Solver } from '../api/dns01-solver.ts';
import type { Reply } from '../api/reply.ts';
import type { Https } from './https.ts';
import { type Nameserver, readNameserver } from './nameserver.ts';
import { type DnsProblem, failed } from './problem.ts';

export interface DnsView {
  /** Recursive; the first that answers is believed. */
  readonly nameservers: readonly Nameserver[];
  /** Who must have a record before a CA is told: every authoritative server of the zone, or every one of `nameservers`. */
  readonly checks: 'authorities' | 'nameservers';
  /** 53; another one only where many zones live on one machine. */
  readonly authorityPort: number;
  /** For nameservers that are URLs. */
  readonly https: Https;
}

/** The view for one solver: its own `nameservers` stand in for the flag's, and are believed instead of the authorities. */
export function viewFor(solver: Dns01Solver, view: DnsView): Reply<DnsView, DnsProblem> {
  const given = solver.nameservers ?? [];
  if (given.length === 0) return { ok: true, value: view };
  const nameservers = given.map(readNameserver);
  const unreadable = given.find((_, index) => nameservers[index] === undefined);
  if (unreadable !== undefined) {
    const forms = 'host, host:port, [address]:port or an https URL';
    return failed(
      'misconfigured',
      `dns01.nameservers holds ${JSON.stringify(unreadable.slice(0, 100))}; write ${forms}.`,
    );
  }
  return {
    ok: true,
    value: { ...view, nameservers: nameservers.filter((server) => server !== undefined), checks: 'nameservers' },
  };
}
