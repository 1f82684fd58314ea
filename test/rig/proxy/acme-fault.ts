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

/** Boulder's 429: the link's fragment names the limit ("new-orders-per-account"), Retry-After is in seconds. */
export function rateLimited(limit: string, retryAfterSeconds: number, now: number): Verdict {
  const until = new Date(now + retryAfterSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return refuse({
    status: 429,
    type: 'rateLimited',
    detail: `too many requests, retry after ${until} UTC: see https://letsencrypt.org/docs/rate-limits/#${limit}`,
    headers: {
      'retry-after': String(retryAfterSeconds),
      link: '<https://letsencrypt.org/docs/rate-limits>;rel="help"',
    },
  });
}

/** Boulder's pause: the same type, no Retry-After, a portal where a person must act. */
export function paused(portalUrl: string): Verdict {
  const detail = `Your account is temporarily prevented from requesting certificates for these names. Please visit: ${portalUrl}`;
  return refuse({ status: 429, type: 'rateLimited', detail });
}

export function unavailable(retryAfterSeconds: number): Verdict {
  const headers = { 'retry-after': String(retryAfterSeconds) };
  return refuse({ status: 503, type: 'serverInternal', detail: 'The service is down for maintenance.', headers });
}
