// Where a hostname leads, as a CA would ask: A and AAAA records from given nameservers or the system's. Called by self-check.ts and preflight.ts.
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
  ECANCELLED: 'no answer',
  EBADNAME: 'not a valid DNS name',
};

// Resolvers follow CNAMEs themselves; an authoritative server may answer with the first one alone.
const mostAliases = 8;

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
  const found = await follow(resolver, host, signal);
  signal.removeEventListener('abort', cancel);
  if ('addresses' in found) return { ok: true, value: found.addresses };
  const from = nameservers.length > 0 ? ` from ${nameservers.join(', ')}` : '';
  return { ok: false, problem: `resolves to no address (${answers[found.code] ?? found.code}${from})` };
}

type Found = { readonly addresses: readonly string[] } | { readonly code: string };

async function follow(resolver: Resolver, host: string, signal: AbortSignal): Promise<Found> {
  let name = host;
  for (let aliases = 0; aliases < mostAliases && !signal.aborted; aliases += 1) {
    const found = await ask(resolver, name);
    if ('addresses' in found || found.code !== 'ENODATA') return found;
    const [target] = await resolver.resolveCname(name).catch(() => []);
    if (target === undefined) return found;
    name = target;
  }
  return { code: signal.aborted ? 'ECANCELLED' : `more than ${mostAliases} CNAMEs in a row` };
}

async function ask(resolver: Resolver, name: string): Promise<Found> {
  const found = await Promise.allSettled([resolver.resolve6(name), resolver.resolve4(name)]);
  const addresses = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return { addresses };
  const codes = found.flatMap((answer) => (answer.status === 'rejected' ? [codeOf(answer.reason)] : []));
  // The more telling of the two: a name without records of one family says nothing of the other.
  return { code: codes.find((code) => code !== 'ENODATA') ?? 'ENODATA' };
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : 'no answer';
}
