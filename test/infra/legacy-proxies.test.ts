// What becomes of the proxies of an install that is replaced, and of one that stands in a namespace of its own.

import { describe, expect, it } from 'vitest';
import * as resources from '../../src/api/resources.ts';
import { type LegacyInput, planLegacy } from '../../src/infra/legacy-plan.ts';
import {
  chartEverywhere,
  chartInside,
  gateway,
  input,
  names,
  newProxy,
  noon,
  object,
  oldProxy,
  sight,
  system,
} from './legacy-scene.ts';

const user = [object(resources.renderedConfigMaps, 'their-own', { namespace: system })];
const handed = () =>
  chartInside({ state: 'stopped' }).filter(({ object: { metadata } }) => metadata.name.endsWith('certgen'));

describe('old proxies', () => {
  const both = [...oldProxy('team-a/web', '192.0.2.1'), ...oldProxy('team-b/web', '192.0.2.2')];
  const gateways = [gateway('team-a/web'), gateway('team-b/web')];
  const judged = (more: Partial<LegacyInput> = {}) =>
    planLegacy(input([sight([...both, ...user])], { gateways, ...more }));
  const oldOf = (team: string) => [
    `Deployment envoy-${team}-web-0a1b2c3d`,
    `Service envoy-${team}-web-0a1b2c3d`,
    `ServiceAccount envoy-${team}-web-0a1b2c3d`,
  ];
  const ready = { address: '192.0.2.9', since: noon - 300_000 };

  it('stay while the new ones are awaited, and orders wait with them', () => {
    expect(judged()).toMatchObject({ system: 'go', reason: 'InProgress', remove: [] });
    expect(judged().message).toMatch(/new proxies of Gateways team-a\/web, team-b\/web;/);
  });

  it.each([
    ['a Pod', newProxy('team-a/web', { available: 0, address: '192.0.2.9' })],
    ['an address', newProxy('team-a/web', { since: 0 })],
    ['a Service', newProxy('team-a/web', ready).slice(0, 1)],
  ])('stay while the new one has no %s', (_, fresh) => {
    expect(judged({ fresh }).remove).toEqual([]);
  });

  it('go one by one, each after its overlap', () => {
    const plan = judged({
      fresh: [...newProxy('team-a/web', ready), ...newProxy('team-b/web', { ...ready, since: noon - 60_000 })],
    });
    expect(names(plan.remove)).toEqual(oldOf('team-a'));
    expect(plan.reason).toBe('Removing');
    const late = judged({
      fresh: [
        ...newProxy('team-a/web', { ...ready, since: noon }),
        ...newProxy('team-b/web', { ...ready, since: noon - 60_000 }),
      ],
    });
    expect(late).toMatchObject({ remove: [], revisitAt: noon + 240_000 });
  });

  it('go at once where the new Service asks for the very address that the old one holds', () => {
    expect(names(judged({ fresh: newProxy('team-a/web', { asks: '192.0.2.1' }) }).remove)).toEqual(oldOf('team-a'));
  });

  it('go at once where their Gateway is gone', () => {
    expect(names(judged({ gateways: [gateway('team-b/web')] }).remove)).toEqual(oldOf('team-a'));
  });

  it('of a class that shares one wait for all its Gateways', () => {
    const shared = oldProxy('team-a/web', '192.0.2.1').map(({ of, object: each }) => {
      const labels = {
        'app.kubernetes.io/managed-by': 'envoy-gateway',
        'app.kubernetes.io/component': 'proxy',
        'gateway.envoyproxy.io/owning-gatewayclass': 'eg',
      };
      return { of, object: { ...each, metadata: { ...each.metadata, labels } } };
    });
    const merged = (fresh: LegacyInput['fresh']) => planLegacy(input([sight(shared)], { gateways, fresh }));
    expect(merged(newProxy('team-a/web', ready)).remove).toEqual([]);
    expect(merged([...newProxy('team-a/web', ready), ...newProxy('team-b/web', ready)]).remove).toHaveLength(3);
  });

  it('orders wait no longer than ten minutes for Gateways that never come up', () => {
    expect(judged({ oursSince: noon - 599_000 }).reason).toBe('InProgress');
    expect(judged({ oursSince: noon - 600_000 }).reason).toBe('Waiting');
  });

  it('a live Gateway in the legacy namespace keeps its own new objects', () => {
    const live = newProxy(`${system}/front`, ready);
    const inside = [...oldProxy(`${system}/front`, '192.0.2.1'), ...live];
    const plan = planLegacy(input([sight(inside)], { gateways: [gateway(`${system}/front`)], fresh: live }));
    expect(names(plan.remove)).toEqual([
      `Deployment envoy-${system}-front-0a1b2c3d`,
      `Service envoy-${system}-front-0a1b2c3d`,
      `ServiceAccount envoy-${system}-front-0a1b2c3d`,
    ]);
  });
});

describe('in a namespace of its own', () => {
  const old = 'tigera-gateway';
  const certgen = ['envoy', 'envoy-gateway'].map((name) => object(resources.secrets, name, { namespace: old }));
  const binding = object(resources.roleBindings, 'certway-infra-legacy', { namespace: old });
  const lease = object(resources.leases, '5b9825d2.gateway.envoyproxy.io', { namespace: old });
  const place = (inside: ReturnType<typeof chartInside>) =>
    sight(inside, { namespace: old, everywhere: chartEverywhere(old), byName: [binding, lease, ...certgen] });
  const stopped = chartInside({ namespace: old, state: 'stopped' });

  it('everything goes, Secrets before bindings, and the right to do so last; the Namespace stays', () => {
    const plan = planLegacy(input([sight([]), place(stopped)]));
    expect(plan).toMatchObject({ system: 'go', handOver: [] });
    expect(names(plan.remove)).toEqual([
      `MutatingWebhookConfiguration envoy-gateway-topology-injector.${old}`,
      'Secret envoy',
      'Secret envoy-gateway',
      'Lease 5b9825d2.gateway.envoyproxy.io',
      'Job eg-gateway-helm-certgen',
      'ConfigMap envoy-gateway-config',
      'Service envoy-gateway',
      'ServiceAccount envoy-gateway',
      'ServiceAccount eg-gateway-helm-certgen',
      'Role eg-gateway-helm-infra-manager',
      'ClusterRole eg-gateway-helm-envoy-gateway-role',
      'RoleBinding eg-gateway-helm-infra-manager',
      'ClusterRoleBinding eg-gateway-helm-envoy-gateway-rolebinding',
      'RoleBinding certway-infra-legacy',
    ]);
  });

  it('Secrets that old proxies mount stay until those are swept', () => {
    const inside = [...stopped, ...oldProxy('team-a/web', '192.0.2.1', old)];
    const plan = planLegacy(input([sight([]), place(inside)], { gateways: [gateway('team-a/web')] }));
    expect(names(plan.remove)).toEqual([`MutatingWebhookConfiguration envoy-gateway-topology-injector.${old}`]);
  });

  it('a controller that runs in either namespace holds ours back', () => {
    expect(planLegacy(input([sight(handed()), place(chartInside({ namespace: old }))]))).toMatchObject({
      system: 'hold',
    });
  });
});
