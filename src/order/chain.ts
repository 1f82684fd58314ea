// Which of the chains that a CA offers for one certificate is served: the one that ends where the issuer's preferredChain says. Pure; called by
// apply/perform-order.ts once the CA has issued.

import { readCertificate, splitPem } from '../pki/certificate.ts';
import { parseDer } from '../pki/der-read.ts';
import { readSubject } from '../pki/subject.ts';

export type ChainChoice =
  | { readonly kind: 'preferred'; readonly chainPem: string }
  /** None ends there: the CA's default chain is taken. `offered` are the names at which its chains end instead. */
  | { readonly kind: 'missing'; readonly chainPem: string; readonly offered: readonly string[] };

/** The first chain, the default before its alternates, whose last certificate was issued by a CA with the common name `preferredCN`. */
export function chooseChain(defaultChain: string, alternates: readonly string[], preferredCN: string): ChainChoice {
  const chains = [defaultChain, ...alternates];
  const chosen = chains.find((chain) => rootName(chain) === preferredCN);
  if (chosen !== undefined) return { kind: 'preferred', chainPem: chosen };
  const offered = chains.map(rootName).filter((name) => name !== undefined);
  return { kind: 'missing', chainPem: defaultChain, offered: [...new Set(offered)].toSorted() };
}

/** The common name of who issued the topmost certificate: the root is usually left out of a chain (RFC 8555 §9.1). */
function rootName(chainPem: string): string | undefined {
  const top = readCertificate(splitPem(chainPem).at(-1) ?? '');
  return top.ok ? readSubject(parseDer(top.value.issuerDer))?.commonName : undefined;
}
