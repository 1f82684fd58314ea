// The zone that a name stands in, and the servers that answer for it. Called by record.ts and propagation.ts.

import type { Reply } from '../api/reply.ts';
import { lookUp } from './ask.ts';
import { type Answer, sameName } from './message.ts';
import { absolute, bare, isPlainName, isWithin, upwards } from './names.ts';
import { type DnsProblem, failed } from './problem.ts';
import type { DnsView } from './view.ts';

/** The closest zone cut at or above the name, absolute. */
export async function findZone(view: DnsView, name: string, signal: AbortSignal): Promise<Reply<string, DnsProblem>> {
  for (const candidate of upwards(name)) {
    const answer = await lookUp(view, candidate, 'SOA', signal);
    if (!answer.ok) return answer;
    const zone = zoneIn(answer.value, candidate);
    if (zone !== undefined && zone !== '.') return { ok: true, value: zone };
  }
  return failed('unavailable', `No DNS zone holds ${bare(name)}: no name at or above it has an SOA record.`);
}

/** A server that has no SOA at the name puts that of the zone into the authority section (RFC 2308 §3), unless a CNAME led it elsewhere. */
function zoneIn({ answers, authorities }: Answer, name: string): string | undefined {
  const own = answers.find((record) => record.type === 'SOA' && sameName(record.name, name));
  if (own !== undefined) return absolute(name);
  if (answers.some(({ type }) => type === 'CNAME' || type === 'DNAME')) return undefined;
  const above = authorities.find(({ type }) => type === 'SOA');
  const zone = above === undefined ? undefined : absolute(above.name);
  return zone !== undefined && isPlainName(zone) && isWithin(name, zone) ? zone : undefined;
}

export interface Authority {
  readonly name: string;
  /** IPv4 first: clusters without IPv6 are many. */
  readonly addresses: readonly string[];
}

// Real zones have fewer; whoever owns a zone decides how many questions a look at it costs.
const mostServers = 16;
const mostAddresses = 4;

/** The NS of a zone, 16 at most, with up to four addresses each. An NS whose name leads nowhere has none. */
export async function findAuthorities(
  view: DnsView,
  zone: string,
  signal: AbortSignal,
): Promise<Reply<readonly Authority[], DnsProblem>> {
  const answer = await lookUp(view, zone, 'NS', signal);
  if (!answer.ok) return answer;
  const names = answer.value.answers.flatMap((record) => (record.type === 'NS' ? [absolute(record.data)] : []));
  const plain = [...new Set(names)].filter(isPlainName).sort();
  if (plain.length === 0) return failed('unavailable', `The zone ${bare(zone)} names no nameservers.`);
  const authorities = await Promise.all(plain.slice(0, mostServers).map((name) => authorityAt(view, name, signal)));
  return { ok: true, value: authorities };
}

async function authorityAt(view: DnsView, name: string, signal: AbortSignal): Promise<Authority> {
  const found = await Promise.all((['A', 'AAAA'] as const).map((type) => lookUp(view, name, type, signal)));
  const addresses = found.flatMap((answer) =>
    answer.ok ? answer.value.answers.flatMap((record) => (isAddress(record) ? [record.data] : [])) : [],
  );
  return { name: bare(name), addresses: addresses.slice(0, mostAddresses) };
}

function isAddress(record: Answer['answers'][number]): record is Extract<typeof record, { readonly data: string }> {
  return record.type === 'A' || record.type === 'AAAA';
}
