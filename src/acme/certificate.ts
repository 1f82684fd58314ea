// Downloading what was issued (RFC 8555 §7.4.2, §9.1): a PEM chain, leaf first, and where the alternate chains are. Called by
// apply/perform-order.ts.

import type { Reply } from '../api/reply.ts';
import { openCertificate, splitPem } from '../pki/certificate.ts';
import type { Document } from './document.ts';
import { urlsOf } from './links.ts';
import type { AcmeProblem } from './problem.ts';
import type { AcmeReply, AcmeSession } from './session.ts';

export interface IssuedChain {
  /** Leaf first; nothing but CERTIFICATE blocks. */
  readonly chainPem: string;
  readonly alternates: readonly string[];
}

/** `url` is an order's certificate or an alternate of it. */
export function download(
  { endpoint, key, accountUrl }: AcmeSession,
  url: string,
  signal?: AbortSignal,
): Promise<AcmeReply<IssuedChain>> {
  const accepts = 'application/pem-certificate-chain';
  return endpoint.post({ action: 'certificate', url, key, accountUrl, accepts, read: parseChain, signal });
}

export interface AllChains {
  readonly first: IssuedChain;
  readonly others: readonly IssuedChain[];
  /** Why an alternate is not among the others. */
  readonly lost?: AcmeProblem;
}

// A CA with more cross-signatures than that would cost more requests than a choice is worth.
const mostAlternates = 8;

/** The chain of `url` and, one request each, the alternates that it links to (§7.4.2). */
export async function downloadAll(
  session: AcmeSession,
  url: string,
  signal?: AbortSignal,
): Promise<Reply<AllChains, AcmeProblem>> {
  const first = await download(session, url, signal);
  if (!first.ok) return first;
  const urls = first.value.resource.alternates.filter((each) => each !== url).slice(0, mostAlternates);
  const others: IssuedChain[] = [];
  let lost: AcmeProblem | undefined;
  for (const reply of await Promise.all(urls.map((each) => download(session, each, signal)))) {
    if (reply.ok) others.push(reply.value.resource);
    else lost ??= reply.problem;
  }
  return { ok: true, value: { first: first.value.resource, others, ...(lost !== undefined && { lost }) } };
}

/** Refuses whatever else stands in the text: the chain goes into a Secret as it is. */
export function parseChain({ content, links }: Pick<Document, 'content' | 'links'>): Reply<IssuedChain, string> {
  const text = typeof content === 'string' ? content : '';
  const blocks = splitPem(text);
  const labels = text.match(/-----BEGIN /g) ?? [];
  if (
    blocks.length === 0 ||
    labels.length !== blocks.length ||
    blocks.some((pem) => openCertificate(pem) === undefined)
  ) {
    return { ok: false, problem: 'The CA’s reply is no chain of PEM certificates.' };
  }
  return { ok: true, value: { chainPem: blocks.join(''), alternates: urlsOf(links, 'alternate') } };
}
