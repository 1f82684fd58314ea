// Reads a TLS Secret once per resourceVersion and keeps what the plan asks about it; key material is looked at and dropped.

import type { CertificateSpec, KeyEncoding } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { annotations, certManagerGroup, secretFieldManager } from '../api/names.ts';
import { formatFiles, outputFormat } from '../keystore/output-formats.ts';
import { type CertificateFacts, readCertificate, splitPem } from '../pki/certificate.ts';
import { fingerprint, keyFromPem, publicHalf } from '../pki/keys.ts';
import { certificateSatisfies } from '../pki/satisfies.ts';
import { type OwnedFields, ownedFields } from '../plan/owned-fields.ts';
import type { SecretShape } from '../plan/secret-drift.ts';
import { certificateDetails } from '../plan/secret-metadata.ts';
import type { SecretFacts } from '../plan/seen.ts';

export interface SecretContent {
  readonly resourceVersion: string | undefined;
  /** It never changes in a Secret that exists. */
  readonly type: string;
  readonly missing: readonly string[];
  readonly brokenPair?: string;
  readonly leaf?: CertificateFacts;
  readonly keyFingerprint?: string;
  /** Of a readable pair; its metadata comes from the watch. */
  readonly shape?: Omit<SecretShape, 'metadata'>;
}

/** What stands in `tls.crt` and `tls.key`, and whether the two belong together; `owned` as managedFields or our own apply tell it. */
export function readSecret(
  secret: Secret,
  owned: OwnedFields = ownedFields(secret.metadata.managedFields, secretFieldManager),
): SecretContent {
  const missing = ['tls.crt', 'tls.key'].filter((key) => (secret.data?.[key] ?? '') === '');
  const common = { resourceVersion: secret.metadata.resourceVersion, type: secret.type ?? defaultType, missing };
  if (missing.length > 0) return common;
  const key = keyFromPem(decode(secret, 'tls.key'));
  if (!key.ok) return { ...common, brokenPair: 'tls.key is not a private key that Certway can read.' };
  const [leafPem] = splitPem(decode(secret, 'tls.crt'));
  const leaf = readCertificate(leafPem ?? '');
  if (!leaf.ok) return { ...common, brokenPair: 'tls.crt does not begin with a readable certificate.' };
  const keyFingerprint = fingerprint(publicHalf(key.value));
  if (fingerprint(leaf.value.publicKey) !== keyFingerprint) {
    return { ...common, brokenPair: 'tls.key does not belong to the certificate in tls.crt.' };
  }
  const shape = shapeOf(secret, leaf.value, owned);
  return { ...common, leaf: leaf.value, keyFingerprint, shape };
}

export const defaultType = 'kubernetes.io/tls';

function shapeOf(secret: Secret, leaf: CertificateFacts, owned: OwnedFields): Omit<SecretShape, 'metadata'> {
  const [keyPem, chainPem] = [decode(secret, 'tls.key'), decode(secret, 'tls.crt')];
  const fits = (type: 'DER' | 'CombinedPEM') =>
    secret.data?.[formatFiles[type]] === outputFormat(type, keyPem, chainPem).toString('base64');
  return {
    details: certificateDetails(leaf),
    owned,
    keyEncoding: encodingOf(keyPem),
    trust: (secret.data?.['ca.crt'] ?? '') === '' ? 'noCa' : 'hasCa',
    fitFormats: (['DER', 'CombinedPEM'] as const).filter(fits).map((type) => formatFiles[type]),
  };
}

/** By its label: "RSA PRIVATE KEY" and "EC PRIVATE KEY" are the classic ones. */
export function encodingOf(keyPem: string): KeyEncoding {
  return /-----BEGIN (RSA|EC) PRIVATE KEY-----/.test(keyPem) ? 'PKCS1' : 'PKCS8';
}

/** The facts that the plan judges, for a Secret whose metadata and content are known. */
export function secretFacts(
  metadata: ObjectMeta,
  content: SecretContent,
  spec: CertificateSpec,
): SecretFacts & { readonly shape?: SecretShape } {
  const noted = metadata.annotations ?? {};
  const certificateName = noted[annotations.certificateName];
  const { leaf, keyFingerprint, shape } = content;
  const { labels, annotations: all, ownerReferences } = metadata;
  const seen = {
    ...(labels !== undefined && { labels }),
    ...(all !== undefined && { annotations: all }),
    ...(ownerReferences !== undefined && { ownerReferences }),
  };
  return {
    ...(certificateName !== undefined && { certificateName }),
    issuer: {
      name: noted[annotations.issuerName] ?? '',
      // cert-manager has written them empty where the reference left them out.
      kind: noted[annotations.issuerKind] || 'Issuer',
      group: noted[annotations.issuerGroup] || certManagerGroup,
    },
    missing: content.missing,
    ...(content.brokenPair !== undefined && { brokenPair: content.brokenPair }),
    mismatches: leaf === undefined ? [] : mismatches(leaf, spec),
    ...(leaf !== undefined &&
      keyFingerprint !== undefined && {
        leaf: {
          notBefore: leaf.notBefore,
          notAfter: leaf.notAfter,
          keyFingerprint,
          fingerprint: leaf.fingerprint256,
          origin: originOf(leaf),
        },
      }),
    ...(shape !== undefined && { shape: { ...shape, metadata: seen } }),
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
