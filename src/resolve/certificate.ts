// Builds the Certificate that listeners of one object ask for together: its spec and what it takes over from the object. Called by object.ts.

import type { CertificateSpec, IssuerRef, PrivateKeySpec } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import { ipBytes } from '../pki/ip.ts';
import { formatGoDuration } from '../pki/renewal.ts';
import { applySetLabel, keys } from './annotation-keys.ts';
import type { Shape } from './shape.ts';
import type { Source } from './source.ts';

/** Annotations of a Certificate that come from its listener's object, or from nowhere. */
export const derivedAnnotations: readonly string[] = [
  annotations.parentRefKind,
  annotations.parentRefName,
  annotations.parentRefNamespace,
  annotations.gateway,
  annotations.suspended,
  annotations.issueTemporary,
  keys.overrideIngressName,
  keys.overrideIngressClass,
  keys.overrideIngressClassName,
];

const defaultUsages = ['digital signature', 'key encipherment'] as const;

export interface Names {
  readonly secret: string;
  readonly hostnames: readonly string[];
}

export function specOf({ secret, hostnames }: Names, issuerRef: IssuerRef, shape: Shape): CertificateSpec {
  const names = [...new Set([...hostnames, ...(shape.altNames ?? [])])];
  const addresses = names.filter((name) => ipBytes(name) !== undefined);
  const dnsNames = addresses.length === 0 ? names : names.filter((name) => !addresses.includes(name));
  const ipAddresses = [...new Set([...addresses, ...(shape.ipSans ?? [])])];
  const { commonName, emailSans = [], uriSans = [], subject, privateKey, secretTemplate } = shape;
  return {
    secretName: secret,
    issuerRef,
    ...(commonName !== undefined && { commonName }),
    ...(dnsNames.length > 0 && { dnsNames }),
    ...(ipAddresses.length > 0 && { ipAddresses }),
    ...(emailSans.length > 0 && { emailAddresses: emailSans }),
    ...(uriSans.length > 0 && { uris: uriSans }),
    ...(subject !== undefined && { subject }),
    ...(shape.duration !== undefined && { duration: formatGoDuration(shape.duration) }),
    ...(shape.renewBefore !== undefined && { renewBefore: formatGoDuration(shape.renewBefore) }),
    ...(shape.renewBeforePercentage !== undefined && { renewBeforePercentage: shape.renewBeforePercentage }),
    usages: shape.usages ?? defaultUsages,
    ...(privateKey !== undefined && { privateKey: withoutUselessSize(privateKey) }),
    ...(secretTemplate !== undefined && { secretTemplate }),
    ...(shape.revisionHistoryLimit !== undefined && { revisionHistoryLimit: shape.revisionHistoryLimit }),
  };
}

function withoutUselessSize(key: PrivateKeySpec): PrivateKeySpec {
  if (key.algorithm !== 'Ed25519') return key;
  const { size: _, ...rest } = key;
  return rest;
}

/** All of the object's labels, so that an issuer's solvers can select by them. */
export function labelsOf(source: Source): Readonly<Record<string, string>> {
  if (!(applySetLabel in source.labels)) return source.labels;
  const { [applySetLabel]: _, ...rest } = source.labels;
  return rest;
}

export function annotationsOf(
  source: Source,
  shape: Shape,
  extra: readonly string[],
): Readonly<Record<string, string>> {
  const copied = extra.flatMap((key) => {
    const value = source.annotations[key];
    return value === undefined ? [] : [[key, value]];
  });
  const temporary = shape.temporary ?? shape.editInPlace;
  return {
    ...Object.fromEntries(copied),
    ...challengeParent(source, shape),
    ...(temporary !== undefined && { [annotations.issueTemporary]: 'true' }),
    ...(shape.editInPlace !== undefined && { [keys.overrideIngressName]: source.name }),
    ...(shape.ingressClass !== undefined && { [keys.overrideIngressClass]: shape.ingressClass }),
    ...(shape.ingressClassName !== undefined && { [keys.overrideIngressClassName]: shape.ingressClassName }),
  };
}

/** Through which object HTTP-01 is answered: the one that has the listener, or its Gateway where the fallback is asked for. */
function challengeParent({ subject, name, parent }: Source, shape: Shape): Readonly<Record<string, string>> {
  const own = {
    [annotations.parentRefKind]: subject.kind,
    [annotations.parentRefName]: name,
    ...(parent !== undefined && { [annotations.gateway]: `${parent.namespace}/${parent.name}` }),
  };
  if (parent === undefined || shape.parentFallback === undefined) return own;
  return {
    [annotations.parentRefKind]: 'Gateway',
    [annotations.parentRefName]: parent.name,
    [annotations.parentRefNamespace]: parent.namespace,
  };
}
