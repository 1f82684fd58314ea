// PKCS #10 requests (RFC 2986): written for a key and a spec's names, read with their proof of possession checked.
// Called by apply/ when a CertificateRequest is made, and by the CA and self-signed issuers before they sign.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { X509Subject } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { type DerNode, parseDer, readOid } from './der-read.ts';
import { explicit, objectId, sequence, setOf } from './der-write.ts';
import {
  altNames,
  basicConstraints,
  type Extension,
  readConstraints,
  readExtensions,
  requestedUsages,
  usageExtensions,
  version,
  writeExtensions,
} from './extensions.ts';
import { kindOfKey, publicHalf } from './keys.ts';
import { checkNames, type Names, readAltNames } from './names.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { signed, verifySigned } from './signature.ts';
import { readSubject, type SubjectFacts, writeSubject } from './subject.ts';
import { readUsages, type Usages } from './usages.ts';

export interface CsrWish {
  readonly key: KeyObject;
  readonly names: Names;
  readonly subject?: X509Subject;
  readonly usages?: readonly string[];
  readonly isCA?: boolean;
}

/** DER. The wish must have passed checkRequest; an impossible name or usage is a bug and throws. */
export async function createCsr(wish: CsrWish): Promise<Buffer> {
  const names = checkNames(wish.names);
  if (!names.ok) throw new Error(names.problem.message);
  const isCA = wish.isCA ?? false;
  const subject = writeSubject(wish.subject, wish.names.commonName);
  const extensions = [
    ...usageExtensions(readUsages(wish.usages, isCA)),
    ...(isCA ? [basicConstraints('authority')] : []),
    ...altNames(wish.names, subject.length === 2 ? 'empty' : 'given'),
  ];
  const attribute = sequence(objectId(oids.extensionRequest), setOf(writeExtensions(extensions)));
  const publicKey = publicHalf(wish.key).export({ format: 'der', type: 'spki' });
  return signed(sequence(version(0), subject, publicKey, explicit(0, attribute)), wish.key);
}

export interface CsrFacts {
  readonly names: Names;
  readonly subject: SubjectFacts;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo as it stands in the request. */
  readonly publicKeyDer: Buffer;
  /** Undefined where the request leaves them to the signer. */
  readonly usages?: Usages;
  readonly isCA?: boolean;
  readonly der: Buffer;
}

// A request of a hundred long names is below 32 KiB.
const largest = 256 * 1024;

/** Reads PEM or DER that may come from a tenant: strict DER, supported key, valid signature, only names that we could write. */
export function readCsr(request: string | Buffer): Reply<CsrFacts, PkiProblem> {
  const der = typeof request === 'string' ? pemOfCsr(request) : request;
  const outer = der === undefined || der.length > largest ? undefined : parseDer(der);
  const [info] = outer?.children ?? [];
  const [, subjectNode, keyNode, attributes] = info?.children ?? [];
  const subject = readSubject(subjectNode);
  const extensions = readRequested(attributes);
  if (der === undefined || outer === undefined || subject === undefined || keyNode === undefined || !extensions) {
    return refuse({ kind: 'malformed', what: 'csr', message: 'The request is not a PKCS #10 certificate request.' });
  }
  const publicKey = readPublicKey(keyNode.raw);
  if (!publicKey.ok) return publicKey;
  const proof = checkProof(outer, publicKey.value);
  if (proof !== undefined) return refuse(proof);
  const names = requestedNames(subject, extensions);
  if (!names.ok) return names;
  return { ok: true, value: factsOf(der, keyNode.raw, publicKey.value, subject, names.value, extensions) };
}

function pemOfCsr(pem: string): Buffer | undefined {
  // The older label is what some Microsoft tools write.
  return pemToDer('CERTIFICATE REQUEST', pem) ?? pemToDer('NEW CERTIFICATE REQUEST', pem);
}

function readRequested(attributes: DerNode | undefined): ReadonlyMap<string, Extension> | undefined {
  const request = attributes?.children.find((node) => readOid(node.children[0]) === oids.extensionRequest);
  return request === undefined ? new Map() : readExtensions(request.children[1]?.children[0]);
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

function checkProof(outer: DerNode, key: KeyObject): PkiProblem | undefined {
  const verdict = verifySigned(outer, key);
  switch (verdict) {
    case 'valid':
      return undefined;
    case 'invalid':
      return { kind: 'badSignature', message: 'The request is not signed by the key that it names.' };
    case 'unsupported':
      return {
        kind: 'unsupported',
        what: 'signature',
        message: 'The request is signed with an algorithm that is not supported; use SHA-256 or stronger.',
      };
    default:
      return verdict satisfies never;
  }
}

function requestedNames(subject: SubjectFacts, extensions: ReadonlyMap<string, Extension>): Reply<Names, PkiProblem> {
  const found = readAltNames(extensions.get(oids.subjectAltName)?.value);
  if (found === undefined) {
    return refuse({
      kind: 'malformed',
      what: 'csr',
      message: 'The request’s subject alternative names are malformed.',
    });
  }
  if (found.unread > 0) {
    const message = 'The request asks for alternative names that are no DNS name, IP address, URI or email address.';
    return refuse({ kind: 'unsupported', what: 'name', message });
  }
  const { unread: _, ...names } = found;
  return checkNames({ ...names, ...(subject.commonName === undefined ? {} : { commonName: subject.commonName }) });
}

function factsOf(
  der: Buffer,
  publicKeyDer: Buffer,
  publicKey: KeyObject,
  subject: SubjectFacts,
  names: Names,
  extensions: ReadonlyMap<string, Extension>,
): CsrFacts {
  const usages = requestedUsages(extensions);
  return {
    names,
    subject,
    publicKey,
    publicKeyDer,
    ...(usages === undefined ? {} : { usages }),
    ...(extensions.has(oids.basicConstraints) ? { isCA: readConstraints(extensions).isCA } : {}),
    der,
  };
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
