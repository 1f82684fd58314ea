// PKCS #10 requests (RFC 2986): written for a key and a spec's names, read with their proof of possession checked.
// Called by apply/ when a CertificateRequest is made, and by the CA and self-signed issuers before they sign.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { NameConstraints, SignatureAlgorithm, X509Subject } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { type CsrContent, notCsr, readContent } from './csr-content.ts';
import { type DerNode, parseDer } from './der-read.ts';
import { explicit, objectId, sequence, setOf } from './der-write.ts';
import { altNames, basicConstraints, usageExtensions, version, writeExtensions } from './extensions.ts';
import { kindOfKey, publicHalf } from './keys.ts';
import { parseLiteralSubject } from './literal-subject.ts';
import { constraintsExtension, factsOf } from './name-constraints.ts';
import { checkNames, type Names } from './names.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { signed, verifySigned } from './signature.ts';
import { writeName, writeSubject } from './subject.ts';
import { readUsages } from './usages.ts';

/** Every field but the key and the names is called as in the spec of a Certificate: spread that spec, and add the two. */
export interface CsrWish {
  readonly key: KeyObject;
  /** As namesOfSpec gives them; with a literal subject, the common name is its and is not written again. */
  readonly names: Names;
  readonly subject?: X509Subject;
  readonly literalSubject?: string;
  readonly usages?: readonly string[];
  /** False leaves the usages out, for issuers that refuse them in a CSR; what makes a CA stays. */
  readonly encodeUsagesInRequest?: boolean;
  readonly isCA?: boolean;
  /** Written for a CA only (RFC 5280 §4.2.1.10). */
  readonly nameConstraints?: NameConstraints;
  readonly signatureAlgorithm?: SignatureAlgorithm;
}

/** DER. The wish must have passed checkRequest; an impossible name, subject, usage or algorithm is a bug and throws. */
export async function createCsr(wish: CsrWish): Promise<Buffer> {
  const names = checkNames(wish.names);
  if (!names.ok) throw new Error(names.problem.message);
  const isCA = wish.isCA ?? false;
  const subject = subjectOf(wish);
  const extensions = [
    ...(wish.encodeUsagesInRequest === false ? [] : usageExtensions(readUsages(wish.usages, isCA))),
    ...(isCA ? [basicConstraints('authority')] : []),
    ...altNames(wish.names, subject.length === 2 ? 'empty' : 'given'),
    ...(isCA && wish.nameConstraints !== undefined ? [constraintsExtension(factsOf(wish.nameConstraints))] : []),
  ];
  const attribute = sequence(objectId(oids.extensionRequest), setOf(writeExtensions(extensions)));
  const attributes = extensions.length === 0 ? [] : [attribute];
  const publicKey = publicHalf(wish.key).export({ format: 'der', type: 'spki' });
  const info = sequence(version(0), subject, publicKey, explicit(0, ...attributes));
  return signed(info, wish.key, wish.signatureAlgorithm);
}

function subjectOf({ literalSubject = '', subject, names }: CsrWish): Buffer {
  if (literalSubject === '') return writeSubject(subject, names.commonName);
  const literal = parseLiteralSubject(literalSubject);
  if (!literal.ok) throw new Error(literal.problem.message);
  return writeName(literal.value);
}

export interface CsrFacts extends CsrContent {
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo as it stands in the request. */
  readonly publicKeyDer: Buffer;
  /** Of the request itself. */
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly der: Buffer;
}

// A request of a hundred long names is below 32 KiB.
const largest = 256 * 1024;

/** Reads PEM or DER that may come from a tenant: strict DER, supported key, valid signature, only names that we could write. */
export function readCsr(request: string | Buffer): Reply<CsrFacts, PkiProblem> {
  const der = typeof request === 'string' ? pemOfCsr(request) : request;
  const outer = der === undefined || der.length > largest ? undefined : parseDer(der);
  const [info] = outer?.children ?? [];
  const [, subject, keyNode, attributes, ...more] = info?.children ?? [];
  if (der === undefined || outer === undefined || keyNode === undefined || more.length > 0) return refuse(notCsr);
  const content = readContent(subject, attributes);
  if (!content.ok && content.problem.kind === 'malformed') return content;
  const publicKey = readPublicKey(keyNode.raw);
  if (!publicKey.ok) return publicKey;
  const signatureAlgorithm = checkProof(outer, publicKey.value);
  if (!signatureAlgorithm.ok) return signatureAlgorithm;
  if (!content.ok) return content;
  const own = { publicKey: publicKey.value, publicKeyDer: keyNode.raw, signatureAlgorithm: signatureAlgorithm.value };
  return { ok: true, value: { ...content.value, ...own, der } };
}

function pemOfCsr(pem: string): Buffer | undefined {
  // The older label is what some Microsoft tools write.
  return pemToDer('CERTIFICATE REQUEST', pem) ?? pemToDer('NEW CERTIFICATE REQUEST', pem);
}

function readPublicKey(spki: Buffer): Reply<KeyObject, PkiProblem> {
  const key = parsePublicKey(spki);
  const kind = key === undefined ? undefined : kindOfKey(key);
  if (key === undefined || kind === undefined || (kind.algorithm === 'RSA' && (kind.size < 2048 || kind.size > 8192))) {
    const message = 'The request’s key must be RSA of 2048 to 8192 bits, ECDSA (P-256, P-384, P-521) or Ed25519.';
    return refuse({ kind: 'unsupported', what: 'key', message });
  }
  return { ok: true, value: key };
}

function parsePublicKey(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function checkProof(outer: DerNode, key: KeyObject): Reply<SignatureAlgorithm, PkiProblem> {
  const verdict = verifySigned(outer, key);
  switch (verdict.kind) {
    case 'valid':
      return { ok: true, value: verdict.by };
    case 'invalid':
      return refuse({ kind: 'badSignature', message: 'The request is not signed by the key that it names.' });
    case 'unsupported': {
      const message = 'The request is signed with an algorithm that is not supported; use SHA-256 or stronger.';
      return refuse({ kind: 'unsupported', what: 'signature', message });
    }
    default:
      return verdict satisfies never;
  }
}

/** One PEM block (RFC 7468) with lines of 64 characters and a final newline. */
export function derToPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The bytes of the first block with this label, or undefined. */
function pemToDer(label: string, pem: string): Buffer | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const start = pem.indexOf(begin);
  const end = start < 0 ? -1 : pem.indexOf(`-----END ${label}-----`, start);
  if (end < 0) return undefined;
  const body = pem.slice(start + begin.length, end).replaceAll(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(body) ? Buffer.from(body, 'base64') : undefined;
}
