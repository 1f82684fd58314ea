// Reads a TLS Secret once per resourceVersion and keeps what the plan asks about it; key material is looked at and dropped.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import { type CertificateFacts, readCertificate, splitPem } from '../pki/certificate.ts';
import { fingerprint, keyFromPem, publicHalf } from '../pki/keys.ts';
import { certificateSatisfies } from '../pki/satisfies.ts';
import type { SecretFacts } from '../plan/seen.ts';

export interface SecretContent {
  readonly resourceVersion: string | undefined;
  readonly missing: readonly string[];
  readonly brokenPair?: string;
  readonly leaf?: CertificateFacts;
  readonly keyFingerprint?: string;
}

/** What stands in `tls.crt` and `tls.key`, and whether the two belong together. */
export function readSecret(secret: Secret): SecretContent {
  const { resourceVersion } = secret.metadata;
  const missing = ['tls.crt', 'tls.key'].filter((key) => (secret.data?.[key] ?? '') === '');
  if (missing.length > 0) return { resourceVersion, missing };
  const key = keyFromPem(decode(secret, 'tls.key'));
  if (!key.ok) return { resourceVersion, missing, brokenPair: 'tls.key is not a private key that Certway can read.' };
  const [leafPem] = splitPem(decode(secret, 'tls.crt'));
  const leaf = readCertificate(leafPem ?? '');
  if (!leaf.ok) return { resourceVersion, missing, brokenPair: 'tls.crt does not begin with a readable certificate.' };
  const keyFingerprint = fingerprint(publicHalf(key.value));
  if (fingerprint(leaf.value.publicKey) !== keyFingerprint) {
    return { resourceVersion, missing, brokenPair: 'tls.key does not belong to the certificate in tls.crt.' };
  }
  return { resourceVersion, missing, leaf: leaf.value, keyFingerprint };
}

/** The facts that the plan judges, for a Secret whose metadata and content are known. */
export function secretFacts(metadata: ObjectMeta, content: SecretContent, spec: CertificateSpec): SecretFacts {
  const noted = metadata.annotations ?? {};
  const certificateName = noted[annotations.certificateName];
  const { leaf, keyFingerprint } = content;
  return {
    ...(certificateName !== undefined && { certificateName }),
    issuer: {
      name: noted[annotations.issuerName] ?? '',
      kind: noted[annotations.issuerKind] ?? 'Issuer',
      group: noted[annotations.issuerGroup] ?? certManagerGroup,
    },
    missing: content.missing,
    ...(content.brokenPair !== undefined && { brokenPair: content.brokenPair }),
    mismatches: leaf === undefined ? [] : mismatches(leaf, spec),
    ...(leaf !== undefined &&
      keyFingerprint !== undefined && {
        leaf: { notBefore: leaf.notBefore, notAfter: leaf.notAfter, keyFingerprint, origin: originOf(leaf) },
      }),
  };
}

/** In the subject of the stand-in; cert-manager's own number, so that either controller knows the other's. */
export const standInSerial = '1234567890';

/** By its content, so that copies and restored Secrets are known too. */
export function originOf(leaf: CertificateFacts): 'issuer' | 'standIn' {
  return leaf.subjectParts.serialNumber === standInSerial && leaf.issuerDer.equals(leaf.subjectDer)
    ? 'standIn'
    : 'issuer';
}

/** Ways in which an issued certificate is not what the spec asks for, as sentences. */
export function mismatches(leaf: CertificateFacts, spec: CertificateSpec): readonly string[] {
  return certificateSatisfies(leaf, spec).map((part) => `The certificate differs from the spec in ${part}.`);
}

export function decode(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
