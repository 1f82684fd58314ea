// Classes: made with an EnvoyProxy each, adopted, refused, and taken away only when no Gateway needs them any more (R12).

import { describe, expect, it } from 'vitest';
import type { Gateway, GatewayClass } from '../../src/api/gateway.ts';
import type { GatewayInfraSpec, InfraClass } from '../../src/api/gateway-infra.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { planClasses } from '../../src/infra/render-classes.ts';
import { nameOf } from '../../src/infra/wanted.ts';
import { infraOf, uid } from './render-inputs.ts';

const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';
const ours = { 'app.kubernetes.io/managed-by': 'certway-infra', 'certway.dev/infra-uid': uid };

type Proxy = KubeObject & Readonly<Record<string, unknown>>;

function classOf(name: string, more: { labels?: Record<string, string>; controller?: string; proxy?: string } = {}) {
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

function proxyOf(key: string, spec: unknown, labels?: Record<string, string>): [string, Proxy] {
  const [namespace = '', name = ''] = key.split('/');
  const metadata = { namespace, name, uid: `proxy-${name}`, ...(labels === undefined ? {} : { labels }) };
  return [key, { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'EnvoyProxy', metadata, spec }];
}

function gatewayOf(key: string, gatewayClassName: string): Gateway {
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

function planOf(
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

describe('a class that is made', () => {
  it('is one of the name certway where nothing is said', () => {
    const { names, wanted, reasons } = planOf(undefined);
    expect(names).toEqual(['EnvoyProxy envoy-gateway-system/certway', 'GatewayClass certway']);
    expect(wanted[1]?.object.spec).toEqual({
      controllerName,
      parametersRef: {
        group: 'gateway.envoyproxy.io',
        kind: 'EnvoyProxy',
        namespace: 'envoy-gateway-system',
        name: 'certway',
      },
    });
    expect(reasons).toEqual([]);
  });

  it('has an EnvoyProxy that runs a Deployment, or a DaemonSet', () => {
    expect(planOf([{ name: 'a' }]).proxy).toEqual({
      provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: {} } },
    });
    expect(planOf([{ name: 'a', kind: 'DaemonSet' }]).proxy).toEqual({
      provider: { type: 'Kubernetes', kubernetes: { envoyDaemonSet: {} } },
    });
  });

  it('gives its Service what the class says', () => {
    const service = {
      type: 'LoadBalancer' as const,
      annotations: { 'example.com/pool': 'dmz' },
      loadBalancerClass: 'example.com/lb',
      sourceRanges: ['10.0.0.0/8'],
      allocateLoadBalancerNodePorts: false,
      patch: { value: { spec: { ipFamilyPolicy: 'PreferDualStack' } } },
    };
    expect(planOf([{ name: 'a', service }]).proxy).toMatchObject({
      provider: {
        kubernetes: {
          envoyService: {
            type: 'LoadBalancer',
            annotations: { 'example.com/pool': 'dmz' },
            loadBalancerClass: 'example.com/lb',
            loadBalancerSourceRanges: ['10.0.0.0/8'],
            allocateLoadBalancerNodePorts: false,
            patch: { type: 'StrategicMerge', value: { spec: { ipFamilyPolicy: 'PreferDualStack' } } },
          },
        },
      },
    });
  });

  it('is applied again whoever edited it, when it is ours', () => {
    const { names } = planOf([{ name: 'a' }], { classes: [classOf('a', { labels: ours })] });
    expect(names).toContain('GatewayClass a');
  });

  it.each([
    ['of somebody', classOf('a'), 'ClassOfOther'],
    ['of another controller', classOf('a', { controller: 'example.com/other', labels: ours }), 'ClassOfOther'],
  ])('is refused where one %s has its name', (_, live, reason) => {
    const { names, reasons, refusals } = planOf([{ name: 'a' }, { name: 'b' }], { classes: [live] });
    expect(reasons).toEqual([reason]);
    expect(refusals[0]?.object).toBe('GatewayClass a');
    expect(names).toEqual(['EnvoyProxy envoy-gateway-system/b', 'GatewayClass b']);
  });

  it('is refused where somebody’s EnvoyProxy has the name of ours', () => {
    const proxies = [proxyOf('envoy-gateway-system/a', {})];
    expect(planOf([{ name: 'a' }], { proxies })).toMatchObject({ names: [], reasons: ['ProxyOfOther'] });
  });
});

describe('a base EnvoyProxy', () => {
  const wished = [{ name: 'a', envoyProxyRef: { namespace: 'platform', name: 'base' } }];
  const on = (base: unknown, spec?: Partial<GatewayInfraSpec>, one: Partial<InfraClass> = {}) =>
    planOf(
      wished.map((each) => ({ ...each, ...one })),
      { proxies: [proxyOf('platform/base', base)], ...(spec === undefined ? {} : { spec }) },
    );

  it('is copied, and what the class says laid over it', () => {
    const base = {
      logging: { level: { default: 'debug' } },
      provider: {
        type: 'Kubernetes',
        kubernetes: { envoyDeployment: { replicas: 3 }, envoyService: { type: 'LoadBalancer', labels: { a: 'b' } } },
      },
    };
    const { proxy } = on(base, undefined, { service: { type: 'ClusterIP' } });
    expect(proxy).toEqual({
      logging: { level: { default: 'debug' } },
      provider: {
        type: 'Kubernetes',
        kubernetes: { envoyDeployment: { replicas: 3 }, envoyService: { type: 'ClusterIP', labels: { a: 'b' } } },
      },
    });
  });

  it('decides between Deployment and DaemonSet where the class does not', () => {
    const { proxy } = on({ provider: { type: 'Kubernetes', kubernetes: { envoyDaemonSet: { pod: {} } } } });
    expect(proxy).toEqual({ provider: { type: 'Kubernetes', kubernetes: { envoyDaemonSet: { pod: {} } } } });
  });

  it.each([
    ['merges Gateways', { mergeGateways: true }, {}, 'MergeGatewaysRefused'],
    ['runs on a host', { provider: { type: 'Host' } }, {}, 'ProviderRefused'],
    [
      'contradicts the kind',
      { provider: { type: 'Kubernetes', kubernetes: { envoyDaemonSet: {} } } },
      { kind: 'Deployment' as const },
      'KindConflict',
    ],
  ])('that %s is refused by its name, and the class left as it is', (_, base, one, reason) => {
    const { names, reasons, refusals } = on(base, undefined, one);
    expect({ names, reasons }).toEqual({ names: [], reasons: [reason] });
    expect(refusals[0]).toMatchObject({ step: 'Classes', object: 'EnvoyProxy platform/base' });
    expect(refusals[0]?.message).toContain('EnvoyProxy platform/base, which the class a names');
  });

  it('that says mergeGateways: false may stay', () => {
    expect(on({ mergeGateways: false }).reasons).toEqual([]);
  });

  it('that is missing is waited for', () => {
    expect(planOf(wished)).toMatchObject({ names: [], reasons: ['ProxyMissing'] });
  });

  it('keeps its image; without one a mirror’s is named', () => {
    const images = { images: { registry: 'registry.example.com' } };
    const container = (base: unknown) =>
      JSON.stringify(on(base, images).proxy)
        .match(/"image":"([^"]+)"/)?.[1]
        ?.split('@')[0];
    const own = { container: { image: 'mine/envoy:1' } };
    expect(container({ provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: own } } })).toBe('mine/envoy:1');
    expect(container({})).toBe('registry.example.com/envoyproxy/envoy:distroless-v1.39.1');
    expect(on({}).proxy).not.toHaveProperty('provider.kubernetes.envoyDeployment.container');
  });

  it('gets the copied pull Secrets and the trust bundle beside its own', () => {
    const base = { pod: { imagePullSecrets: [{ name: 'own' }], volumes: [{ name: 'v', emptyDir: {} }] } };
    const { proxy } = on(
      { provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: base } } },
      {
        namespaceResources: {
          pullSecrets: ['mirror', 'own'],
          trustBundle: { configMapRef: { namespace: 'platform', name: 'roots' } },
        },
      },
    );
    expect(proxy).toMatchObject({
      provider: {
        kubernetes: {
          envoyDeployment: {
            pod: {
              imagePullSecrets: [{ name: 'own' }, { name: 'mirror' }],
              volumes: [
                { name: 'v' },
                { name: 'certway-trust-bundle', configMap: { name: 'certway-trust-bundle', optional: true } },
              ],
            },
            container: { volumeMounts: [{ name: 'certway-trust-bundle', readOnly: true }] },
          },
        },
      },
    });
  });
});

