// The fault proxy before Pebble, with the refusals that Pebble itself never gives: rate limits, pauses, outages
// (engineering.md §5). Pebble builds its URLs from Host and checks the JWS `url` against them, so Host is kept.

import { type AcmeRequest, readAcmeRequest } from './acme-request.ts';
import { FaultProxy, type Proxied } from './fault-proxy.ts';
import type { Script, Verdict } from './verdict.ts';

export interface AcmeFault extends AsyncDisposable {
  readonly proxy: FaultProxy<AcmeRequest>;
  /** What to write into an Issuer's `acme.server`. */
  readonly directory: string;
  readonly caPem: string;
}

export async function startAcmeFault(
  acme: { readonly directory: string; readonly caPem: string },
  script?: Script<Proxied<AcmeRequest>>,
): Promise<AcmeFault> {
  const upstream = new URL(acme.directory);
  const proxy = await FaultProxy.start(
    { origin: upstream.origin, caPem: acme.caPem, host: 'keep', read: readAcmeRequest },
    script,
  );
  return {
    proxy,
    directory: `${proxy.origin}${upstream.pathname}`,
    caPem: proxy.caPem,
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

export interface Refusal {
  readonly status: number;
  /** Last part of the problem type: "rateLimited", "serverInternal". */
  readonly type: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An RFC 7807 problem document, as an ACME server sends it (RFC 8555 §6.7). */
export function refuse({ status, type, detail, headers }: Refusal): Verdict {
  const body = JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail, status });
  return { kind: 'respond', status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
}

/** How an answer says when to come again (RFC 9110 §10.2.3). */
export type Manner = 'seconds' | 'date' | 'unsaid';

/** Boulder's 429: the link's fragment names the limit ("new-orders-per-account"); its own Retry-After is in seconds. */
export function rateLimited(limit: string, seconds: number, now: number, manner: Manner = 'seconds'): Verdict {
  const until = new Date(now + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return refuse({
    status: 429,
    type: 'rateLimited',
    detail: `too many requests, retry after ${until} UTC: see https://letsencrypt.org/docs/rate-limits/#${limit}`,
    headers: {
      ...retryAfter(seconds, now, manner),
      link: '<https://letsencrypt.org/docs/rate-limits>;rel="help"',
    },
  });
}

/** Boulder's pause: the same type, no Retry-After, a portal where a person must act. */
export function paused(portalUrl: string): Verdict {
  const detail = `Your account is temporarily prevented from requesting certificates for these names. Please visit: ${portalUrl}`;
  return refuse({ status: 429, type: 'rateLimited', detail });
}

export function unavailable(seconds: number, now = Date.now(), manner: Manner = 'seconds'): Verdict {
  const headers = retryAfter(seconds, now, manner);
  return refuse({ status: 503, type: 'serverInternal', detail: 'The service is down for maintenance.', headers });
}

/** The nonce is not known; nothing else was looked at. Pebble itself refuses some, and gives the next one. */
export function badNonce(): Verdict {
  return refuse({ status: 400, type: 'badNonce', detail: 'JWS has an invalid anti-replay nonce' });
}

/** As a server that fails without knowing why, and without saying when to come back. */
export function broken(): Verdict {
  return refuse({ status: 500, type: 'serverInternal', detail: 'Something went wrong.' });
}

/** A date has whole seconds only, so the answer's own Date is the one that it counts from. */
function retryAfter(seconds: number, now: number, manner: Manner): Readonly<Record<string, string>> {
  switch (manner) {
    case 'seconds':
      return { 'retry-after': String(seconds) };
    case 'date':
      return { 'retry-after': new Date(now + seconds * 1000).toUTCString(), date: new Date(now).toUTCString() };
    case 'unsaid':
      return {};
    default:
      return manner satisfies never;
  }
}
