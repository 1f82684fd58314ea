// Where a hostname leads, as a CA would ask: A and AAAA records from given nameservers or the system's. Called by self-check.ts.
// c-ares rather than getaddrinfo: no search domains, and no slow lookup that blocks the thread pool on which keys are made.

import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Reply } from '../api/reply.ts';

const answers: Readonly<Record<string, string>> = {
  ENOTFOUND: 'NXDOMAIN',
  ENODATA: 'no A or AAAA record',
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  ETIMEOUT: 'no answer',
  ECONNREFUSED: 'no answer',
};

/** IPv6 first, as CAs connect. `nameservers` are `address:port`; none means the system's. The problem is half a sentence about the host. */
export async function findAddresses(
  host: string,
  nameservers: readonly string[],
  signal: AbortSignal,
): Promise<Reply<readonly string[], string>> {
  if (isIP(host) !== 0) return { ok: true, value: [host] };
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (nameservers.length > 0) resolver.setServers(nameservers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel);
  const found = await Promise.allSettled([resolver.resolve6(host), resolver.resolve4(host)]);
  signal.removeEventListener('abort', cancel);
  const addresses = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return { ok: true, value: addresses };
  const codes = found.flatMap((answer) => (answer.status === 'rejected' ? [codeOf(answer.reason)] : []));
  // The more telling of the two: a name without records of one family says nothing of the other.
  const code = codes.find((c) => c !== 'ENODATA') ?? 'ENODATA';
  const from = nameservers.length > 0 ? ` from ${nameservers.join(', ')}` : '';
  return { ok: false, problem: `resolves to no address (${answers[code] ?? code}${from})` };
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : 'no answer';
}
