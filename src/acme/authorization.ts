// Authorizations and the challenges in them (RFC 8555 §7.1.4, §7.5, §8). Called by apply/perform-order.ts.

import type { Reply } from '../api/reply.ts';
import type { CaAuthorization, CaChallenge } from '../order/ca.ts';
import type { Document } from './document.ts';
import { readIdentifier } from './identifier.ts';
import { fieldOf, listOf, readText, readTime, readUrl, readWord, unreadable } from './json.ts';
import { type AcmeError, readError } from './problem.ts';
import type { AcmeReply, AcmeSession } from './session.ts';

export interface AcmeChallenge extends CaChallenge {
  readonly error?: AcmeError;
}

export interface AcmeAuthorization extends CaAuthorization {
  readonly challenges: readonly AcmeChallenge[];
  /** Epoch ms. */
  readonly expires?: number;
}

/** §7.5. While the CA validates, the answer carries when to ask again. */
export function authorization(
  { endpoint, key, accountUrl }: AcmeSession,
  url: string,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeAuthorization>> {
  const read = (document: Document) => parseAuthorization(document, url);
  return endpoint.post({ action: 'authorization', url, key, accountUrl, read, signal });
}

/** §7.5.2: what it proved must be proven again. */
export function deactivateAuthorization(
  { endpoint, key, accountUrl }: AcmeSession,
  url: string,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeAuthorization>> {
  const read = (document: Document) => parseAuthorization(document, url);
  const payload = { status: 'deactivated' };
  return endpoint.post({ action: 'authorization', url, key, accountUrl, payload, read, signal });
}

const statuses = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'] as const;

/** The authorization object of §7.1.4. Challenges that we cannot read are left out: new types appear without notice (§8). */
export function parseAuthorization(
  { content, retryAt }: Pick<Document, 'content' | 'retryAt'>,
  url: string,
): Reply<AcmeAuthorization, string> {
  const status = readWord(statuses, fieldOf(content, 'status'));
  const identifier = readIdentifier(fieldOf(content, 'identifier'));
  const challenges = listOf(fieldOf(content, 'challenges'), readChallenge);
  if (status === undefined || identifier === undefined || challenges === undefined) {
    return { ok: false, problem: unreadable('authorization', { status, identifier, challenges }) };
  }
  const expires = readTime(fieldOf(content, 'expires'));
  return {
    ok: true,
    value: {
      url,
      identifier,
      status,
      wildcard: fieldOf(content, 'wildcard') === true,
      challenges,
      ...(expires !== undefined && { expires }),
      ...(retryAt !== undefined && { retryAt }),
    },
  };
}

const challengeStatuses = ['pending', 'processing', 'valid', 'invalid'] as const;

/** A challenge of §8. A token that is not base64url is no token: it would end up in a path and in a reply of ours (§8.3). */
export function readChallenge(value: unknown): AcmeChallenge | undefined {
  const type = readText(fieldOf(value, 'type'));
  const url = readUrl(fieldOf(value, 'url'));
  const status = readWord(challengeStatuses, fieldOf(value, 'status'));
  if (type === undefined || !/^[a-z0-9-]{1,64}$/.test(type) || url === undefined || status === undefined)
    return undefined;
  const token = readText(fieldOf(value, 'token'));
  const error = readError(fieldOf(value, 'error'));
  return {
    type,
    url,
    status,
    ...(token !== undefined && /^[A-Za-z0-9_-]{1,128}$/.test(token) && { token }),
    ...(error !== undefined && { error }),
  };
}
