// Downloading what was issued (RFC 8555 §7.4.2, §9.1): a PEM chain, leaf first, and where the alternate chains are. Called by
// apply/perform-order.ts.

import type { Reply } from '../api/reply.ts';
import { openCertificate, splitPem } from '../pki/certificate.ts';
import type { Document } from './document.ts';
import { urlsOf } from './links.ts';
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
