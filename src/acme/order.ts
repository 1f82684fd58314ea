// Orders (RFC 8555 §7.1.3, §7.4): placed, read, listed, finalized, and their challenges answered (§7.5.1). Called by apply/perform-order.ts
// and apply/find-order.ts, which take the steps that order/step.ts asks for.

import type { Reply } from '../api/reply.ts';
import type { CaIdentifier, CaOrder } from '../order/ca.ts';
import { readAccount } from './account.ts';
import { postTo } from './at-directory.ts';
import { type AcmeChallenge, readChallenge } from './authorization.ts';
import type { Document } from './document.ts';
import { readIdentifier } from './identifier.ts';
import { fieldOf, listOf, readText, readTime, readUrl, readWord, strictListOf, unreadable } from './json.ts';
import { urlsOf } from './links.ts';
import { type AcmeError, type AcmeProblem, readError } from './problem.ts';
import type { AcmeReply, AcmeSession } from './session.ts';

export interface AcmeOrder extends CaOrder {
  readonly error?: AcmeError;
  /** Epoch ms. */
  readonly expires?: number;
  readonly profile?: string;
}

export interface OrderWish {
  readonly identifiers: readonly CaIdentifier[];
  /** One of the directory's `meta.profiles`. */
  readonly profile?: string;
  /** RFC 9773 §5: the CertID of the certificate that this one takes over from. */
  readonly replaces?: string;
  /** Epoch ms; many CAs refuse it. */
  readonly notAfter?: number;
}

/**
 * §7.4. A CA may answer with an unfinished order of the same account for the same names. A profile at a CA that has none
 * is refused here as `invalidProfile`, with status 0: the CA would leave it out in silence.
 */
export async function newOrder(
  session: AcmeSession,
  wish: OrderWish,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeOrder>> {
  const { notAfter, ...rest } = wish;
  if (wish.profile !== undefined) {
    const directory = await session.endpoint.directory(signal);
    if (!directory.ok) return directory;
    if (Object.keys(directory.value.meta.profiles).length === 0) return withoutProfiles(wish.profile);
  }
  const payload = { ...rest, ...(notAfter !== undefined && { notAfter: new Date(notAfter).toISOString() }) };
  const read = (document: Document): Reply<AcmeOrder, string> =>
    document.location === undefined
      ? { ok: false, problem: unreadable('order', { location: undefined }) }
      : parseOrder(document, document.location);
  return postTo(session.endpoint, 'newOrder', () => ({ ...signer(session), payload, read }), signal);
}

function withoutProfiles(profile: string): { readonly ok: false; readonly problem: AcmeProblem } {
  const detail = `The CA has no certificate profiles; remove the profile "${profile}" from the issuer.`;
  return { ok: false, problem: { kind: 'refused', status: 0, type: 'invalidProfile', detail, subproblems: [] } };
}

export function readOrder(session: AcmeSession, url: string, signal?: AbortSignal): Promise<AcmeReply<AcmeOrder>> {
  const read = (document: Document) => parseOrder(document, url);
  return session.endpoint.post({ action: 'order', url, ...signer(session), read, signal });
}

/** §7.4, the second half. The reply need not say where the order lives (Pebble's does not), so the caller does. */
export function finalize(
  session: AcmeSession,
  order: Pick<CaOrder, 'url' | 'finalize'>,
  csr: Buffer,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeOrder>> {
  const payload = { csr: csr.toString('base64url') };
  const read = (document: Document) => parseOrder(document, order.url);
  return session.endpoint.post({ action: 'finalize', url: order.finalize, ...signer(session), payload, read, signal });
}

/** §7.5.1: tells the CA that the challenge may be validated now. */
export function answer(
  session: AcmeSession,
  challengeUrl: string,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeChallenge>> {
  const read = parseChallenge;
  const payload = {};
  return session.endpoint.post({ action: 'challenge', url: challengeUrl, ...signer(session), payload, read, signal });
}

/** The challenge as it is, without asking for its validation. */
export function readChallengeAt(
  { endpoint, ...by }: AcmeSession,
  url: string,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeChallenge>> {
  return endpoint.post({ action: 'challenge', url, ...by, read: parseChallenge, signal });
}

function parseChallenge({ content }: Document): Reply<AcmeChallenge, string> {
  const challenge = readChallenge(content);
  return challenge === undefined
    ? { ok: false, problem: unreadable('challenge', { challenge }) }
    : { ok: true, value: challenge };
}

const mostPages = 100;

/**
 * The URLs of the account's orders, page by page (§7.1.2.1); none where the CA keeps no list. Ends after a problem, and after 100 pages.
 */
export async function* listOrders(
  session: AcmeSession,
  signal?: AbortSignal,
): AsyncGenerator<Reply<readonly string[], AcmeProblem>, void, undefined> {
  const account = await readAccount(session, signal);
  if (!account.ok) {
    yield account;
    return;
  }
  let next = account.value.resource.orders;
  for (let pages = 0; next !== undefined && pages < mostPages; pages += 1) {
    const page = await session.endpoint.post({
      action: 'orders',
      url: next,
      ...signer(session),
      read: parsePage,
      signal,
    });
    if (!page.ok) {
      yield page;
      return;
    }
    yield { ok: true, value: page.value.resource.orders };
    next = page.value.resource.next;
  }
}

function signer({ key, accountUrl }: AcmeSession) {
  return { key, accountUrl };
}

/** The order object of §7.1.3. Identifiers of types that we do not know are left out. */
export function parseOrder(
  { content, retryAt }: Pick<Document, 'content' | 'retryAt'>,
  url: string,
): Reply<AcmeOrder, string> {
  const status = readWord(['pending', 'ready', 'processing', 'valid', 'invalid'] as const, fieldOf(content, 'status'));
  const identifiers = listOf(fieldOf(content, 'identifiers'), readIdentifier);
  const authorizations = strictListOf(fieldOf(content, 'authorizations'), readUrl);
  const finalize = readUrl(fieldOf(content, 'finalize'));
  if (status === undefined || identifiers === undefined || authorizations === undefined || finalize === undefined) {
    return { ok: false, problem: unreadable('order', { status, identifiers, authorizations, finalize }) };
  }
  const named = fieldOf(content, 'identifiers');
  if (Array.isArray(named) && authorizations.length > named.length) {
    return { ok: false, problem: 'The CA’s reply is no order: it has more authorizations than identifiers.' };
  }
  const certificate = readUrl(fieldOf(content, 'certificate'));
  const expires = readTime(fieldOf(content, 'expires'));
  const error = readError(fieldOf(content, 'error'));
  const profile = readText(fieldOf(content, 'profile'));
  return {
    ok: true,
    value: {
      url,
      status,
      identifiers,
      authorizations,
      finalize,
      ...(certificate !== undefined && { certificate }),
      ...(expires !== undefined && { expires }),
      ...(error !== undefined && { error }),
      ...(profile !== undefined && { profile }),
      ...(retryAt !== undefined && { retryAt }),
    },
  };
}

/** One page of the list; entries that are no URL are left out. */
export function parsePage({ content, links, asked }: Pick<Document, 'content' | 'links' | 'asked'>) {
  const orders = listOf(fieldOf(content, 'orders'), readUrl);
  if (orders === undefined) return { ok: false, problem: unreadable('list of orders', { orders }) } as const;
  const next = urlsOf(links, 'next').find((url) => url !== asked);
  return { ok: true, value: { orders, next } } as const;
}
