// Asks for the challenge's answer the way the CA will, before the CA is told to look: a failed look counts against the owner's limits.
// Called by apply/ for each host of a pending Order. Problems are short sentences for conditions; they never repeat what was received.

import { isIPv6 } from 'node:net';
import type { Reply } from '../api/reply.ts';
import { findAddresses } from './addresses.ts';
import { type ProbeAnswer, probe } from './probe.ts';
import { challengePath } from './route.ts';

export interface SelfCheck {
  readonly host: string;
  readonly token: string;
  /** The key authorization, token.thumbprint. */
  readonly expected: string;
  /** `address:port`; empty means the system's. */
  readonly nameservers: readonly string[];
  /** Where the CA connects: 80, except in test worlds. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** For the whole check; 10 s, as long as Boulder waits for one connection, unless told. */
  readonly withinMs?: number;
}

const mostRedirects = 10;

/** At most 10 redirects, as Boulder follows them (301, 302, 307, 308; ports 80, 443 or the same). */
export async function selfCheck(check: SelfCheck): Promise<Reply<undefined, string>> {
  const withinMs = check.withinMs ?? 10_000;
  const deadline = AbortSignal.timeout(withinMs);
  const signal = AbortSignal.any([check.signal, deadline]);
  const problem = await follow(check, firstUrl(check), signal);
  if (problem === undefined) return { ok: true, value: undefined };
  if (check.signal.aborted) return { ok: false, problem: `The check of ${check.host} was called off.` };
  if (deadline.aborted)
    return { ok: false, problem: `${pathless(firstUrl(check))} did not answer within ${withinMs / 1000} s.` };
  return { ok: false, problem };
}

function firstUrl({ host, token, port }: SelfCheck): URL {
  const name = isIPv6(host) ? `[${host}]` : host;
  return new URL(`http://${name}:${port}${challengePath}${token}`);
}

async function follow(check: SelfCheck, first: URL, signal: AbortSignal): Promise<string | undefined> {
  let url = first;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const answer = await ask(url, check.nameservers, signal);
    if (typeof answer === 'string') return answer;
    if (![301, 302, 307, 308].includes(answer.status)) return judge(answer, url, check.expected);
    const next = redirectTarget(answer.location, url, check.port);
    if (typeof next === 'string') return next;
    url = next;
  }
  return `${pathless(first)} redirects more than ${mostRedirects} times.`;
}

type Answered = Extract<ProbeAnswer, { readonly kind: 'answered' }>;

/** Tries each address until one answers at all, as a missing IPv6 route here says nothing about the CA's. */
async function ask(url: URL, nameservers: readonly string[], signal: AbortSignal): Promise<Answered | string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = await findAddresses(host, nameservers, signal);
  if (!addresses.ok) return `${host} ${addresses.problem}.`;
  const failures: string[] = [];
  for (const address of addresses.value) {
    const answer = await probe(url, address, signal);
    if (answer.kind === 'answered') return answer;
    failures.push(`${address}: ${answer.code}`);
  }
  return `${pathless(url)} cannot be reached (${failures.slice(0, 4).join(', ')}).`;
}

function judge(answer: Answered, url: URL, expected: string): string | undefined {
  if (answer.status !== 200) return `${pathless(url)} answered ${answer.status}.`;
  return answer.body?.trimEnd() === expected
    ? undefined
    : `${pathless(url)} answered 200 with another body: something else serves this path.`;
}

function redirectTarget(location: string | undefined, from: URL, port: number): URL | string {
  const target = URL.parse(location ?? '', from.href);
  if (location === undefined || target === null) return `${pathless(from)} redirects to no valid address.`;
  const allowed = target.port === '' || ['80', '443', String(port)].includes(target.port);
  const isWeb = target.protocol === 'http:' || target.protocol === 'https:';
  const refused = !isWeb || !allowed || target.username !== '' || target.password !== '';
  return refused ? `${pathless(from)} redirects to a port or scheme that a CA does not follow.` : target;
}

/** The part of a URL that says where; the path is either known or the answerer's own words. */
function pathless(url: URL): string {
  return `${url.origin}/…`;
}
