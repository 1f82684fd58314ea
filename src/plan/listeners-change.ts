// What a listener's Certificate is to look like, and in what a live one differs. Called by listeners.ts.
// Everything that can come from a listener is compared, so that its absence reaches the Certificate too; what others add is left to them.

import { isDeepStrictEqual } from 'node:util';
import type { Certificate, CertificateSpec } from '../api/certmanager.ts';
import type { ObjectMeta, OwnerReference } from '../api/meta.ts';
import { annotations } from '../api/names.ts';
import { apiVersion, certificates } from '../api/resources.ts';
import type { WantedCertificate } from '../resolve/world.ts';

export type OwnedAnnotations = readonly string[];

type Texts = Readonly<Record<string, string>>;

/** Fields that decide for whom and how is signed are ours even where no listener can set them; keystores, formats and windows are not. */
const ownedFields: ReadonlySet<string> = new Set([
  'secretName',
  'issuerRef',
  'commonName',
  'literalSubject',
  'subject',
  'dnsNames',
  'ipAddresses',
  'uris',
  'emailAddresses',
  'otherNames',
  'duration',
  'renewBefore',
  'renewBeforePercentage',
  'usages',
  'isCA',
  'nameConstraints',
  'privateKey',
  'signatureAlgorithm',
  'secretTemplate',
  'revisionHistoryLimit',
]);

export function newCertificate(wanted: WantedCertificate): Certificate {
  return {
    apiVersion: apiVersion(certificates),
    kind: certificates.kind,
    metadata: {
      name: wanted.name,
      namespace: wanted.namespace,
      labels: wanted.labels,
      annotations: wanted.annotations,
      ownerReferences: [controllerRef(wanted)],
    },
    spec: wanted.spec,
  };
}

/** `live` as it is to be written; its status and what is not ours stay. */
export function changedCertificate(live: Certificate, wanted: WantedCertificate, owned: OwnedAnnotations): Certificate {
  const { metadata } = live;
  const others = (metadata.ownerReferences ?? []).filter(
    (ref) => ref.controller !== true && ref.uid !== wanted.owner.uid,
  );
  return {
    ...live,
    metadata: {
      ...metadata,
      labels: wanted.labels,
      annotations: { ...without(metadata.annotations, owned), ...wanted.annotations },
      ownerReferences: [...others, controllerRef(wanted)],
    },
    spec: { ...foreignFields(live.spec), ...wanted.spec },
  };
}

/** The names of what differs, for the event; none means that nothing need be written. */
export function differences(live: Certificate, changed: Certificate): readonly string[] {
  const same = {
    labels: isDeepStrictEqual(live.metadata.labels ?? {}, changed.metadata.labels ?? {}),
    annotations: isDeepStrictEqual(live.metadata.annotations ?? {}, changed.metadata.annotations ?? {}),
    owner: sameOwners(live.metadata, changed.metadata),
  };
  const others = Object.entries(same).flatMap(([name, equal]) => (equal ? [] : [name]));
  return isDeepStrictEqual(live.spec, changed.spec) ? others : [...changedFields(live.spec, changed.spec), ...others];
}

function changedFields(before: CertificateSpec, after: CertificateSpec): readonly string[] {
  const [old, young] = [
    new Map<string, unknown>(Object.entries(before)),
    new Map<string, unknown>(Object.entries(after)),
  ];
  const fields = [...new Set([...old.keys(), ...young.keys()])];
  return fields.filter((field) => !isDeepStrictEqual(old.get(field), young.get(field)));
}

/** With the reason for its suspension, or, without a reason, free to be renewed; undefined where it already says so. */
export function suspendedCertificate(live: Certificate, reason: string | undefined): Certificate | undefined {
  const standing = live.metadata.annotations?.[annotations.suspended];
  if (standing === reason) return undefined;
  const others = without(live.metadata.annotations, [annotations.suspended]);
  const noted = reason === undefined ? others : { ...others, [annotations.suspended]: reason };
  return { ...live, metadata: { ...live.metadata, annotations: noted } };
}

function controllerRef({ owner }: WantedCertificate): OwnerReference {
  const { apiVersion: version, kind, name, uid } = owner;
  return { apiVersion: version, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function without(texts: Texts | undefined, gone: readonly string[]): Texts {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => !gone.includes(key)));
}

function foreignFields(spec: CertificateSpec): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !ownedFields.has(field)));
}

/** In any order: garbage collection does not care. */
function sameOwners(a: ObjectMeta, b: ObjectMeta): boolean {
  const sorted = (of: ObjectMeta) => [...(of.ownerReferences ?? [])].sort((x, y) => (x.uid < y.uid ? -1 : 1));
  return isDeepStrictEqual(sorted(a), sorted(b));
}
