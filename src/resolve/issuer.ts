// Reads the issuer that an object names, as one unit: name, kind and group stand and fall together. Called by gateway.ts and object.ts.
// Precedence: an entry for the listener, else the object's own annotation, else the Gateway's.

import type { IssuerRef } from '../api/certmanager.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import { isObjectName } from './object-name.ts';
import type { Source } from './source.ts';
import { badValue, quoted } from './words.ts';
import type { ResolveOptions, Subject } from './world.ts';

export type IssuerRead =
  | { readonly kind: 'none' }
  | { readonly kind: 'named'; readonly ref: Required<IssuerRef>; readonly from: Subject }
  /** The sentences say what is wrong with the annotations. */
  | { readonly kind: 'unusable'; readonly problems: readonly string[]; readonly from: Subject };

const kindName = /^[A-Za-z][A-Za-z0-9]{0,62}$/;

/** Within cert-manager's own group there are two kinds; another group's controller knows its own. */
export function isIssuerKind(kind: string, group: string): boolean {
  return group === certManagerGroup ? kind === 'Issuer' || kind === 'ClusterIssuer' : kindName.test(kind);
}

export function defaultGroup(options: ResolveOptions): string {
  return options.defaultIssuerGroup === '' ? certManagerGroup : options.defaultIssuerGroup;
}

/** What `cert-manager.io/issuer` or `cluster-issuer`, with `issuer-kind` and `issuer-group`, say on this object alone. */
export function readIssuer(source: Source, options: ResolveOptions): IssuerRead {
  const named = source.annotations[annotations.issuer];
  const clusterNamed = source.annotations[annotations.clusterIssuer];
  if (named === undefined && clusterNamed === undefined) return { kind: 'none' };
  const key = clusterNamed === undefined ? annotations.issuer : annotations.clusterIssuer;
  const name = (clusterNamed ?? named ?? '').trim();
  const plain = clusterNamed === undefined ? 'Issuer' : 'ClusterIssuer';
  const kind = source.annotations[annotations.issuerKind]?.trim() || plain;
  const group = source.annotations[annotations.issuerGroup]?.trim() || defaultGroup(options);
  const problems = exclusions(source);
  if (!isObjectName(name)) problems.push(badValue(key, name, 'the name of an issuer'));
  if (problems.length === 0 && !isObjectName(group)) {
    problems.push(badValue(annotations.issuerGroup, group, 'the API group of an issuer, such as cert-manager.io'));
  } else if (problems.length === 0 && !isIssuerKind(kind, group)) {
    const accepts = `Issuer or ClusterIssuer, or with ${annotations.issuerGroup} the kind of an external issuer`;
    problems.push(badValue(annotations.issuerKind, kind, accepts));
  }
  if (problems.length > 0) return { kind: 'unusable', problems, from: source.subject };
  return { kind: 'named', ref: { name, kind, group }, from: source.subject };
}

function exclusions(source: Source): string[] {
  const { clusterIssuer } = annotations;
  if (source.annotations[clusterIssuer] === undefined) return [];
  return [annotations.issuer, annotations.issuerKind, annotations.issuerGroup].flatMap((other) => {
    const value = source.annotations[other];
    if (value === undefined) return [];
    const both = `${clusterIssuer} ${quoted(source.annotations[clusterIssuer] ?? '')} and ${other} ${quoted(value)}`;
    return [`Annotations ${both} exclude each other; accepted is one of them.`];
  });
}
