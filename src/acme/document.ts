// What a successful reply holds, before a resource's own parser reads it: the right content type, JSON or PEM text, where it lives, when to
// ask again. Called by transport.ts.

import type { Reply } from '../api/reply.ts';
import { type HttpReply, headerOf } from './http-reply.ts';
import { parseJson, readUrl } from './json.ts';
import { type Link, linksOf } from './links.ts';
import type { AcmeProblem } from './problem.ts';
import { retryAt } from './retry-after.ts';

/** `nothing`: the status says it all, and a body is not read. */
export type MediaType = 'application/json' | 'application/pem-certificate-chain' | 'nothing';

export interface Document {
  /** The URL that was asked. */
  readonly asked: string;
  readonly status: number;
  /** Where the resource lives, if the reply says so. */
  readonly location?: string;
  /** Parsed JSON, the text of a PEM chain, or null for nothing. */
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
  if (accepts !== 'nothing' && type !== accepts)
    return malformed(`The CA answered with content of type "${type.slice(0, 80)}", not ${accepts}.`);
  const content = contentOf(reply.body, accepts);
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

function contentOf(body: Buffer, accepts: MediaType): unknown {
  switch (accepts) {
    case 'application/json':
      return parseJson(body);
    case 'application/pem-certificate-chain':
      return body.toString('latin1');
    case 'nothing':
      return null;
    default:
      return accepts satisfies never;
  }
}

export function malformed(detail: string): { readonly ok: false; readonly problem: AcmeProblem } {
  return { ok: false, problem: { kind: 'malformed', detail } };
}
