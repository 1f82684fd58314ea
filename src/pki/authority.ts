// Whether a CA Secret can sign: CA:TRUE, the key fits, and which certificates stand above the signer. Called by sign.ts for every signature
// and by the CA issuer's own check (KeyPairVerified), so the parsed chain is remembered, by its text, for the few CAs that a cluster has.

import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import { type CertificateFacts, openCertificate, readCertificate, splitPem } from './certificate.ts';
import { parseDer, readBits } from './der-read.ts';
import { kindOfKey } from './keys.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { maySignCertificates } from './usages.ts';

export interface AuthoritySource {
  /** PEM, the signer first; what stands above it may follow in any order. */
  readonly chain: readonly string[];
  /** More certificates to complete the path with, such as the Secret's ca.crt. */
  readonly extra?: readonly string[];
  readonly key: KeyObject;
}

export interface Authority {
  readonly signer: CertificateFacts;
  /** Goes into what it signs as the authority key identifier. */
  readonly keyId: Buffer;
  /** PEM from the signer upwards, without a self-signed top. */
  readonly path: readonly string[];
  /** PEM of the topmost certificate known, self-signed or not. */
  readonly top: string;
  readonly certificate: X509Certificate;
}

/** Reads and checks a signer. Dates are not looked at: signCsr knows the time, this does not. */
export function readAuthority(source: AuthoritySource): Reply<Authority, PkiProblem> {
  const authority = remembered([...source.chain, '', ...(source.extra ?? [])], () =>
    parseAuthority(source.chain, source.extra ?? []),
  );
  if (!authority.ok) return authority;
  if (kindOfKey(source.key) === undefined || !authority.value.certificate.checkPrivateKey(source.key)) {
    return refuse({ kind: 'keyMismatch', message: 'The CA’s private key does not belong to its certificate.' });
  }
  return authority;
}

const memory = new Map<string, Reply<Authority, PkiProblem>>();
const mostRemembered = 64;

/** The oldest entry leaves first; nothing secret is kept, only certificates. */
function remembered(texts: readonly string[], parse: () => Reply<Authority, PkiProblem>): Reply<Authority, PkiProblem> {
  const text = texts.join('\n');
  const key = text.length < 16_384 ? text : createHash('sha256').update(text).digest('hex');
  const known = memory.get(key);
  if (known !== undefined) return known;
  const oldest = memory.keys().next();
  if (memory.size >= mostRemembered && oldest.done !== true) memory.delete(oldest.value);
  const authority = parse();
  memory.set(key, authority);
  return authority;
}

function parseAuthority(chain: readonly string[], extra: readonly string[]): Reply<Authority, PkiProblem> {
  const blocks = [...chain, ...extra].flatMap(splitPem);
  const [first] = blocks;
  const certificate = first === undefined ? undefined : openCertificate(first);
  if (first === undefined || certificate === undefined) {
    return refuse({
      kind: 'malformed',
      what: 'certificate',
      message: 'The CA’s certificate is not a PEM certificate.',
    });
  }
  const signer = readCertificate(first);
  if (!signer.ok) return signer;
  const { isCA, usages } = signer.value;
  if (!isCA) {
    return refuse({
      kind: 'notAuthority',
      message: 'The CA’s certificate is not a CA: its basic constraints lack CA:TRUE.',
    });
  }
  if (!maySignCertificates(usages?.bits)) {
    return refuse({
      kind: 'notAuthority',
      message: 'The CA’s certificate may not sign others: its key usage lacks cert sign.',
    });
  }
  return {
    ok: true,
    value: { ...pathOf(first, blocks), signer: signer.value, certificate, keyId: keyIdOf(signer.value) },
  };
}

/** Climbs from the signer while some certificate at hand has issued the last one; strangers in the bundle are left out. */
function pathOf(first: string, blocks: readonly string[]): { readonly path: readonly string[]; readonly top: string } {
  const known = blocks.flatMap((pem) => {
    const certificate = openCertificate(pem);
    return certificate === undefined ? [] : [{ pem, certificate }];
  });
  const path: (typeof known)[number][] = known.filter(({ pem }) => pem === first).slice(0, 1);
  for (let last = path.at(-1); last !== undefined && !issued(last.certificate, last.certificate); ) {
    const below = last.certificate;
    const next = known.find(
      (c) => !path.some((p) => p.certificate.raw.equals(c.certificate.raw)) && issued(c.certificate, below),
    );
    if (next !== undefined) path.push(next);
    last = next;
  }
  const top = path.at(-1);
  const belowRoot = top !== undefined && issued(top.certificate, top.certificate) ? path.slice(0, -1) : path;
  return { path: belowRoot.map(({ pem }) => pem), top: top?.pem ?? first };
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  try {
    return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
  } catch {
    // A key or signature that this OpenSSL does not know.
    return false;
  }
}

function keyIdOf(signer: CertificateFacts): Buffer {
  return signer.subjectKeyId ?? keyIdentifier(signer.publicKey.export({ format: 'der', type: 'spki' }));
}

/** SHA-1 over the key's bits without their wrapping (RFC 5280 §4.2.1.2, method 1): an identifier, not a proof. */
export function keyIdentifier(publicKeyDer: Buffer): Buffer {
  const bits = readBits(parseDer(publicKeyDer)?.children[1]) ?? publicKeyDer;
  return createHash('sha1').update(bits).digest();
}
