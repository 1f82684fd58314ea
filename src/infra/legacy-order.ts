// In which order an install is taken apart, and what of it is kept because ours takes its place under the same name. Called by legacy-plan.ts.
// Never in it: the Namespace, CRDs, and whatever legacy-install.ts did not recognise.

import { infraUidLabel } from '../api/gateway-infra.ts';
import { labels } from '../api/names.ts';
import * as resources from '../api/resources.ts';
import { configName, controllerSelector, gatewayName } from './eg-names.ts';
import type { Install } from './legacy-install.ts';
import { cleanerBinding, isKind, type LegacyObject, releaseLabel } from './legacy-kinds.ts';

/**
 * Secrets before the bindings, so that a right is there as long as it is needed; a role before its binding, so that after a kill the binding still
 * tells whose both are. Kinds that are not named go in between.
 */
const ranks: readonly string[] = [
  'MutatingWebhookConfiguration',
  'Secret',
  'Lease',
  'Job',
  'PodDisruptionBudget',
  'Deployment',
  'DaemonSet',
  'ConfigMap',
  'Service',
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
];

/** What ends the controller: first what would scale it up again or count it. */
export function stopping({ controllers, running, guards }: Install): readonly LegacyObject[] {
  // A ReplicaSet whose Deployment was deleted without it goes on making Pods.
  const orphans = controllers.length > 0 ? [] : running.filter((each) => isKind(each, resources.replicaSets));
  return [...guards, ...controllers, ...orphans].filter(
    ({ object }) => object.metadata.deletionTimestamp === undefined,
  );
}

/**
 * What is left of it once the controller is gone, in order. In our own namespace certgen's Secrets are not among it: they hold the CA that running
 * proxies trust; nor is the rate limit service, which our controller goes on with.
 */
export function leftovers(install: Install, systemNamespace: string): readonly LegacyObject[] {
  const { namespace, guards, parts, byName, rateLimit } = install;
  const own = namespace === systemNamespace;
  const rest = [...guards, ...parts.filter((each) => !own || !isTakenOver(each)), ...byName, ...(own ? [] : rateLimit)];
  return rest.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** ServiceAccount, Service and ConfigMap of the controller in our own namespace: they go on under their names, with their uid and address. */
export function takenOver(install: Install, systemNamespace: string): readonly LegacyObject[] {
  return install.namespace === systemNamespace ? install.parts.filter(isTakenOver) : [];
}

/**
 * The object as its new owner applies over it: without the marks and managed fields of Helm, which would keep alive what we do not ask for, and, for
 * the Service, with a selector that holds no name of a release.
 */
export function handedOver({ of, object }: LegacyObject): LegacyObject {
  const { labels: own = {}, annotations = {}, ...metadata } = object.metadata;
  const isMark = (name: string) => marks.has(name) || /^(meta\.)?helm\.sh\//.test(name);
  const kept = (from: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(from).filter(([name]) => !isMark(name)));
  const spec = typeof object.spec === 'object' ? { ...object.spec, selector: controllerSelector } : object.spec;
  return {
    of,
    object: {
      ...object,
      ...(isKind({ of, object }, resources.services) && { spec }),
      // One empty entry is how the API server is asked to forget all owners of fields.
      metadata: { ...metadata, labels: kept(own), annotations: kept(annotations), managedFields: [{}] },
    },
  };
}

const marks = new Set([labels.managedBy, labels.name, releaseLabel, 'app.kubernetes.io/version', infraUidLabel]);

function isTakenOver(each: LegacyObject): boolean {
  const { name } = each.object.metadata;
  return isKind(each, resources.renderedConfigMaps)
    ? name === configName
    : name === gatewayName && (isKind(each, resources.services) || isKind(each, resources.serviceAccounts));
}

function rankOf({ of, object }: LegacyObject): number {
  // Our own right to do all this: the very last.
  if (object.metadata.name === cleanerBinding) return ranks.length;
  const rank = ranks.indexOf(of.kind);
  return rank < 0 ? ranks.indexOf('ConfigMap') : rank;
}
