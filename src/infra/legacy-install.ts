// Sorts what was seen of one namespace into an install of Envoy Gateway by its chart: the controller, its proxies, its rights, its Secrets. What
// fits none of these is the user's, and no function after this one can see it. Called by legacy-plan.ts.

import * as resources from '../api/resources.ts';
import { certificateSecrets, configKey, configName, gatewayName, hmacSecret } from './eg-names.ts';
import { type LegacyConfig, readLegacyConfig } from './legacy-config.ts';
import { fieldAt, listAt, textAt } from './legacy-fields.ts';
import { keeperOf } from './legacy-keeper.ts';
import {
  chartName,
  cleanerBinding,
  componentOf,
  isKind,
  isOfChart,
  type LegacyObject,
  releaseLabel,
} from './legacy-kinds.ts';
import { isOwnedByGateway, type LegacyProxy, proxiesOf } from './legacy-proxies.ts';

/** What was read of one namespace, and of the cluster around it. */
export interface LegacySight {
  readonly namespace: string;
  /** Everything there of the kinds that are looked at; `denied`: we may not look. */
  readonly inside: readonly LegacyObject[] | 'denied';
  /** By the chart's label, in every namespace and in none. */
  readonly everywhere: readonly LegacyObject[];
  /**
   * Known by name and read without content. In our own namespace: Helm's records about this chart alone. In another: certgen's Secrets, the Lease, and
   * the binding by which we may clean there.
   */
  readonly byName: readonly LegacyObject[];
}

export interface Install {
  readonly namespace: string;
  readonly readable: 'whole' | 'denied';
  /** Of Helm. */
  readonly release?: string;
  readonly version?: string;
  readonly config?: LegacyConfig;
  /** Deployments of the controller. */
  readonly controllers: readonly LegacyObject[];
  /** Pods of the controller, and ReplicaSets that could make more of them. */
  readonly running: readonly LegacyObject[];
  /** What would scale or hold the controller, or names no owner but it. */
  readonly guards: readonly LegacyObject[];
  /** The chart's other objects in the namespace, and its rights wherever they stand. */
  readonly parts: readonly LegacyObject[];
  readonly byName: readonly LegacyObject[];
  readonly proxies: readonly LegacyProxy[];
  readonly rateLimit: readonly LegacyObject[];
  /** Who would put back what is removed: "the Flux HelmRelease platform/eg". */
  readonly keeper?: string;
}

/** Undefined where nothing of one is left. */
export function findInstall(sight: LegacySight): Install | undefined {
  const { namespace } = sight;
  const inside = sight.inside === 'denied' ? [] : sight.inside;
  const chart = inside.filter(({ object }) => isOfChart(object));
  const kinds = (...of: readonly { readonly kind: string }[]) =>
    chart.filter((each) => of.some((kind) => isKind(each, kind)));
  const controllers = kinds(resources.deployments);
  const running = kinds(resources.pods, resources.replicaSets).filter((each) => !isOver(each));
  const others = kinds(resources.services, resources.renderedConfigMaps, resources.serviceAccounts, resources.jobs);
  const parts = [...others, ...sight.everywhere.filter((each) => reaches(each, namespace, sight.everywhere))];
  const guards = inside.filter((each) => isGuard(each, controllers));
  const made = inside.filter((each) => !isOwnedByGateway(each) && !isMadeByController(each));
  const proxies = proxiesOf(made.filter(({ object }) => componentOf(object) === 'proxy'));
  const rateLimit = made.filter(({ object }) => componentOf(object) === 'ratelimit');
  const [first] = [...controllers, ...parts];
  const own = labelled(first);
  const byName = sight.byName.filter((each) => recordOf(each) === undefined || recordOf(each) === own.release);
  const rest = byName.filter((each) => recordOf(each) === undefined);
  if ([controllers, running, parts, guards, proxies, rest].every(({ length }) => length === 0)) return undefined;
  const keeper = keeperOf([...controllers, ...others]);
  const config = readLegacyConfig(configText(chart));
  return {
    namespace,
    readable: sight.inside === 'denied' ? 'denied' : 'whole',
    ...own,
    ...(config !== undefined && { config }),
    controllers,
    running,
    guards,
    parts,
    byName,
    proxies,
    rateLimit,
    ...(keeper !== undefined && { keeper }),
  };
}

