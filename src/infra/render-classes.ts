// Which GatewayClasses and EnvoyProxies stand for the classes of a GatewayInfra: made, only recognised, taken away, or refused. Called by
// provision/ with every class, Gateway and EnvoyProxy that it knows.

import type { Gateway, GatewayClass } from '../api/gateway.ts';
import { type GatewayInfra, type InfraClass, infraManagedBy, infraUidLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { envoyProxies, gatewayClasses, type Resource } from '../api/resources.ts';
import { proxySpec } from './classes-proxy.ts';
import { type Release, releaseOf } from './eg-release.ts';
import { asMapping, type Mapping, valueAt } from './json.ts';
import type { InfraRefusal } from './refusal.ts';
import { rendered } from './render-object.ts';
import type { Wanted } from './wanted.ts';

type ProxyObject = KubeObject & Mapping;

export interface ClassInput {
  readonly infra: GatewayInfra;
  /** Of the GatewayInfra. */
  readonly uid: string;
  /** Every one, whoever made it. */
  readonly classes: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  /** By "namespace/name": every EnvoyProxy that is known. */
  readonly proxyBases: ReadonlyMap<string, ProxyObject>;
}

export interface Removal {
  readonly of: Resource<KubeObject>;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface ClassPlan {
  /** An EnvoyProxy stands before the class that names it. */
  readonly wanted: readonly Wanted[];
  /** In this order; each with the UID that was seen. All others of our labels stay, also those that are not wanted. */
  readonly remove: readonly Removal[];
  readonly refusals: readonly InfraRefusal[];
}

/** Absent: written back as this one. */
export const defaultClasses: readonly InfraClass[] = [{ name: 'certway' }];

export function planClasses(input: ClassInput): ClassPlan {
  const release = releaseOf(input.infra.spec.version);
  if (!release.ok) return { wanted: [], remove: [], refusals: [release.problem] };
  const wished = input.infra.spec.classes ?? defaultClasses;
  const each = wished.map((one) =>
    (one.manage ?? 'Create') === 'Create' ? createClass(input, release.value, one) : adoptClass(input, one),
  );
  const dropped = dropClasses(input, new Set(wished.map(({ name }) => name)));
  return {
    wanted: each.flatMap(({ wanted }) => wanted),
    remove: dropped.remove,
    refusals: [...each.flatMap(({ refusals }) => refusals), ...dropped.refusals],
  };
}

type Part = Omit<ClassPlan, 'remove'>;

function createClass(input: ClassInput, release: Release, one: InfraClass): Part {
  const { infra, uid } = input;
  const namespace = infra.spec.systemNamespace;
  const foreign = foreignFault(input, one);
  if (foreign !== undefined) return refused(foreign);
  const ref = one.envoyProxyRef;
  const base = ref === undefined ? undefined : input.proxyBases.get(`${ref.namespace}/${ref.name}`);
  if (ref !== undefined && base === undefined) return refused(missingProxy(one, `${ref.namespace}/${ref.name}`));
  const spec = proxySpec(infra, release, one, asMapping(base?.spec) ?? {});
  if (!spec.ok) {
    const object = `EnvoyProxy ${ref?.namespace}/${ref?.name}`;
    const message = `${object}, which the class ${one.name} names, ${spec.problem.fault}. The class is left as it is.`;
    return refused({ step: 'Classes', object, reason: spec.problem.reason, message });
  }
  const parametersRef = { group: envoyProxies.group, kind: envoyProxies.kind, namespace, name: one.name };
  return {
    wanted: [
      rendered(envoyProxies, uid, { name: one.name, namespace }, { spec: spec.value }),
      rendered(
        gatewayClasses,
        uid,
        { name: one.name },
        { spec: { controllerName: infra.spec.controllerName, parametersRef } },
      ),
    ],
    refusals: [],
  };
}

/** Somebody else's object under a name that would be ours is never written to. */
function foreignFault({ infra, classes, proxyBases }: ClassInput, one: InfraClass): InfraRefusal | undefined {
  const { name } = one;
  const live = classes.find(({ metadata }) => metadata.name === name);
  if (live !== undefined && (!isOurs(live) || live.spec.controllerName !== infra.spec.controllerName)) {
    const message = `GatewayClass ${name} exists and was not made by Certway. Set manage: Adopt for it, or give the class another name.`;
    return { step: 'Classes', object: `GatewayClass ${name}`, reason: 'ClassOfOther', message };
  }
  const proxy = `${infra.spec.systemNamespace}/${name}`;
  const standing = proxyBases.get(proxy);
  if (standing === undefined || isOurs(standing)) return undefined;
  const message = `EnvoyProxy ${proxy} exists and was not made by Certway, which renders one of that name for the class ${name}. Rename it, and name it in envoyProxyRef if the class shall build on it.`;
  return { step: 'Classes', object: `EnvoyProxy ${proxy}`, reason: 'ProxyOfOther', message };
}

function missingProxy({ name }: InfraClass, proxy: string): InfraRefusal {
  const message = `EnvoyProxy ${proxy}, which the class ${name} names, does not exist. Create it, or remove envoyProxyRef from the class.`;
  return { step: 'Classes', object: `EnvoyProxy ${proxy}`, reason: 'ProxyMissing', message };
}

/** Nothing of it is written; it is only told whether Gateways of it can work. */
function adoptClass({ infra, classes, proxyBases }: ClassInput, { name }: InfraClass): Part {
  const object = `GatewayClass ${name}`;
  const live = classes.find(({ metadata }) => metadata.name === name);
  if (live === undefined) {
    const message = `GatewayClass ${name} is to be adopted and does not exist. Create it, or set manage: Create.`;
    return refused({ step: 'Classes', object, reason: 'ClassMissing', message });
  }
  const { controllerName } = infra.spec;
  if (live.spec.controllerName !== controllerName) {
    const message = `GatewayClass ${name} is to be adopted and belongs to another controller; its spec.controllerName must be ${controllerName}. Remove the class from spec.classes.`;
    return refused({ step: 'Classes', object, reason: 'ClassOfOther', message });
  }
  const proxy = `${valueAt({ ...live }, ['spec', 'parametersRef', 'namespace'])}/${valueAt({ ...live }, ['spec', 'parametersRef', 'name'])}`;
  if (valueAt({ ...proxyBases.get(proxy) }, ['spec', 'mergeGateways']) !== true) return { wanted: [], refusals: [] };
  const message = `EnvoyProxy ${proxy}, which the adopted class ${name} names, has mergeGateways: true, which Envoy Gateway refuses in Gateway Namespace Mode; set it to false.`;
  return refused({ step: 'Classes', object: `EnvoyProxy ${proxy}`, reason: 'MergeGatewaysRefused', message });
}

/** Of what is ours alone: a class that Gateways use stays, with its EnvoyProxy, until the last of them is gone (R12). */
function dropClasses(input: ClassInput, wished: ReadonlySet<string>): Omit<ClassPlan, 'wanted'> {
  const { uid, infra, classes, gateways, proxyBases } = input;
  const ours = (object: KubeObject) => isOurs(object) && object.metadata.labels?.[infraUidLabel] === uid;
  const dropped = classes.filter((live) => ours(live) && !wished.has(live.metadata.name));
  const users = Map.groupBy(gateways, ({ spec }) => spec.gatewayClassName);
  const used = dropped.filter(({ metadata }) => users.has(metadata.name));
  const kept = new Set([...wished, ...used.map(({ metadata }) => metadata.name)]);
  const proxies = [...proxyBases.values()].filter(
    (proxy) => ours(proxy) && proxy.metadata.namespace === infra.spec.systemNamespace && !kept.has(proxy.metadata.name),
  );
  return {
    remove: [
      ...dropped.filter(({ metadata }) => !kept.has(metadata.name)).map((live) => removal(gatewayClasses, live)),
      ...proxies.map((proxy) => removal(envoyProxies, proxy)),
    ],
    refusals: used.map(({ metadata }) => inUse(metadata.name, users.get(metadata.name) ?? [])),
  };
}

function inUse(name: string, gateways: readonly Gateway[]): InfraRefusal {
  const names = gateways.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  const message = `GatewayClass ${name} is no longer in spec.classes, but Gateways use it: ${names.slice(0, 3).join(', ')}${more}. It stays until they are gone or name another class.`;
  return { step: 'Classes', object: `GatewayClass ${name}`, reason: 'ClassInUse', message };
}

function removal(of: Resource<KubeObject>, { metadata }: KubeObject): Removal {
  const { name, namespace, uid = '' } = metadata;
  return { of, name, uid, ...(namespace === undefined ? {} : { namespace }) };
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.['app.kubernetes.io/managed-by'] === infraManagedBy;
}

function refused(refusal: InfraRefusal): Part {
  return { wanted: [], refusals: [refusal] };
}
