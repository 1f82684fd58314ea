// Asks for the challenge's answer the way the CA will, before the CA is told to look: a failed look counts against the owner's limits.
// Called by apply/ for each host of a pending Order, and by preflight.ts. Problems are short sentences for conditions; they never repeat what
// was received.

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
  /** Where requests for the host itself go, where that is known better than DNS would say. */
  readonly via?: readonly string[];
  /** Where the CA connects: 80, except in test worlds. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** For the whole check; 10 s, as long as Boulder waits for one connection, unless told. */
  readonly withinMs?: number;
  /** For one address; 5 s, so that a dead IPv6 route leaves time for IPv4. */
  readonly perAddressMs?: number;
}

export interface PathProblem {
  /** `redirect`: what failed is where the first answer redirects to, or the redirect itself. */
  readonly kind: 'dns' | 'connect' | 'timeout' | 'redirect' | 'body' | 'stopped';
  readonly message: string;
}

const mostRedirects = 10;

/** At most 10 redirects, as Boulder follows them (301, 302, 307, 308; ports 80, 443 or the same). */
export async function checkPath(check: SelfCheck): Promise<Reply<undefined, PathProblem>> {
  const withinMs = check.withinMs ?? 10_000;
  const deadline = AbortSignal.timeout(withinMs);
  const signal = AbortSignal.any([check.signal, deadline]);
  const problem = await follow(check, firstUrl(check), signal);
  if (problem === undefined) return { ok: true, value: undefined };
  if (check.signal.aborted) return failed('stopped', `The check of ${check.host} was called off.`);
  if (!deadline.aborted) return { ok: false, problem };
  return failed('timeout', `${pathless(firstUrl(check))} did not answer within ${withinMs / 1000} s.`);
}

function failed(kind: PathProblem['kind'], message: string): { readonly ok: false; readonly problem: PathProblem } {
  return { ok: false, problem: { kind, message } };
}

function firstUrl({ host, token, port }: SelfCheck): URL {
  const name = isIPv6(host) ? `[${host}]` : host;
  return new URL(`http://${name}:${port}${challengePath}${token}`);
}

async function follow(check: SelfCheck, first: URL, signal: AbortSignal): Promise<PathProblem | undefined> {
  let url = first;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const answer = await ask(check, url, signal);
    if (!answer.ok) return redirects === 0 ? answer.problem : { ...answer.problem, kind: 'redirect' };
    if (![301, 302, 307, 308].includes(answer.value.status)) {
      const message = judge(answer.value, url, check.expected);
      return message === undefined ? undefined : { kind: redirects === 0 ? 'body' : 'redirect', message };
    }
    const next = redirectTarget(answer.value.location, url, check.port);
    if (typeof next === 'string') return { kind: 'redirect', message: next };
    url = next;
  }
  return { kind: 'redirect', message: `${pathless(first)} redirects more than ${mostRedirects} times.` };
}

type Answered = Extract<ProbeAnswer, { readonly kind: 'answered' }>;

/** Tries each address until one answers at all, as a missing IPv6 route here says nothing about the CA's. */
async function ask(check: SelfCheck, url: URL, signal: AbortSignal): Promise<Reply<Answered, PathProblem>> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const known = host === check.host.toLowerCase() ? check.via : undefined;
  const found: Reply<readonly string[], string> =
    known === undefined ? await findAddresses(host, check.nameservers, signal) : { ok: true, value: known };
  if (!found.ok) return failed('dns', `${host} ${found.problem}.`);
  const failures: string[] = [];
  for (const address of found.value) {
    const late = AbortSignal.timeout(check.perAddressMs ?? 5_000);
    const answer = await probe(url, address, AbortSignal.any([signal, late]));
    if (answer.kind === 'answered') return { ok: true, value: answer };
    failures.push(`${address}: ${late.aborted ? silent : answer.code}`);
  }
  // Sorted, so that a resolver that turns its answers round does not turn the sentence round.
  const said = failures.toSorted().slice(0, 4).join(', ');
  const kind = failures.every((failure) => failure.endsWith(silent)) ? 'timeout' : 'connect';
  return failed(kind, `${pathless(url)} cannot be reached (${said}).`);
}

const silent = 'no answer';

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
