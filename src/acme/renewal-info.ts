// When the CA would like a certificate to be renewed (RFC 9773 §4): asked without an account, by the certificate's identifier. Called by whoever
// plans renewals.

import type { Reply } from '../api/reply.ts';
import type { Document } from './document.ts';
import { fieldOf, readText, readTime, readUrl, unreadable } from './json.ts';
import { type AcmeProblem, tidy } from './problem.ts';
import type { AcmeEndpoint } from './transport.ts';

export interface RenewalInfo {
  /** Epoch ms; the end lies after the start (§4.2). */
  readonly window: { readonly start: number; readonly end: number };
  /** A page for people, about an incident. */
  readonly explanationUrl?: string;
  /** Epoch ms on our clock when the CA wants to be asked again (§4.3), at least a minute and at most a day away; six hours where it does not say. */
  readonly askAgainAt: number;
}

const minute = 60_000;
const day = 86_400_000;

/**
 * Undefined where the CA gives no such information. `certId` is base64url(key identifier of the authority) + "." + base64url(serial number), as §4.1
 * makes it. A reply without a proper window is `malformed` (§4.2: as if the CA could not be reached).
 */
export async function renewalInfo(
  endpoint: AcmeEndpoint,
  certId: string,
  now: number,
  signal?: AbortSignal,
): Promise<Reply<RenewalInfo | undefined, AcmeProblem>> {
  if (!/^[A-Za-z0-9_-]{1,200}\.[A-Za-z0-9_-]{1,100}$/.test(certId)) throw new Error('no identifier of a certificate');
  const directory = await endpoint.directory(signal);
  if (!directory.ok) return directory;
  const base = directory.value.renewalInfo;
  if (base === undefined) return { ok: true, value: undefined };
  const url = `${base.replace(/\/$/, '')}/${certId}`;
  const read = (document: Document) => parseRenewalInfo(document.content);
  const reply = await endpoint.get({ action: 'renewalInfo', url, read, signal });
  if (!reply.ok) return reply;
  const asked = reply.value.retryAt ?? now + day / 4;
  return {
    ok: true,
    value: { ...reply.value.resource, askAgainAt: Math.min(now + day, Math.max(now + minute, asked)) },
  };
}

/** The object of §4.2. */
export function parseRenewalInfo(content: unknown): Reply<Omit<RenewalInfo, 'askAgainAt'>, string> {
  const suggested = fieldOf(content, 'suggestedWindow');
  const start = readTime(fieldOf(suggested, 'start'));
  const end = readTime(fieldOf(suggested, 'end'));
  if (start === undefined || end === undefined) {
    return { ok: false, problem: unreadable('renewal information', { start, end }) };
  }
  if (end <= start) return { ok: false, problem: 'The CA suggests a window for renewal that ends before it begins.' };
  const explanationUrl = readUrl(tidy(readText(fieldOf(content, 'explanationURL')) ?? ''));
  return { ok: true, value: { window: { start, end }, ...(explanationUrl !== undefined && { explanationUrl }) } };
}
