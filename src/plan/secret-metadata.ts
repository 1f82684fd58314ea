// Which labels, annotations and owner the target Secret bears, exactly as cert-manager writes them. Called by secret-drift.ts and by
// apply/secret-object.ts, so that what is compared is what is written.

import type { Certificate } from '../api/certmanager.ts';
import type { OwnerReference } from '../api/meta.ts';
import { annotations, labels } from '../api/names.ts';
import type { CertificateFacts } from '../pki/certificate.ts';

/** `certificate`: the Secret goes when its Certificate is deleted (--enable-certificate-owner-ref). */
export type SecretOwner = 'certificate' | 'nobody';

export interface SecretMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
}

type Details = Readonly<Record<string, string>>;

/** `details` are those of the certificate in the Secret; the template never beats what is cert-manager's. */
export function secretMetadata(certificate: Certificate, details: Details, owner: SecretOwner): SecretMetadata {
  const { metadata, spec } = certificate;
  const template = spec.secretTemplate ?? {};
  return {
    labels: { ...unreserved(template.labels), [labels.fao]: 'true' },
    annotations: {
      ...template.annotations,
      ...details,
      [annotations.certificateName]: metadata.name,
      [annotations.issuerName]: spec.issuerRef.name,
      [annotations.issuerKind]: spec.issuerRef.kind ?? '',
      [annotations.issuerGroup]: spec.issuerRef.group ?? '',
    },
    ownerReferences: owner === 'certificate' ? [ownedBy(certificate)] : [],
  };
}

/** Labels under our names say what a Secret is for: one from a template would make another kind of Secret of it. */
function unreserved(wanted: Details = {}): Details {
  return Object.fromEntries(Object.entries(wanted).filter(([key]) => !isReserved(key)));
}

/** Whether a label or an annotation is cert-manager's, and so ours. */
export function isReserved(key: string): boolean {
  return key.startsWith('cert-manager.io/') || key.startsWith('controller.cert-manager.io/');
}

function ownedBy({ metadata }: Certificate): OwnerReference {
  const { name, uid = '' } = metadata;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** What the annotations say of a certificate: names and subject as they were issued, not as they were asked for. */
export function certificateDetails({ names, subjectParts: subject }: CertificateFacts): Details {
  return {
    [annotations.commonName]: names.commonName ?? '',
    [annotations.altNames]: csvLine(names.dnsNames),
    [annotations.ipSans]: csvLine(names.ipAddresses),
    [annotations.uriSans]: csvLine(names.uris),
    // These only where there is something to say.
    ...some(annotations.emailSans, names.emailAddresses),
    ...some(annotations.subjectOrganizations, subject.organizations),
    ...some(annotations.subjectOrganizationalUnits, subject.organizationalUnits),
    ...some(annotations.subjectCountries, subject.countries),
    ...some(annotations.subjectProvinces, subject.provinces),
    ...some(annotations.subjectLocalities, subject.localities),
    ...some(annotations.subjectPostalCodes, subject.postalCodes),
    ...some(annotations.subjectStreetAddresses, subject.streetAddresses),
    ...(subject.serialNumber ? { [annotations.subjectSerialNumber]: subject.serialNumber } : {}),
  };
}

function some(annotation: string, values: readonly string[] = []): Details {
  return values.length === 0 ? {} : { [annotation]: csvLine(values) };
}

/** One line as Go's encoding/csv writes it: quotes only where a reader would need them, and around the end mark of old databases. */
export function csvLine(values: readonly string[]): string {
  return values
    .map((value) => (/[",\r\n]|^\s|^\\\.$/u.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(',');
}
