// Decides whose a CustomResourceDefinition is, from its labels and annotations and from what stands of the Operator Lifecycle Manager. One
// owner each, who can be named; asked by crd-sight.ts for each CRD. Somebody's mark is never taken for somebody's absence: where it cannot be
// known whether a package manager still lives, it does.
//
//   a Subscription or InstallPlan of the CRD's operator stands   PackageManager, whatever else it says
//   app.kubernetes.io/managed-by=certway-infra                   Certway: written by us, or by a person who hands it over
//   annotations of a Helm release                                PackageManager; whether the release stands is not ours to read
//   Argo CD, Flux, a platform's add-on manager, managed-by       Other
//   labels of an operator that is gone                           Abandoned
//   nothing                                                      Unknown, with the field manager that wrote the schema, where one did

import { infraManagedBy } from '../api/gateway-infra.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { labels } from '../api/names.ts';

export type Ownership =
  | { readonly kind: 'Certway' }
  | { readonly kind: 'PackageManager' | 'Abandoned' | 'Other'; readonly name: string }
  | { readonly kind: 'Unknown'; readonly name?: string };

/** What stands of the Operator Lifecycle Manager. `unknown`: not read yet, or not allowed to be read. */
export type Packages =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'known';
      /** "namespace/name" of each Subscription. */
      readonly subscriptions: ReadonlySet<string>;
      /** "namespace label" of each Subscription and InstallPlan with a label of the form below. */
      readonly components: ReadonlySet<string>;
    };

/** Followed by "<operator>.<namespace>", on everything that the Operator Lifecycle Manager installs and on what it installs from. */
export const componentPrefix = 'operators.coreos.com/';
const olmManaged = 'olm.managed';
const helmRelease = 'meta.helm.sh/release-name';
const helmNamespace = 'meta.helm.sh/release-namespace';

// Who marks what it keeps, and where it says which of its objects does: label or annotation, and the name for people.
const marks: readonly { readonly key: string; readonly who: string }[] = [
  { key: 'argocd.argoproj.io/tracking-id', who: 'Argo CD' },
  { key: 'argocd.argoproj.io/instance', who: 'Argo CD' },
  { key: 'kustomize.toolkit.fluxcd.io/name', who: 'Flux Kustomization' },
  { key: 'helm.toolkit.fluxcd.io/name', who: 'Flux HelmRelease' },
  { key: 'ingress.operator.openshift.io/owned', who: "OpenShift's ingress operator" },
  { key: 'addonmanager.kubernetes.io/mode', who: "the cluster's add-on manager" },
];

export function ownershipOf(metadata: ObjectMeta, packages: Packages): Ownership {
  const written = { ...metadata.annotations, ...metadata.labels };
  const operators = Object.keys(metadata.labels ?? {}).flatMap(operatorOf);
  const alive = operators.find((operator) => stands(operator, packages));
  const isOlms = operators.length > 0 || written[olmManaged] === 'true';
  if (alive !== undefined) return { kind: 'PackageManager', name: nameOf(alive) };
  // Labelled so, but by which operator nobody can say: only a cluster without any Subscription has lost it for sure.
  if (isOlms && operators.length === 0 && !(packages.kind === 'known' && packages.subscriptions.size === 0)) {
    return { kind: 'PackageManager', name: 'the Operator Lifecycle Manager' };
  }
  if (written[labels.managedBy] === infraManagedBy) return { kind: 'Certway' };
  const release = written[helmRelease];
  if (release !== undefined) {
    return { kind: 'PackageManager', name: `Helm release ${written[helmNamespace] ?? 'default'}/${release}` };
  }
  const mark = marks.find(({ key }) => written[key] !== undefined);
  if (mark !== undefined) return { kind: 'Other', name: `${mark.who} (${mark.key}: ${written[mark.key]})` };
  const manager = written[labels.managedBy];
  if (manager !== undefined && manager !== '') return { kind: 'Other', name: manager };
  if (isOlms) {
    const [gone] = operators;
    return { kind: 'Abandoned', name: gone === undefined ? 'the Operator Lifecycle Manager' : nameOf(gone) };
  }
  const writer = writerOf(metadata);
  return writer === undefined ? { kind: 'Unknown' } : { kind: 'Unknown', name: `field manager ${writer}` };
}

/** Whether anybody but us has left a mark: what such a CRD holds may be another's work even where the label says ours. */
export function hasForeignMark({ labels: own, annotations }: ObjectMeta): boolean {
  const keys = Object.keys({ ...annotations, ...own });
  return keys.some(
    (key) =>
      key.startsWith(componentPrefix) || key === olmManaged || key === helmRelease || marks.some((m) => m.key === key),
  );
}

interface Operator {
  readonly label: string;
  readonly name: string;
  readonly namespace: string;
}

/** Names of operators have dots, those of namespaces have none. */
function operatorOf(label: string): readonly Operator[] {
  if (!label.startsWith(componentPrefix)) return [];
  const rest = label.slice(componentPrefix.length);
  const dot = rest.lastIndexOf('.');
  if (dot <= 0 || dot === rest.length - 1) return [];
  return [{ label, name: rest.slice(0, dot), namespace: rest.slice(dot + 1) }];
}

function stands({ label, name, namespace }: Operator, packages: Packages): boolean {
  if (packages.kind === 'unknown') return true;
  return packages.subscriptions.has(`${namespace}/${name}`) || packages.components.has(`${namespace} ${label}`);
}

function nameOf({ name, namespace }: Operator): string {
  return `Subscription ${namespace}/${name}`;
}

/** Who last wrote spec.versions, which has one writer at a time. */
function writerOf({ managedFields = [] }: ObjectMeta): string | undefined {
  const writers = managedFields.filter(({ subresource, fieldsV1 }) => {
    const spec = field(fieldsV1, 'f:spec');
    return subresource === undefined && field(spec, 'f:versions') !== undefined;
  });
  return writers.at(-1)?.manager;
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
