// Orders the certificates that Vault sends, in whatever order and number, into what a server shows and what its clients trust.
// Called by sign.ts.

import type { X509Certificate } from 'node:crypto';
import { openCertificate, splitPem } from '../pki/certificate.ts';

export interface Chain {
  /** PEM: the leaf first, then what stands above it, without a self-signed top. */
  readonly chainPem: string;
  /** PEM of the topmost certificate, self-signed or not; absent where nothing but the leaf is known. */
  readonly caPem?: string;
}

interface Known {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

const most = 32;

/** Climbs from the leaf while some certificate at hand has issued the last one; strangers are left out. Undefined: no readable leaf. */
export function chainOf(leafPem: string, others: readonly string[]): Chain | undefined {
  const [leaf] = read([leafPem]);
  if (leaf === undefined) return undefined;
  const known = read(others);
  const path: Known[] = [leaf];
  for (let top: Known = leaf; !issued(top.certificate, top.certificate); ) {
    const next = known.find(
      (one) =>
        !path.some((p) => p.certificate.raw.equals(one.certificate.raw)) && issued(one.certificate, top.certificate),
    );
    if (next === undefined) break;
    path.push(next);
    top = next;
  }
  const top = path.at(-1) ?? leaf;
  const isRoot = issued(top.certificate, top.certificate);
  const shown = isRoot && path.length > 1 ? path.slice(0, -1) : path;
  const chainPem = shown.map(({ pem }) => pem).join('');
  return isRoot || path.length > 1 ? { chainPem, caPem: top.pem } : { chainPem };
}

function read(texts: readonly string[]): readonly Known[] {
  return texts
    .flatMap(splitPem)
    .slice(0, most)
    .flatMap((pem) => {
      const certificate = openCertificate(pem);
      return certificate === undefined ? [] : [{ pem, certificate }];
    });
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  try {
    return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
  } catch {
    // A key or signature that this OpenSSL does not know.
    return false;
  }
}
