// Classes: made with an EnvoyProxy each, adopted, refused, and taken away only when no Gateway needs them any more (R12).

import { describe, expect, it } from 'vitest';
import { classOf, controllerName, gatewayOf, ours, planOf, proxyOf } from './classes-scene.ts';

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
