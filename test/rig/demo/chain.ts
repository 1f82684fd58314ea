// Whether a stored certificate is worth anything: the chain leads by signatures to a root known from elsewhere, the leaf is for
// the hostname, valid now, and belongs to the stored key. Pure.

import { createPrivateKey, X509Certificate } from 'node:crypto';

export interface Stored {
  readonly chainPem: string;
  readonly keyPem: string;
}

export type Finding =
  | { readonly kind: 'verified'; readonly length: number; readonly root: string }
  | { readonly kind: 'wrong'; readonly why: string };

/** `roots` come from the CA itself, never from the Secret that is being checked. */
export function verifyChain(stored: Stored, hostname: string, roots: readonly X509Certificate[], now: number): Finding {
  const chain = (stored.chainPem.match(pem) ?? []).map((one) => new X509Certificate(one));
  const leaf = chain[0];
  const last = chain.at(-1);
  if (leaf === undefined || last === undefined) {
    return { kind: 'wrong', why: 'tls.crt holds no certificate' };
  }
  const mistake = leafMistake(leaf, stored.keyPem, hostname) ?? linkMistake(chain) ?? dateMistake(chain, now);
  if (mistake !== undefined) {
    return { kind: 'wrong', why: mistake };
  }
  const root = roots.find((one) => one.fingerprint256 === last.fingerprint256 || signs(one, last));
  return root === undefined
    ? { kind: 'wrong', why: `the chain ends at «${last.issuer}», which is not a root of its CA` }
    : { kind: 'verified', length: chain.length, root: root.subject };
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function leafMistake(leaf: X509Certificate, keyPem: string, hostname: string): string | undefined {
  if (leaf.checkHost(hostname, { subject: 'never' }) === undefined) {
    return `the certificate is for ${leaf.subjectAltName ?? 'no name'}, not for ${hostname}`;
  }
  return leaf.checkPrivateKey(createPrivateKey(keyPem)) ? undefined : 'tls.key is not the key of tls.crt';
}

function linkMistake(chain: readonly X509Certificate[]): string | undefined {
  const broken = chain.find((one, index) => {
    const next = chain[index + 1];
    return next !== undefined && !signs(next, one);
  });
  return broken === undefined ? undefined : `${called(broken)} is not signed by the next certificate of its chain`;
}

function dateMistake(chain: readonly X509Certificate[], now: number): string | undefined {
  const outside = chain.find((one) => now < one.validFromDate.getTime() || now > one.validToDate.getTime());
  return outside && `${called(outside)} is valid from ${outside.validFrom} to ${outside.validTo}`;
}

function signs(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** Node gives undefined for an empty subject, whatever its types say. */
function called({ subject, subjectAltName, serialNumber }: X509Certificate): string {
  return `«${subject || subjectAltName || serialNumber}»`;
}
