// Decides in what the target Secret differs from the spec although its key and certificate are right: it is written again, nothing is issued.
// Called by certificate.ts. Reasons keep the names of cert-manager's post-issuance checks.

import type { Certificate, CertificateSpec, KeyEncoding } from '../api/certmanager.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { annotations } from '../api/names.ts';
import { keystoreFiles } from '../keystore/keystores.ts';
import { formatFiles } from '../keystore/output-formats.ts';
import { wantedFiles } from './keystores-wanted.ts';
import type { OwnedFields } from './owned-fields.ts';
import { isReserved, type SecretOwner, secretMetadata } from './secret-metadata.ts';
import { isTwin } from './stamp.ts';

/** What stands in the Secret besides a readable pair. Nothing here is key material. */
export interface SecretShape {
  readonly metadata: Pick<ObjectMeta, 'labels' | 'annotations' | 'ownerReferences'>;
  /** The annotations that tell of the certificate in it. */
  readonly details: Readonly<Record<string, string>>;
  readonly owned: OwnedFields;
  readonly keyEncoding: KeyEncoding;
  readonly trust: 'hasCa' | 'noCa';
  /** The output formats whose content is what the key and the chain make. */
  readonly fitFormats: readonly string[];
  /** The generation of the Certificate that it was written for in this process: what the server changed then is left. */
  readonly writtenFor?: number;
}

export type KeystoresSeen =
  /** The files among those wanted that are missing, or do not open with the password, or hold another certificate. */
  | { readonly kind: 'judged'; readonly unfit: readonly string[] }
  /** They cannot be made until somebody acts: nothing is issued or written before. */
  | { readonly kind: 'obstacle'; readonly reason: string; readonly message: string };

export interface SecretDrift {
  readonly reason:
    | 'SecretTemplateMismatch'
    | 'SecretManagedMetadataMismatch'
    | 'AdditionalOutputFormatsMismatch'
    | 'SecretOwnerRefMismatch'
    | 'SecretMismatch';
  readonly message: string;
}

/** Every way in which the Secret is to be written anew; empty when it is as the spec says. */
export function secretDrift(
  certificate: Certificate,
  shape: SecretShape,
  keystores: KeystoresSeen,
  owner: SecretOwner,
): readonly SecretDrift[] {
  const unfit = keystores.kind === 'judged' ? keystores.unfit : [];
  const stale = unfit.map((file) =>
    drift('SecretMismatch', `${file} is missing, or does not open with its password, or holds another certificate`),
  );
  const { generation } = certificate.metadata;
  if (shape.writtenFor !== undefined && shape.writtenFor === generation) return stale;
  return [
    ...metadataDrift(certificate, shape, owner),
    ...ownerDrift(certificate, shape, owner),
    ...formatDrift(certificate.spec, shape),
    ...encodingDrift(certificate.spec, shape),
    ...stale,
    ...unwantedFiles(certificate.spec, shape),
  ];
}

/** Whose values these are is judged where re-issuance is: a rewrite cannot set them. */
const judgedElsewhere: ReadonlySet<string> = new Set([
  annotations.certificateName,
  annotations.issuerName,
  annotations.issuerKind,
  annotations.issuerGroup,
]);

function metadataDrift(certificate: Certificate, shape: SecretShape, owner: SecretOwner): readonly SecretDrift[] {
  const wanted = secretMetadata(certificate, shape.details, owner);
  const kept = isMoved(certificate, shape) ? new Set<string>() : judgedElsewhere;
  return (['labels', 'annotations'] as const).flatMap((part) => {
    const found = shape.metadata[part] ?? {};
    const missing = Object.keys(wanted[part]).filter((key) => found[key] !== wanted[part][key]);
    const extra = [...shape.owned[part]].filter((key) => !Object.hasOwn(wanted[part], key));
    return [
      ...missing.map((key) => [key, `${part} "${key}" is missing or has another value`] as const),
      ...extra.map((key) => [key, `${part} "${key}" is no longer asked for`] as const),
    ]
      .filter(([key]) => !kept.has(key))
      .map(([key, message]) =>
        drift(isReserved(key) ? 'SecretManagedMetadataMismatch' : 'SecretTemplateMismatch', message),
      );
  });
}

/** From a ClusterIssuer to what is stamped from it, or back: the pair stays, and the Secret says who is asked from now on. */
function isMoved({ spec }: Certificate, { metadata }: SecretShape): boolean {
  const { [annotations.issuerName]: name = '', ...noted } = metadata.annotations ?? {};
  const kind = noted[annotations.issuerKind] ?? '';
  return isTwin({ name, kind, group: noted[annotations.issuerGroup] ?? '' }, spec.issuerRef);
}

function ownerDrift(certificate: Certificate, shape: SecretShape, owner: SecretOwner): readonly SecretDrift[] {
  const { uid = '' } = certificate.metadata;
  const wanted = secretMetadata(certificate, shape.details, owner).ownerReferences;
  const found = (shape.metadata.ownerReferences ?? []).filter((each) => each.uid === uid);
  const isOwned = shape.owned.owners.has(uid);
  if (owner === 'nobody') {
    return isOwned ? [drift('SecretOwnerRefMismatch', 'the Certificate is noted as its owner and should not be')] : [];
  }
  const isRight = isOwned && wanted.every((each) => found.some((other) => sameFields(each, other)));
  return isRight ? [] : [drift('SecretOwnerRefMismatch', 'the Certificate is not noted as its owner')];
}

function sameFields(a: object, b: object): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}

function formatDrift(spec: CertificateSpec, shape: SecretShape): readonly SecretDrift[] {
  const wanted = (spec.additionalOutputFormats ?? []).map(({ type }) => formatFiles[type]);
  return Object.values(formatFiles).flatMap((file) => {
    const isWanted = wanted.includes(file);
    if (isWanted && !(shape.owned.data.has(file) && shape.fitFormats.includes(file)))
      return [drift('AdditionalOutputFormatsMismatch', `${file} is missing or does not fit tls.key and tls.crt`)];
    if (!isWanted && shape.owned.data.has(file))
      return [drift('AdditionalOutputFormatsMismatch', `${file} is no longer asked for`)];
    return [];
  });
}

function encodingDrift({ privateKey }: CertificateSpec, shape: SecretShape): readonly SecretDrift[] {
  // Ed25519 knows only the one.
  const wanted = privateKey?.algorithm === 'Ed25519' ? 'PKCS8' : (privateKey?.encoding ?? 'PKCS1');
  return wanted === shape.keyEncoding ? [] : [drift('SecretMismatch', `tls.key is to be encoded as ${wanted}`)];
}

function unwantedFiles(spec: CertificateSpec, shape: SecretShape): readonly SecretDrift[] {
  const wanted: readonly string[] = wantedFiles(spec, shape.trust);
  const known: readonly string[] = Object.values(keystoreFiles).flatMap((files) => Object.values(files));
  const extra = known.filter((file) => shape.owned.data.has(file) && !wanted.includes(file));
  return extra.map((file) => drift('SecretMismatch', `${file} is no longer asked for`));
}

function drift(reason: SecretDrift['reason'], message: string): SecretDrift {
  return { reason, message };
}