describe('a sidecar with rights of its own', () => {
  const extension = { namespaceResources: { extension: { serviceAccount: 'waf', role: 'waf-reader' } } };
  const wished = [{ name: 'a', envoyProxyRef: { namespace: 'platform', name: 'base' } }];
  const on = (envoyDeployment: unknown, spec: Partial<GatewayInfraSpec> = extension) => {
    const base = { provider: { type: 'Kubernetes', kubernetes: { envoyDeployment } } };
    return planOf(wished, { proxies: [proxyOf('platform/base', base)], spec });
  };
  const sidecar = { name: 'waf', image: 'waf:1', restartPolicy: 'Always', env: [{ name: 'A', value: 'b' }] };

  it('runs under its ServiceAccount and knows its Gateway', () => {
    const { proxy } = on({ initContainers: [sidecar, { name: 'once', image: 'x' }] });
    expect(proxy).toEqual({
      provider: {
        type: 'Kubernetes',
        kubernetes: {
          envoyDeployment: {
            patch: {
              type: 'StrategicMerge',
              value: {
                spec: { template: { spec: { serviceAccountName: 'waf', automountServiceAccountToken: true } } },
              },
            },
            initContainers: [
              {
                ...sidecar,
                env: [
                  { name: 'A', value: 'b' },
                  {
                    name: 'OWNING_GATEWAY_NAME',
                    valueFrom: {
                      fieldRef: {
                        apiVersion: 'v1',
                        fieldPath: "metadata.labels['gateway.envoyproxy.io/owning-gateway-name']",
                      },
                    },
                  },
                  {
                    name: 'OWNING_GATEWAY_NAMESPACE',
                    valueFrom: {
                      fieldRef: {
                        apiVersion: 'v1',
                        fieldPath: "metadata.labels['gateway.envoyproxy.io/owning-gateway-namespace']",
                      },
                    },
                  },
                ],
              },
              { name: 'once', image: 'x' },
            ],
          },
        },
      },
    });
  });

  it('keeps the patch of the base, and refuses one that it cannot join', () => {
    const value = { spec: { template: { spec: { hostNetwork: true } } } };
    const joined = on({ patch: { type: 'JSONMerge', value } }).proxy;
    expect(joined).toMatchObject({
      provider: {
        kubernetes: {
          envoyDeployment: {
            patch: {
              type: 'JSONMerge',
              value: { spec: { template: { spec: { hostNetwork: true, serviceAccountName: 'waf' } } } },
            },
          },
        },
      },
    });
    expect(on({ patch: { type: 'StrategicMerge', value: 'text' } }).reasons).toEqual(['PatchConflict']);
  });

  it('is nowhere without an extension', () => {
    expect(on({ initContainers: [sidecar] }, {}).proxy).toEqual({
      provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: { initContainers: [sidecar] } } },
    });
  });
});

