// What a successful reply holds, before a resource's own parser reads it: the right content type, JSON or PEM text, where it lives, when to
// ask again. Called by transport.ts.

import type { Reply } from '../api/reply.ts';
import { type HttpReply, headerOf } from './http-reply.ts';
import { parseJson, readUrl } from './json.ts';
import { type Link, linksOf } from './links.ts';
import type { AcmeProblem } from './problem.ts';
import { retryAt } from './retry-after.ts';

export type MediaType = 'application/json' | 'application/pem-certificate-chain';

export interface Document {
  /** The URL that was asked. */
  readonly asked: string;
  readonly status: number;
  /** Where the resource lives, if the reply says so. */
  readonly location?: string;
  /** Parsed JSON, or the text of a PEM chain. */
  readonly content: unknown;
  readonly links: readonly Link[];
  /** Epoch ms. */
  readonly retryAt?: number;
}

export function readDocument(
  asked: string,
  reply: HttpReply,
  accepts: MediaType,
  now: number,
): Reply<Document, AcmeProblem> {
  const type = headerOf(reply.headers, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== accepts)
    return malformed(`The CA answered with content of type "${type.slice(0, 80)}", not ${accepts}.`);
  const content = accepts === 'application/json' ? parseJson(reply.body) : reply.body.toString('latin1');
  if (content === undefined) return malformed('The CA’s reply is not JSON.');
  const stated = headerOf(reply.headers, 'location');
  const location = stated === undefined ? undefined : (readUrl(stated) ?? readUrl(URL.parse(stated, asked)?.href));
  if (stated !== undefined && location === undefined) return malformed('The CA’s reply points to an unusable URL.');
  const later = retryAt(reply.headers, now);
  return {
    ok: true,
    value: {
      asked,
      status: reply.status,
      content,
      links: linksOf(reply.headers, asked),
      ...(location !== undefined && { location }),
      ...(later !== undefined && { retryAt: later }),
    },
  };
}

export function malformed(detail: string): { readonly ok: false; readonly problem: AcmeProblem } {
  return { ok: false, problem: { kind: 'malformed', detail } };
}
