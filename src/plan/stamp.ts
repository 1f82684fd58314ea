// A tenant's own ACME account: an Issuer stamped from a ClusterIssuer into the tenant's namespace, whose key stands in the cluster resource namespace.
// Called by stamp-step.ts, stamp-refs.ts, judge.ts, secret-drift.ts and apply/.
// Everything follows from the template and the namespace. An Issuer of such a name is what its template says, whatever its spec or labels claim: tenants
// may write both, and the most that a forged one can come to is the one that would have been stamped.

import { isDeepStrictEqual } from 'node:util';
import type { Issuer, IssuerRef, IssuerSpec } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import type { OwnerReference } from '../api/meta.ts';
import { annotations, certManagerGroup, labels } from '../api/names.ts';
import { apiVersion, clusterIssuers, issuers } from '../api/resources.ts';

/** Whether a namespace is to have an account of its own with the template: by the template's annotation, or by what else may ask for it. */
export type StampTrigger = (template: Issuer, namespace: string) => boolean;

const suffix = '.tenant-account';
/** What is left for the template in the name of a Secret: 253, less the suffix, a dot and the longest name of a namespace. */
const longestTemplate = 253 - suffix.length - 1 - 63;
const longestLabel = 63;

/** The annotation `certway.dev/account-per-tenant: "true"` on a ClusterIssuer that can be a template. */
export const byAnnotation: StampTrigger = (template) =>
  template.metadata.annotations?.[annotations.accountPerTenant] === 'true' && templateTrouble(template) === undefined;

/** Why the annotation on a ClusterIssuer comes to nothing, as a sentence; undefined where it does not, or is not there. */
export function templateTrouble({ metadata, spec }: Issuer): string | undefined {
  const value = metadata.annotations?.[annotations.accountPerTenant];
  if (value === undefined || value === 'false') return undefined;
  if (value !== 'true')
    return `Annotation ${annotations.accountPerTenant} is "${value}"; accepted is "true" or "false".`;
  if (spec.acme === undefined) {
    return `Annotation ${annotations.accountPerTenant} is for ACME issuers: this one has no account; remove it.`;
  }
  if (metadata.name.length <= longestTemplate) return undefined;
  return `With ${annotations.accountPerTenant} the name of a ClusterIssuer has at most ${longestTemplate} characters; make one with a shorter name.`;
}

/** The name of the stamped Issuer in each namespace. */
export function stampedName(template: string): string {
  return `${template}${suffix}`;
}

/** The ClusterIssuer that an Issuer of that name is stamped from; undefined for an Issuer of any other name. */
export function templateOf(issuer: string): string | undefined {
  return issuer.length > suffix.length && issuer.endsWith(suffix) ? issuer.slice(0, -suffix.length) : undefined;
}

/** The ClusterIssuer behind a reference to it or to what is stamped from it; undefined where neither is named. */
export function templateBehind(ref: IssuerRef): string | undefined {
  const { kind, name, group } = fullRef(ref);
  if (group !== certManagerGroup) return undefined;
  if (kind === 'ClusterIssuer') return name;
  return kind === 'Issuer' ? templateOf(name) : undefined;
}

/** Whether one names a ClusterIssuer and the other what is stamped from it: the same CA by another account, so nothing need be issued again. */
export function isTwin(a: IssuerRef, b: IssuerRef): boolean {
  const template = templateBehind(a);
  return template !== undefined && template === templateBehind(b) && fullRef(a).kind !== fullRef(b).kind;
}

/** The Secret of a tenant's account key, in the cluster resource namespace. A namespace's name has no dot, so no two share one. */
export function accountSecretName(template: string, namespace: string): string {
  return `${stampedName(template)}.${namespace}`;
}

/** Whose account key a Secret of that name holds. */
export function ownerOfSecret(name: string): { readonly template: string; readonly namespace: string } | undefined {
  const dot = name.lastIndexOf('.');
  const template = templateOf(name.slice(0, dot));
  return dot < 0 || template === undefined ? undefined : { template, namespace: name.slice(dot + 1) };
}

/** What marks as ours; a label holds 63 characters. */
export function stampLabels(template: string): Readonly<Record<string, string>> {
  const cut = template.slice(0, longestLabel).replace(/[^a-z0-9]+$/, '');
  return { [labels.managedBy]: 'certway', [labels.stampedFrom]: cut };
}

/** The Issuer as it is made in the namespace. */
export function stampedIssuer(template: Issuer, namespace: string): Issuer {
  const { name } = template.metadata;
  return {
    apiVersion: apiVersion(issuers),
    kind: issuers.kind,
    metadata: {
      name: stampedName(name),
      namespace,
      labels: stampLabels(name),
      ownerReferences: [ownerRef(template)],
    },
    spec: stampedSpec(template, namespace),
  };
}

/** The template's spec with a key of the namespace's own; its other Secrets are the template's, and stand where the template's stand. */
export function stampedSpec({ metadata, spec }: Issuer, namespace: string): IssuerSpec {
  if (spec.acme === undefined) return {};
  const privateKeySecretRef = { name: accountSecretName(metadata.name, namespace) };
  return { acme: { ...spec.acme, privateKeySecretRef } };
}

/** `live` as it is to be written so that it follows its template again; undefined where it does. What it notes of its account stays. */
export function backInStep(live: Issuer, wanted: Issuer): Issuer | undefined {
  const { metadata } = live;
  const marks = { ...metadata.labels, ...wanted.metadata.labels };
  const { ownerReferences: owners = [] } = wanted.metadata;
  const isSame =
    isDeepStrictEqual(live.spec, wanted.spec) &&
    isDeepStrictEqual(metadata.labels, marks) &&
    isDeepStrictEqual(metadata.ownerReferences, owners);
  return isSame
    ? undefined
    : { ...live, metadata: { ...metadata, labels: marks, ownerReferences: owners }, spec: wanted.spec };
}

/** The garbage collector takes what is stamped with its template: a namespaced object may have a cluster-scoped owner. */
function ownerRef({ metadata: { name, uid = '' } }: Issuer): OwnerReference {
  return { apiVersion: apiVersion(clusterIssuers), kind: clusterIssuers.kind, name, uid, controller: true };
}
