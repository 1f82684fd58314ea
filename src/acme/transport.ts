// The way to one ACME server (RFC 8555 §6): signs and posts with nonces that it keeps, repeats a request only for a bad nonce, turns every
// failure into an AcmeProblem. Never waits for Retry-After: that is the order machine's business. Opened by apply/accounts.ts.

import type { KeyObject } from 'node:crypto';
import PQueue from 'p-queue';
import type { Reply } from '../api/reply.ts';
import { caClock } from './ca-clock.ts';
import { type Directory, directoryCache } from './directory.ts';
import { type Document, type MediaType, malformed, readDocument } from './document.ts';
import { type Action, type Http, type HttpOptions, openHttp } from './http.ts';
import type { HttpReply } from './http-reply.ts';
import { algorithmOf, signedRequest, thumbprint } from './jws.ts';
import { nonceOf, nonces } from './nonces.ts';
import { inTurn, unlessAborted } from './patience.ts';
import { askDirectory, askNonce, type Getting, getDocument } from './plain.ts';
import { type AcmeProblem, problemOf } from './problem.ts';
import type { AcmeReply } from './session.ts';

export interface AcmeOptions extends HttpOptions {
  readonly now?: () => number;
}

export interface SignedRequest<T> {
  readonly action: Action;
  readonly url: string;
  readonly key: KeyObject;
  /** Absent only where the key speaks for itself: newAccount, and revokeCert with the certificate's key (§6.2). */
  readonly accountUrl?: string;
  /** Absent: POST-as-GET (§6.3). */
  readonly payload?: unknown;
  readonly accepts?: MediaType;
  /** Makes a resource of the reply, or says in a sentence why that cannot be. */
  readonly read: (document: Document) => Reply<T, string>;
  readonly signal?: AbortSignal | undefined;
}

/** A GET without an account (RFC 9773 §4.1). */
export interface PlainRequest<T> extends Getting {
  readonly read: (document: Document) => Reply<T, string>;
}

export interface AcmeEndpoint extends AsyncDisposable {
  readonly directoryUrl: string;
  /** What the CA's clock says, epoch ms; compared with no other. */
  caNow(): number;
  directory(signal?: AbortSignal): Promise<Reply<Directory, AcmeProblem>>;
  get<T>(request: PlainRequest<T>): Promise<AcmeReply<T>>;
  post<T>(request: SignedRequest<T>): Promise<AcmeReply<T>>;
  /** RFC 7638, base64url. */
  thumbprint(key: KeyObject): Promise<string>;
}

/** Asks nothing of the CA yet. At most `maxInFlight` requests are on their way at a time; the others wait their turn. */
export function openAcme(options: AcmeOptions): AcmeEndpoint {
  const now = options.now ?? Date.now;
  const clock = caClock();
  const http = openHttp({ ...options, onReply: clock.learn });
  const pool = nonces();
  const queue = new PQueue({ concurrency: options.maxInFlight });
  const directory = directoryCache(() => askDirectory(http, options.directoryUrl, now));
  const known = (signal: AbortSignal | undefined) => unlessAborted(directory.read(now()), signal);
  const takeNonce: TakeNonce = async (signal) => {
    const held = pool.take(now());
    if (held !== undefined) return { ok: true, value: held };
    const named = await known(signal);
    if (!named.ok) return named;
    const given = await askNonce(http, named.value.newNonce, now, signal);
    if (given.ok || !isSurprise(given.problem)) return given;
    directory.forget();
    const renamed = await known(signal);
    return renamed.ok ? askNonce(http, renamed.value.newNonce, now, signal) : renamed;
  };
  const post = async <T>(request: SignedRequest<T>): Promise<AcmeReply<T>> => {
    if (algorithmOf(request.key) === undefined) return unusableKey;
    const replied = await postSigned(http, request, takeNonce, now);
    if (!replied.ok) return replied;
    pool.put(nonceOf(replied.value.headers), now());
    const answer = answerOf(request, replied.value, now());
    if (!answer.ok && isSurprise(answer.problem)) directory.forget();
    return answer;
  };
  const get = async <T>(request: PlainRequest<T>): Promise<AcmeReply<T>> => {
    const document = await getDocument(http, request, now);
    if (!document.ok && isSurprise(document.problem)) directory.forget();
    return document.ok ? resourceOf(document.value, request.read) : document;
  };
  return {
    directoryUrl: options.directoryUrl,
    caNow: clock.now,
    directory: known,
    get: (request) => inTurn(queue, request.signal, () => get(request)),
    post: (request) => inTurn(queue, request.signal, () => post(request)),
    thumbprint,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

type TakeNonce = (signal: AbortSignal | undefined) => Promise<Reply<string, AcmeProblem>>;

const badNonceRetries = 5;

/** §6.5: a bad nonce means that nothing else of the request was looked at, and the refusal brings the next nonce. */
async function postSigned<T>(
  http: Http,
  request: SignedRequest<T>,
  takeNonce: TakeNonce,
  now: () => number,
): Promise<Reply<HttpReply, AcmeProblem>> {
  const { action, url, signal, accepts = 'application/json' } = request;
  const headers = { 'content-type': 'application/jose+json', accept: accepts === 'nothing' ? '*/*' : accepts };
  let nonce = await takeNonce(signal);
  for (let retries = 0; ; retries += 1) {
    if (!nonce.ok) return nonce;
    const body = await signedRequest({ ...request, nonce: nonce.value });
    const replied = await http.send(action, { method: 'POST', url, headers, body, signal });
    if (!replied.ok || !isBadNonce(problemOf(replied.value, now()))) return replied;
    if (retries === badNonceRetries) return { ok: false, problem: nonceStorm(replied.value.status) };
    const given = nonceOf(replied.value.headers);
    nonce = given === undefined ? await takeNonce(signal) : { ok: true, value: given };
  }
}

function answerOf<T>(request: SignedRequest<T>, reply: HttpReply, now: number): AcmeReply<T> {
  const problem = problemOf(reply, now);
  if (problem !== undefined) return { ok: false, problem };
  const document = readDocument(request.url, reply, request.accepts ?? 'application/json', now);
  return document.ok ? resourceOf(document.value, request.read) : document;
}

function resourceOf<T>(document: Document, read: SignedRequest<T>['read']): AcmeReply<T> {
  const { asked, location, retryAt } = document;
  const resource = read(document);
  if (!resource.ok) return malformed(resource.problem);
  const url = location ?? asked;
  return { ok: true, value: { resource: resource.value, url, ...(retryAt !== undefined && { retryAt }) } };
}

function isBadNonce(problem: AcmeProblem | undefined): boolean {
  return problem?.kind === 'refused' && problem.type === 'badNonce';
}

/** Not a refusal: the request itself was never judged, and the next try may well succeed. */
function nonceStorm(status: number): AcmeProblem {
  return { kind: 'unavailable', status, detail: `The CA refused ${badNonceRetries + 1} nonces in a row.` };
}

/** The directory may have changed under us. */
function isSurprise(problem: AcmeProblem): boolean {
  if (problem.kind !== 'refused') return false;
  const { status, type } = problem;
  return status === 404 || status === 405 || status === 410 || type === 'malformed';
}

const unusableKey: { readonly ok: false; readonly problem: AcmeProblem } = {
  ok: false,
  problem: {
    kind: 'refused',
    status: 0,
    type: 'badPublicKey',
    detail:
      'The account key must be a private key: RSA of at least 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519.',
    subproblems: [],
  },
};
