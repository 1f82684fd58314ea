// The requests that nobody signs: the directory (RFC 8555 §7.1.1), nonces (§7.2) and renewal information (RFC 9773 §4.1). Nothing happens at a CA
// for any of them. Called by transport.ts.

import type { Reply } from '../api/reply.ts';
import { type Directory, readDirectory } from './directory.ts';
import { type Document, malformed, readDocument } from './document.ts';
import type { Action, Http } from './http.ts';
import { readUrl } from './json.ts';
import { nonceOf } from './nonces.ts';
import { type AcmeProblem, problemOf } from './problem.ts';

export interface Getting {
  readonly action: Action;
  readonly url: string;
  readonly signal?: AbortSignal | undefined;
}

/** A GET for JSON. */
export async function getDocument(
  http: Http,
  { action, url, signal }: Getting,
  now: () => number,
): Promise<Reply<Document, AcmeProblem>> {
  const headers = { accept: 'application/json' };
  const replied = await http.send(action, { method: 'GET', url, headers, signal });
  if (!replied.ok) return { ok: false, problem: unsent(replied.problem) };
  const problem = problemOf(replied.value, now());
  return problem === undefined ? readDocument(url, replied.value, 'application/json', now()) : { ok: false, problem };
}

export async function askDirectory(http: Http, url: string, now: () => number): Promise<Reply<Directory, AcmeProblem>> {
  if (readUrl(url) === undefined) return malformed('The ACME server’s address is not an https URL.');
  const document = await getDocument(http, { action: 'directory', url }, now);
  if (!document.ok) return document;
  const directory = readDirectory(document.value.content);
  return directory.ok ? directory : malformed(directory.problem);
}

export async function askNonce(
  http: Http,
  url: string,
  now: () => number,
  signal: AbortSignal | undefined,
): Promise<Reply<string, AcmeProblem>> {
  const replied = await http.send('newNonce', { method: 'HEAD', url, headers: {}, signal });
  if (!replied.ok) return { ok: false, problem: unsent(replied.problem) };
  const problem = problemOf(replied.value, now());
  if (problem !== undefined) return { ok: false, problem };
  const nonce = nonceOf(replied.value.headers);
  return nonce === undefined ? malformed('The CA gave no usable Replay-Nonce.') : { ok: true, value: nonce };
}

/** The POST that wanted it was never made. */
function unsent(problem: AcmeProblem): AcmeProblem {
  return problem.kind === 'network' ? { ...problem, sent: 'no' } : problem;
}
