// Cloudflare's API v4 as far as TXT records need it: requests out, validated results in, its error codes as problems. Called by cloudflare.ts.

import { fieldOf, listOf, parseJson, readText } from '../acme/json.ts';
import { retryAt } from '../acme/retry-after.ts';
import type { Https, HttpsAnswer } from './https.ts';
import { type DnsProblem, failed, rateLimited, said } from './problem.ts';

export interface CloudflareOptions {
  /** `https://api.cloudflare.com/client/v4`. */
  readonly url: string;
  readonly https: Https;
  readonly credentials: CloudflareCredentials;
  /** Which Secret and key they are from, for messages. */
  readonly origin: string;
  readonly now: () => number;
}

export type CloudflareCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly email: string; readonly key: string };

export interface CloudflareRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, encoded. */
  readonly path: string;
  readonly body?: unknown;
}

/** `codes` are those of a refusal that the caller may know how to take: Cloudflare's own, not HTTP's. */
export type CloudflareReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: DnsProblem; readonly codes: readonly number[] };

// A 429 without Retry-After: the limit is counted over five minutes.
const coolDownMs = 60_000;

/** The `result` of a successful answer. */
export async function askCloudflare(
  { url, https, credentials, origin, now }: CloudflareOptions,
  request: CloudflareRequest,
  signal: AbortSignal,
): Promise<CloudflareReply> {
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  const headers = { accept: 'application/json', 'content-type': 'application/json', ...headersOf(credentials) };
  const sent = await https.send({ method: request.method, url: `${url}${request.path}`, headers, ...body, signal });
  if (!sent.ok) return { ...sent, codes: [] };
  const content = parseJson(sent.value.body);
  if (sent.value.status < 300 && fieldOf(content, 'success') === true) {
    return { ok: true, value: fieldOf(content, 'result') };
  }
  const errors = listOf(fieldOf(content, 'errors'), readError) ?? [];
  const problem = problemOf(sent.value, errors, origin, now());
  return { ok: false, problem, codes: errors.map(({ code }) => code) };
}

function headersOf(credentials: CloudflareCredentials): Readonly<Record<string, string>> {
  return credentials.kind === 'token'
    ? { authorization: `Bearer ${credentials.token}` }
    : { 'x-auth-email': credentials.email, 'x-auth-key': credentials.key };
}

interface CloudflareError {
  readonly code: number;
  readonly message: string;
}

function readError(value: unknown): CloudflareError | undefined {
  const code = fieldOf(value, 'code');
  const message = readText(fieldOf(value, 'message'));
  if (typeof code !== 'number' || message === undefined) return undefined;
  // The outer error is often «Invalid request headers»; what is wrong with them stands in the chain.
  const chain = listOf(fieldOf(value, 'error_chain'), readError) ?? [];
  return { code, message: [message, ...chain.map((inner) => inner.message)].join(': ') };
}

function problemOf(answer: HttpsAnswer, errors: readonly CloudflareError[], origin: string, now: number): DnsProblem {
  const { status } = answer;
  const words = errors.map(({ code, message }) => `${said(message)} (${code})`).join('; ');
  const detail = words === '' ? `it answers ${status} without a reason` : words;
  if (status === 429) {
    const headers = { 'retry-after': answer.header('retry-after'), date: answer.header('date') };
    const at = retryAt(headers, now) ?? now + coolDownMs;
    return rateLimited('Cloudflare asks to slow down: its API limits requests per account.', at).problem;
  }
  // A malformed token is told with 400, and its code is one of the 6xxx.
  const badHeaders = status === 400 && errors.some(({ code }) => code >= 6000 && code < 7000);
  if (status === 401 || status === 403 || badHeaders) {
    const rights = 'a token needs Zone:Read and DNS:Edit for the zone';
    return failed('refused', `Cloudflare refuses the credentials from ${origin}: ${detail}; ${rights}.`).problem;
  }
  const kind = status >= 400 && status < 500 && status !== 408 && errors.length > 0 ? 'refused' : 'unavailable';
  return failed(kind, `Cloudflare does not do what it is asked: ${detail}.`).problem;
}
