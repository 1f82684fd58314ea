// Classes, EnvoyProxies and Gateways as a cluster may have them, and the plan for them in few words. For the tests of classes.

import type { Gateway, GatewayClass } from '../../src/api/gateway.ts';
import type { GatewayInfraSpec, InfraClass } from '../../src/api/gateway-infra.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { planClasses } from '../../src/infra/render-classes.ts';
import { nameOf } from '../../src/infra/wanted.ts';
import { infraOf, uid } from './render-inputs.ts';

export const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';
export const ours = { 'app.kubernetes.io/managed-by': 'certway-infra', 'certway.dev/infra-uid': uid };

type Proxy = KubeObject & Readonly<Record<string, unknown>>;

export function classOf(
  name: string,
  more: { labels?: Record<string, string>; controller?: string; proxy?: string } = {},
) {
  const { labels, controller = controllerName, proxy } = more;
  const [namespace, proxyName] = proxy?.split('/') ?? [];
  const parametersRef = { group: 'gateway.envoyproxy.io', kind: 'EnvoyProxy', namespace, name: proxyName };
  const spec: GatewayClass['spec'] = { controllerName: controller, ...(proxy === undefined ? {} : { parametersRef }) };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name, uid: `class-${name}`, ...(labels === undefined ? {} : { labels }) },
    spec,
  };
}

export function proxyOf(key: string, spec: unknown, labels?: Record<string, string>): [string, Proxy] {
  const [namespace = '', name = ''] = key.split('/');
  const metadata = { namespace, name, uid: `proxy-${name}`, ...(labels === undefined ? {} : { labels }) };
  return [key, { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'EnvoyProxy', metadata, spec }];
}

export function gatewayOf(key: string, gatewayClassName: string): Gateway {
  const [namespace = '', name = ''] = key.split('/');
  const spec = { gatewayClassName, listeners: [] };
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { namespace, name }, spec };
}

interface Scene {
  readonly classes?: readonly GatewayClass[];
  readonly gateways?: readonly Gateway[];
  readonly proxies?: readonly (readonly [string, Proxy])[];
  readonly spec?: Partial<GatewayInfraSpec>;
}

export function planOf(
  wished: readonly InfraClass[] | undefined,
  { classes = [], gateways = [], proxies = [], spec }: Scene = {},
) {
  const infra = infraOf({ ...spec, ...(wished === undefined ? {} : { classes: wished }) });
  const plan = planClasses({ infra, uid, classes, gateways, proxyBases: new Map(proxies) });
  return {
    names: plan.wanted.map(nameOf),
    removed: plan.remove.map(({ of, name, uid: seen }) => `${of.kind} ${name} ${seen}`),
    refusals: plan.refusals,
    reasons: plan.refusals.map(({ reason }) => reason),
    proxy: (plan.wanted[0]?.object.spec ?? {}) as Record<string, unknown>,
    wanted: plan.wanted,
  };
}
