// Every way in which a CA, or the way to it, can fail us, as one closed union (RFC 8555 §6.7), and how a failed HTTP reply becomes one of them.
// Called by transport.ts; all callers switch on `kind`. What the CA wrote is stripped of control characters and cut before anyone sees it.

import type { CaProblem, CaSubproblem } from '../order/ca.ts';
import type { HttpReply } from './http-reply.ts';
import { readIdentifier } from './identifier.ts';
import { fieldOf, listOf, parseJson, readText, readUrl } from './json.ts';
import { retryAt } from './retry-after.ts';

/** What a CA says of an order or a challenge that failed. `type` is the last part of the URN, `unauthorized`. */
export interface AcmeError {
  readonly type: string;
  readonly detail: string;
  readonly subproblems: readonly CaSubproblem[];
}

/** The order machine's problems, with what RFC 8555 §6.7.1 adds to a refusal. Status 0: refused here, for something that no CA would take. */
export type AcmeProblem =
  | Exclude<CaProblem, { readonly kind: 'refused' }>
  | (AcmeError & Extract<CaProblem, { readonly kind: 'refused' }>);

/** What a reply that is no success means; undefined for 2xx. Times are epoch ms on the clock of `now`. */
export function problemOf(reply: HttpReply, now: number): AcmeProblem | undefined {
  const { status } = reply;
  if (status >= 200 && status < 300) return undefined;
  if (status < 400) return { kind: 'malformed', detail: `The CA answered ${status}, which is no ACME reply.` };
  const document = documentOf(reply);
  const later = retryAt(reply.headers, now);
  const retry = later === undefined ? {} : { retryAt: later };
  if (status === 429 || document?.type === 'rateLimited') return rateLimited(document, retry);
  const detail = document?.detail ?? `The CA answered ${status} without a reason.`;
  if (status >= 500 || status === 408) return { kind: 'unavailable', status, detail, ...retry };
  if (document !== undefined) {
    const { type, subproblems } = document;
    return { kind: 'refused', status, type, detail, subproblems, ...retry };
  }
  // Without a problem document only «there is no such thing» can be believed: the rest is some gateway's page, not the CA's word.
  return status === 404 || status === 405 || status === 410
    ? { kind: 'refused', status, type: unspecified, detail, subproblems: [], ...retry }
    : { kind: 'unavailable', status, detail, ...retry };
}

/** The `error` of an order or a challenge (RFC 8555 §7.1.3, §8): never fails, since it only explains. */
export function readError(value: unknown): AcmeError | undefined {
  const reason = readReason(value);
  if (reason === undefined) return undefined;
  const subproblems = listOf(fieldOf(value, 'subproblems'), readSubproblem) ?? [];
  return { ...reason, subproblems: subproblems.slice(0, 100) };
}

/** One line of at most 500 characters without control and invisible characters. */
export function tidy(text: string): string {
  return [...printable(text.slice(0, longestDetail))].slice(0, 500).join('');
}

/** A request that did not leave the process. */
export function notSent(detail: string): { readonly ok: false; readonly problem: AcmeProblem } {
  return { ok: false, problem: { kind: 'network', detail: tidy(detail), sent: 'no' } };
}

const unspecified = 'unspecified';
/** A CA may send a megabyte; nobody reads more than this, and what is done with it must cost next to nothing. */
const longestDetail = 4096;

interface ProblemDocument extends AcmeError {
  /** The detail before it was cut. */
  readonly full: string;
}

function documentOf(reply: HttpReply): ProblemDocument | undefined {
  const value = parseJson(reply.body);
  const detail = readText(fieldOf(value, 'detail'));
  const error = readError(value);
  if (error === undefined || (detail === undefined && error.type === unspecified)) return undefined;
  return { ...error, full: printable((detail ?? '').slice(0, longestDetail)) };
}

function rateLimited(document: ProblemDocument | undefined, retry: { readonly retryAt?: number }): AcmeProblem {
  const full = document?.full ?? '';
  const link = withoutPunctuation(/https:\/\/[^\s<>"]{1,2000}/.exec(full)?.[0]);
  const limit = /#([A-Za-z0-9-]{1,64})$/.exec(link ?? '')?.[1];
  // A pause looks like a rate limit, but has no end and links a page for people instead of the limit's description.
  const pauseUrl = retry.retryAt === undefined && limit === undefined ? readUrl(link) : undefined;
  return {
    kind: 'rateLimited',
    detail: document?.detail ?? 'The CA asks to slow down.',
    ...(limit !== undefined && { limit }),
    ...(pauseUrl !== undefined && { pauseUrl }),
    ...retry,
  };
}

/** §6.7.1: subproblems have none of their own. */
function readSubproblem(value: unknown): CaSubproblem | undefined {
  const reason = readReason(value);
  const identifier = readIdentifier(fieldOf(value, 'identifier'));
  if (reason === undefined) return undefined;
  return { ...reason, ...(identifier !== undefined && { identifier }) };
}

function readReason(value: unknown): Pick<AcmeError, 'type' | 'detail'> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const detail = tidy(readText(fieldOf(value, 'detail')) ?? '');
  return { type: readType(fieldOf(value, 'type')), detail: detail === '' ? 'The CA gives no reason.' : detail };
}

function readType(value: unknown): string {
  const last = readText(value)?.split(/[:/]/).at(-1) ?? '';
  return /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(last) ? last : unspecified;
}

/** A link at the end of a sentence. One pass from the end: a pattern would look from every point of a long row of them. */
function withoutPunctuation(link: string | undefined): string | undefined {
  if (link === undefined) return undefined;
  let end = link.length;
  while (end > 0 && '.,;:)]'.includes(link.charAt(end - 1))) end -= 1;
  return link.slice(0, end);
}

function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}
