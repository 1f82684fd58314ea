// Reads certificates: OpenSSL (by node) must accept the bytes, then names and identifiers are taken from the DER itself.
// Called by plan/ (does the Secret still satisfy the spec?), by sign.ts and by readiness reporting.

import { type KeyObject, X509Certificate } from 'node:crypto';
import type { X509Subject } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { type DerNode, parseDer } from './der-read.ts';
import {
  type Constraints,
  type Extension,
  readAuthorityKeyId,
  readConstraints,
  readExtensions,
  readSubjectKeyId,
  requestedUsages,
} from './extensions.ts';
import { type ConstraintFacts, readConstraintsExtension } from './name-constraints.ts';
import { type Names, readAltNames } from './names.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { readSubject } from './subject.ts';
import type { Usages } from './usages.ts';

export interface CertificateFacts {
  readonly names: Names;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Hexadecimal, upper case, as openssl prints it. */
  readonly serial: string;
  readonly subject: string;
  readonly subjectParts: X509Subject;
  /** DER of the Names, for comparison: texts of different names may look alike. */
  readonly subjectDer: Buffer;
  readonly issuer: string;
  readonly issuerDer: Buffer;
  readonly isCA: boolean;
  readonly constraints: Constraints;
  /** Undefined where there are none, or some that we could not have written. */
  readonly nameConstraints?: ConstraintFacts;
  /** Undefined where the certificate restricts nothing. */
  readonly usages?: Usages;
  readonly publicKey: KeyObject;
  readonly subjectKeyId?: Buffer;
  /** What RFC 9773 identifies the certificate by, with the serial. */
  readonly authorityKeyId?: Buffer;
  /** Upper-case hexadecimal pairs with colons. */
  readonly fingerprint256: string;
}

/** The first certificate of a PEM text. Never throws, whatever the bytes. */
export function readCertificate(pem: string): Reply<CertificateFacts, PkiProblem> {
  const certificate = openCertificate(pem);
  const facts = certificate === undefined ? undefined : factsOf(certificate);
  return facts === undefined
    ? refuse({ kind: 'malformed', what: 'certificate', message: 'The text is not a PEM certificate.' })
    : { ok: true, value: facts };
}

/** OpenSSL's view, for checks between certificates; undefined where it accepts no certificate in the text. */
export function openCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function factsOf(certificate: X509Certificate): CertificateFacts | undefined {
  // [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, …, [3] extensions
  const fields = parseDer(certificate.raw)?.children[0]?.children ?? [];
  const body = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  const issuer = readSubject(body[2]);
  const subject = readSubject(body[4]);
  const extensions = extensionsOf(body);
  const found = extensions === undefined ? undefined : readAltNames(extensions.get(oids.subjectAltName)?.value);
  const publicKey = publicKeyOf(certificate);
  if (!issuer || !subject || !extensions || !found || !publicKey) return undefined;
  const { unread: _, ...names } = found;
  const constraints = readConstraints(extensions);
  return {
    names: { ...names, ...(subject.commonName === undefined ? {} : { commonName: subject.commonName }) },
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    serial: certificate.serialNumber,
    subject: subject.text,
    subjectParts: subject.parts,
    subjectDer: subject.der,
    issuer: issuer.text,
    issuerDer: issuer.der,
    isCA: constraints.isCA,
    constraints,
    publicKey,
    fingerprint256: certificate.fingerprint256,
    ...optionalsOf(extensions),
  };
}

function extensionsOf(body: readonly DerNode[]): ReadonlyMap<string, Extension> | undefined {
  const wrapper = body.slice(6).find((node) => node.tag === 0xa3);
  return wrapper === undefined ? new Map() : readExtensions(wrapper.children[0]);
}

function optionalsOf(extensions: ReadonlyMap<string, Extension>) {
  const extension = extensions.get(oids.nameConstraints);
  const nameConstraints = extension === undefined ? undefined : readConstraintsExtension(extension);
  const usages = requestedUsages(extensions);
  const subjectKeyId = readSubjectKeyId(extensions);
  const authorityKeyId = readAuthorityKeyId(extensions);
  return {
    ...(nameConstraints === undefined ? {} : { nameConstraints }),
    ...(usages === undefined ? {} : { usages }),
    ...(subjectKeyId === undefined ? {} : { subjectKeyId }),
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
  };
}

/** Reading the key throws for algorithms that this OpenSSL does not know. */
function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}

/** Every certificate of a bundle as its own PEM text, in order; anything between the blocks is dropped. */
export function splitPem(bundle: string): readonly string[] {
  const end = '-----END CERTIFICATE-----';
  return bundle
    .split(end)
    .slice(0, -1)
    .flatMap((part) => {
      const start = part.indexOf('-----BEGIN CERTIFICATE-----');
      return start < 0 ? [] : [`${part.slice(start).replaceAll('\r\n', '\n').trimEnd()}\n${end}\n`];
    });
}