/** Whether anything of its controller may still act: until not, nothing of it is swept, and ours does not start in its place. */
export function isRunning({ controllers, running }: Pick<Install, 'controllers' | 'running'>): boolean {
  return controllers.length + running.length > 0;
}

/** The release that a record of Helm's is about. */
function recordOf(each: LegacyObject): string | undefined {
  const { labels = {} } = each.object.metadata;
  return isKind(each, resources.secrets) && labels.owner === 'helm' ? labels.name : undefined;
}

/** Names of the Secrets that Envoy Gateway's certgen makes. */
export const certgenSecrets: readonly string[] = [...certificateSecrets, hmacSecret];

function labelled(one: LegacyObject | undefined): Pick<Install, 'release' | 'version'> {
  const own = one?.object.metadata.labels ?? {};
  const [release, version] = [own[releaseLabel], own['app.kubernetes.io/version']];
  return { ...(release !== undefined && { release }), ...(version !== undefined && { version }) };
}

/** A Pod that has ended: evicted, for one. */
function isOver({ object }: LegacyObject): boolean {
  return ['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase') ?? '');
}

function configText(chart: readonly LegacyObject[]): string | undefined {
  const config = chart.find(
    (each) => isKind(each, resources.renderedConfigMaps) && each.object.metadata.name === configName,
  );
  return textAt(config?.object, 'data', configKey);
}

/** Pods and ReplicaSets of proxies go with their workload. */
function isMadeByController(each: LegacyObject): boolean {
  return isKind(each, resources.pods) || isKind(each, resources.replicaSets);
}

/** The chart labels neither: they are known by what they hold. */
function isGuard(each: LegacyObject, controllers: readonly LegacyObject[]): boolean {
  if (isKind(each, resources.podDisruptionBudgets)) {
    return textAt(each.object, 'spec', 'selector', 'matchLabels', 'app.kubernetes.io/name') === chartName;
  }
  if (!isKind(each, resources.autoscalers) || each.object.metadata.name !== gatewayName) return false;
  return controllers.some(
    ({ object }) => object.metadata.name === textAt(each.object, 'spec', 'scaleTargetRef', 'name'),
  );
}

/** Rights that are given to somebody in the namespace, the roles of such rights, and the webhook that is answered there. */
function reaches(each: LegacyObject, namespace: string, everywhere: readonly LegacyObject[]): boolean {
  if (!isOfChart(each.object)) return false;
  if (isKind(each, resources.mutatingWebhookConfigurations)) {
    return listAt(each.object, 'webhooks').some(
      (hook) => textAt(hook, 'clientConfig', 'service', 'namespace') === namespace,
    );
  }
  if (isBinding(each)) return givesTo(each, namespace);
  return everywhere.some(
    (binding) =>
      isBinding(binding) && isOfChart(binding.object) && givesTo(binding, namespace) && isRoleOf(each, binding),
  );
}

function isBinding(each: LegacyObject): boolean {
  return isKind(each, resources.wholeRoleBindings) || isKind(each, resources.clusterRoleBindings);
}

function givesTo({ object }: LegacyObject, namespace: string): boolean {
  return (
    object.metadata.name !== cleanerBinding &&
    listAt(object, 'subjects').some((subject) => textAt(subject, 'namespace') === namespace)
  );
}

function isRoleOf({ of, object }: LegacyObject, binding: LegacyObject): boolean {
  const ref = fieldAt(binding.object, 'roleRef');
  return (
    textAt(ref, 'kind') === of.kind &&
    textAt(ref, 'name') === object.metadata.name &&
    (!of.namespaced || object.metadata.namespace === binding.object.metadata.namespace)
  );
}
