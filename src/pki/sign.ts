// Turns a request into a certificate, under a CA or under the request's own key. Called by apply/ for the CA and self-signed issuers.
// The CSR is proof of possession and list of names; usages and CA-ness come from the approved CertificateRequest, and must not contradict it.

import type { KeyObject } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import { type Authority, type AuthoritySource, keyIdentifier, readAuthority } from './authority.ts';
import { type CsrFacts, derToPem, readCsr } from './csr.ts';
import { checkCsrAgainstRequest } from './csr-claims.ts';
import { explicit, integer, sequence, time } from './der-write.ts';
import * as extension from './extensions.ts';
import { publicKeysEqual } from './keys.ts';
import { constraintsExtension } from './name-constraints.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { signatureAlgorithm, signed } from './signature.ts';
import { readUsages } from './usages.ts';

/** What both ways of signing need; times in ms, of which whole seconds count. */
export interface Terms {
  /** DER, or what readCsr made of it: its proof of possession is verified either way. */
  readonly csr: Buffer | CsrFacts;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Names as in spec.usages; empty means cert-manager's default. */
  readonly usages: readonly string[];
  readonly isCA: boolean;
  /** 16 random bytes of the caller. */
  readonly serial: Buffer;
  readonly crlDistributionPoints?: readonly string[];
}

export interface CaTerms extends Terms {
  readonly issuer: AuthoritySource;
  readonly ocspServers?: readonly string[];
  readonly issuingCertificateURLs?: readonly string[];
}

export interface Issued {
  /** Leaf first, without a self-signed top. */
  readonly chainPem: string;
  /** The topmost certificate. */
  readonly caPem: string;
  /** What the certificate says, in ms: earlier than asked for where the signer itself ends before. */
  readonly notAfter: number;
  readonly validity: 'asAsked' | 'endsWithSigner';
}

/** Signs under a CA. A certificate never outlives its signer: it would be refused from that moment on, while looking valid. */
export async function signCsr(terms: CaTerms): Promise<Reply<Issued, PkiProblem>> {
  const request = readRequest(terms);
  if (!request.ok) return request;
  const authority = readAuthority(terms.issuer);
  if (!authority.ok) return authority;
  const { signer, path, top } = authority.value;
  const unfit = unfitSigner(authority.value, terms);
  if (unfit !== undefined) return refuse(unfit);
  const notAfter = Math.min(terms.notAfter, signer.notAfter);
  const der = await signed(
    toBeSigned(terms, request.value, notAfter, signer.subjectDer, terms.issuer.key, [
      extension.authorityKeyId(authority.value.keyId),
      ...extension.authorityInfo(terms.ocspServers ?? [], terms.issuingCertificateURLs ?? []),
    ]),
    terms.issuer.key,
  );
  const chainPem = [derToPem('CERTIFICATE', der), ...path].join('');
  const validity = notAfter < terms.notAfter ? 'endsWithSigner' : 'asAsked';
  return { ok: true, value: { chainPem, caPem: top, notAfter, validity } };
}

/** Signs a request with its own key; the certificate is its own CA. */
export async function selfSign(terms: Terms & { readonly key: KeyObject }): Promise<Reply<Issued, PkiProblem>> {
  const request = readRequest(terms);
  if (!request.ok) return request;
  if (!publicKeysEqual(terms.key, request.value.publicKey)) {
    return refuse({ kind: 'keyMismatch', message: 'The private key does not belong to the request.' });
  }
  const subject = request.value.subject.der;
  const der = await signed(toBeSigned(terms, request.value, terms.notAfter, subject, terms.key, []), terms.key);
  const pem = derToPem('CERTIFICATE', der);
  return { ok: true, value: { chainPem: pem, caPem: pem, notAfter: terms.notAfter, validity: 'asAsked' } };
}

function readRequest(terms: Terms): Reply<CsrFacts, PkiProblem> {
  const request: Reply<CsrFacts, PkiProblem> = Buffer.isBuffer(terms.csr)
    ? readCsr(terms.csr)
    : { ok: true, value: terms.csr };
  const agreed = request.ok ? checkCsrAgainstRequest(request.value, terms) : request;
  return agreed.ok ? request : agreed;
}

function unfitSigner(authority: Authority, terms: Terms): PkiProblem | undefined {
  const { signer } = authority;
  if (terms.notBefore >= signer.notAfter) {
    const since = new Date(signer.notAfter).toISOString();
    return { kind: 'authorityExpired', message: `The CA’s certificate has expired, at ${since}.` };
  }
  return terms.isCA && signer.constraints.pathLength === 0
    ? { kind: 'notAuthority', message: 'The CA’s certificate has path length 0: it may not sign another CA.' }
    : undefined;
}

/** TBSCertificate, RFC 5280 §4.1. */
function toBeSigned(
  terms: Terms,
  request: CsrFacts,
  notAfter: number,
  issuer: Buffer,
  signerKey: KeyObject,
  more: readonly extension.Extension[],
): Buffer {
  const extensions = [
    ...extension.usageExtensions(readUsages(terms.usages, terms.isCA)),
    extension.basicConstraints(terms.isCA ? 'authority' : 'leaf'),
    extension.subjectKeyId(keyIdentifier(request.publicKeyDer)),
    ...extension.altNames(request.names, request.subject.der.length === 2 ? 'empty' : 'given'),
    // Of a CA only: checkCsrAgainstRequest has refused any other.
    ...(request.nameConstraints === undefined ? [] : [constraintsExtension(request.nameConstraints)]),
    ...extension.crlDistributionPoints(terms.crlDistributionPoints ?? []),
    ...more,
  ];
  return sequence(
    explicit(0, extension.version(2)),
    integer(terms.serial),
    signatureAlgorithm(signerKey),
    issuer,
    sequence(time(terms.notBefore), time(notAfter)),
    request.subject.der,
    request.publicKeyDer,
    explicit(3, extension.writeExtensions(extensions)),
  );
}
