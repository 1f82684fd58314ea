// Every way in which a Vault server, or the way to it, can fail us, as one closed union, and how a failed reply becomes one of them.
// Called by the files of this folder; callers switch on `kind`. What Vault wrote is tidied, cut, and stripped of what we had sent it.

import type { HttpReply } from '../acme/http-reply.ts';
import { fieldOf, listOf, parseJson, readText } from '../acme/json.ts';
import { tidy } from '../acme/problem.ts';

export type VaultProblem =
  /** Vault judged this very request and will not sign it: trying again changes nothing. */
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }
  /** The login, the token, a policy or the path: nothing is wrong with the request, and somebody can mend it. */
  | { readonly kind: 'denied'; readonly detail: string }
  /** Something that the issuer needs in the cluster is missing or may not be read. */
  | { readonly kind: 'unready'; readonly detail: string }
  /** Sealed, not initialized, overloaded, 5xx. */
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** No answer; `sent: 'no'` where the request has not left this process. */
  | { readonly kind: 'network'; readonly detail: string; readonly sent: 'no' | 'maybe' }
  /** An answer that is not one of Vault's, or a certificate that cannot be used. */
  | { readonly kind: 'malformed'; readonly detail: string };

export interface VaultFailure {
  readonly ok: false;
  readonly problem: VaultProblem;
}

/** Whether the request has failed for good; the others are worth another try, later. */
export function endsRequest(problem: VaultProblem): boolean {
  return problem.kind === 'refused' || problem.kind === 'malformed';
}

export function fail(kind: Exclude<VaultProblem['kind'], 'refused' | 'network'>, detail: string): VaultFailure {
  return { ok: false, problem: { kind, detail } };
}

export function notSent(detail: string): VaultFailure {
  return { ok: false, problem: { kind: 'network', detail: tidy(detail), sent: 'no' } };
}

// Vault answers 429 for exceeded quotas, 412 where a replica lags behind, 472 to 474 for secondaries and unhealthy ones.
const passing = new Set([408, 412, 429, 472, 473, 474]);

/** What a reply that is no success means; undefined for 2xx. `sent` is not repeated, whatever the server echoes. */
export function problemOf(reply: HttpReply, host: string, sent: readonly string[]): VaultProblem | undefined {
  const { status } = reply;
  if (status >= 200 && status < 300) return undefined;
  const errors = errorsOf(reply, sent);
  if (status >= 500 || passing.has(status)) return { kind: 'unavailable', detail: outage(status, errors, host) };
  if (errors === undefined || status < 400) {
    return {
      kind: 'unavailable',
      detail: `${host} answered ${status}, but not as Vault does; check spec.vault.server.`,
    };
  }
  const detail = errors === '' ? `Vault answered ${status} without a reason.` : errors;
  if (status === 403) return { kind: 'denied', detail };
  return { kind: 'refused', status, detail };
}

function outage(status: number, errors: string | undefined, host: string): string {
  if (errors !== undefined && /\bsealed\b/i.test(errors)) return `The Vault at ${host} is sealed; unseal it.`;
  const said = errors === undefined || errors === '' ? 'without a reason' : `and says: ${errors}`;
  return `The Vault at ${host} answered ${status} ${said}.`.replace(/\.\.$/, '.');
}

/** The sentences of `errors`, in one line; undefined where the body has no such list. */
function errorsOf(reply: HttpReply, sent: readonly string[]): string | undefined {
  const hide = (text: string | undefined) =>
    sent.filter((secret) => secret !== '').reduce((left, secret) => left?.replaceAll(secret, '(hidden)'), text);
  const errors = listOf(fieldOf(parseJson(reply.body), 'errors'), (text) => hide(readText(text)));
  if (errors === undefined) return undefined;
  // Several causes come as a list for terminals: "2 errors occurred:\n\t* one\n\t* another".
  const plain = errors.map((text) => text.replace(/^\d+ errors? occurred:/, '').replaceAll(/\n\s*\* /g, '\n'));
  return tidy(
    plain
      .flatMap((text) => text.split('\n').map(tidy))
      .filter((line) => line !== '')
      .join('; '),
  );
}
