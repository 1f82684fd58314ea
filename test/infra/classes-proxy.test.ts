// The EnvoyProxy of a class: what a base of the platform's own brings, what is laid over it, and which base is refused.

import { describe, expect, it } from 'vitest';
import type { GatewayInfraSpec, InfraClass } from '../../src/api/gateway-infra.ts';
import { planOf, proxyOf } from './classes-scene.ts';

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