describe('an adopted class', () => {
  const adopted = [{ name: 'eg', manage: 'Adopt' as const }];

  it('is not written', () => {
    expect(planOf(adopted, { classes: [classOf('eg')] })).toMatchObject({ names: [], removed: [], reasons: [] });
  });

  it('that was ours before stays as it is', () => {
    const classes = [classOf('eg', { labels: ours })];
    const proxies = [proxyOf('envoy-gateway-system/eg', {}, ours)];
    expect(planOf(adopted, { classes, proxies })).toMatchObject({ names: [], removed: [], reasons: [] });
  });

  it.each([
    ['is missing', [], [], 'ClassMissing'],
    ['is another controller’s', [classOf('eg', { controller: 'example.com/other' })], [], 'ClassOfOther'],
    [
      'merges Gateways',
      [classOf('eg', { proxy: 'platform/merged' })],
      [proxyOf('platform/merged', { mergeGateways: true })],
      'MergeGatewaysRefused',
    ],
  ])('that %s is told', (_, classes, proxies, reason) => {
    expect(planOf(adopted, { classes, proxies }).reasons).toEqual([reason]);
  });
});

describe('a class that is no longer wished', () => {
  const classes = [classOf('old', { labels: ours }), classOf('foreign')];
  const proxies = [
    proxyOf('envoy-gateway-system/old', {}, ours),
    proxyOf('envoy-gateway-system/theirs', {}),
    proxyOf('platform/copy', {}, ours),
  ];

  it('goes with its EnvoyProxy, and nothing else goes', () => {
    expect(planOf([{ name: 'a' }], { classes, proxies }).removed).toEqual([
      'GatewayClass old class-old',
      'EnvoyProxy old proxy-old',
    ]);
  });

  it('stays while Gateways use it, who are named', () => {
    const gateways = ['z/4', 'team-a/1', 'team-b/2', 'team-c/3'].map((key) => gatewayOf(key, 'old'));
    const { removed, refusals } = planOf([{ name: 'a' }], { classes, proxies, gateways });
    expect(removed).toEqual([]);
    expect(refusals).toEqual([
      {
        step: 'Classes',
        object: 'GatewayClass old',
        reason: 'ClassInUse',
        message:
          'GatewayClass old is no longer in spec.classes, but Gateways use it: team-a/1, team-b/2, team-c/3 and 1 more. It stays until they are gone or name another class.',
      },
    ]);
  });

  it('of another GatewayInfra is not ours to remove', () => {
    const other = { ...ours, 'certway.dev/infra-uid': 'another' };
    expect(planOf([{ name: 'a' }], { classes: [classOf('old', { labels: other })] }).removed).toEqual([]);
  });
});
