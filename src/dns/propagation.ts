// Whether everybody who may be asked by a CA has a TXT value already. One look, no waiting: the driver of orders looks again, less and less often.

import type { Reply } from '../api/reply.ts';
import { ask, isKnowledge } from './ask.ts';
import { followCnames } from './cname.ts';
import type { Answer } from './message.ts';
import { bare } from './names.ts';
import { type Nameserver, spellNameserver } from './nameserver.ts';
import { type DnsProblem, failed } from './problem.ts';
import type { DnsView } from './view.ts';
import { findAuthorities, findZone } from './zone.ts';

export interface Wanted {
  /** The challenge name; CNAMEs are followed from here whatever the solver's cnameStrategy, as a CA does. */
  readonly name: string;
  readonly value: string;
}

/** `message` is a sentence for people. Server names as the zone has them. */
export type Propagation =
  | { readonly kind: 'everywhere' }
  /** These servers answer without the value: a CA that asks them refuses. */
  | { readonly kind: 'lacking'; readonly servers: readonly string[]; readonly message: string }
  /** Every server that answers has the value, but these do not answer. A CA passes over servers that are silent for it too. */
  | { readonly kind: 'silent'; readonly servers: readonly string[]; readonly message: string };

/** Asks every server that counts, side by side. A problem says that it could not be found out whom to ask, or that none of them answers. */
export async function lookForRecord(
  view: DnsView,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Reply<Propagation, DnsProblem>> {
  const end = await followCnames(view, wanted.name, signal);
  if (!end.ok) return end;
  const places = await placesFor(view, end.value, signal);
  if (!places.ok) return places;
  const recursion = view.checks === 'nameservers' ? 'desired' : 'none';
  const seen = await Promise.all(
    places.value.map((place) =>
      lookAt(place, { name: end.value, value: wanted.value, recursion, https: view.https }, signal),
    ),
  );
  return verdictOf(seen, bare(end.value));
}

/** One server under all its addresses. */
interface Place {
  readonly name: string;
  readonly addresses: readonly Nameserver[];
}

async function placesFor(
  view: DnsView,
  name: string,
  signal: AbortSignal,
): Promise<Reply<readonly Place[], DnsProblem>> {
  if (view.checks === 'nameservers') {
    return {
      ok: true,
      value: view.nameservers.map((server) => ({ name: spellNameserver(server), addresses: [server] })),
    };
  }
  const zone = await findZone(view, name, signal);
  if (!zone.ok) return zone;
  const authorities = await findAuthorities(view, zone.value, signal);
  if (!authorities.ok) return authorities;
  const port = view.authorityPort;
  const places = authorities.value.map((authority) => ({
    name: authority.name,
    addresses: authority.addresses.map((host) => ({ kind: 'dns' as const, host, port })),
  }));
  return { ok: true, value: places };
}

interface Seen {
  readonly server: string;
  readonly state: 'has' | 'lacks' | 'silent';
  /** Of a silent one: what it does instead of answering. */
  readonly why: string;
}

interface Look extends Wanted {
  readonly recursion: 'desired' | 'none';
  readonly https: DnsView['https'];
}

/** The first of the server's addresses that answers speaks for it. */
async function lookAt({ name: server, addresses }: Place, look: Look, signal: AbortSignal): Promise<Seen> {
  let why = 'has no address';
  for (const address of addresses) {
    const question = { name: look.name, type: 'TXT', recursion: look.recursion } as const;
    const answer = await ask(address, question, look.https, signal);
    if (answer.ok && isKnowledge(answer.value)) {
      return { server, state: holds(answer.value, look.value) ? 'has' : 'lacks', why: '' };
    }
    why = answer.ok ? `answers ${answer.value.code}` : 'no answer';
  }
  return { server, state: 'silent', why };
}

function holds({ answers }: Answer, value: string): boolean {
  return answers.some((record) => record.type === 'TXT' && textOf(record.data) === value);
}

/** The strings of one TXT record belong together (RFC 1035 §3.3.14). */
function textOf(data: string | Buffer | readonly (string | Buffer)[]): string {
  const parts = typeof data === 'string' || Buffer.isBuffer(data) ? [data] : data;
  return parts.map(String).join('');
}

const mostNamed = 4;

/** Servers in a sentence. */
function few(servers: readonly string[]): string {
  const named = servers.slice(0, mostNamed).join(', ');
  return servers.length > mostNamed ? `${named} and ${servers.length - mostNamed} more` : named;
}

function verdictOf(seen: readonly Seen[], name: string): Reply<Propagation, DnsProblem> {
  const lacking = seen.filter(({ state }) => state === 'lacks').map(({ server }) => server);
  const silent = seen.filter(({ state }) => state === 'silent');
  const servers = silent.map(({ server }) => server);
  const excuses = few(silent.map(({ server, why }) => `${server} (${why})`));
  if (silent.length === seen.length) {
    return failed('unavailable', `No nameserver tells about the TXT record at ${name}: ${excuses}.`);
  }
  if (lacking.length > 0) {
    const share = `${lacking.length} of ${seen.length}`;
    const message = `The TXT record at ${name} is not at all nameservers yet; ${share} lack it: ${few(lacking)}.`;
    return { ok: true, value: { kind: 'lacking', servers: lacking, message } };
  }
  if (silent.length > 0) {
    const message = `Some nameservers do not tell about the TXT record at ${name}: ${excuses}; all others have it.`;
    return { ok: true, value: { kind: 'silent', servers, message } };
  }
  return { ok: true, value: { kind: 'everywhere' } };
}
