// The move from an Envoy Gateway of its chart, step by step: what goes in which order, what is handed over, and what never goes.

import { describe, expect, it } from 'vitest';
import * as resources from '../../src/api/resources.ts';
import { planLegacy } from '../../src/infra/legacy-plan.ts';
import {
  chartEverywhere,
  chartInside,
  chartLabels,
  input,
  names,
  object,
  oldProxy,
  record,
  sight,
  system,
} from './legacy-scene.ts';

const _untold = { type: 'LegacyCleaned', status: 'Unknown' } as const;
const user = [
  object(resources.renderedConfigMaps, 'their-own', { namespace: system }),
  object(resources.deployments, 'their-app', { namespace: system, labels: { 'app.kubernetes.io/name': 'app' } }),
  object(
    resources.autoscalers,
    'their-app',
    { namespace: system },
    { spec: { scaleTargetRef: { name: 'their-app' } } },
  ),
  object(resources.serviceAccounts, 'default', { namespace: system }),
];
const installed = (options = {}, more = {}) =>
  sight([...chartInside(options), ...user], { everywhere: chartEverywhere(), byName: [record('eg')], ...more });
const handed = () =>
  chartInside({ state: 'stopped' }).filter(({ object: { metadata } }) => metadata.name.endsWith('certgen'));

describe('the steps', () => {
  it('ends the controller first, with what would scale or hold it', () => {
    const guards = [
      object(
        resources.autoscalers,
        'envoy-gateway',
        { namespace: system },
        { spec: { scaleTargetRef: { name: 'envoy-gateway' } } },
      ),
      object(
        resources.podDisruptionBudgets,
        'envoy-gateway',
        { namespace: system },
        { spec: { selector: { matchLabels: { 'app.kubernetes.io/name': 'gateway-helm' } } } },
      ),
    ];
    const plan = planLegacy(input([sight([...chartInside(), ...guards, ...user], { everywhere: chartEverywhere() })]));
    expect(plan.system).toBe('hold');
    expect(names(plan.remove)).toEqual([
      'HorizontalPodAutoscaler envoy-gateway',
      'PodDisruptionBudget envoy-gateway',
      'Deployment envoy-gateway',
    ]);
  });

  it.each([
    [
      'a Pod of it runs',
      object(resources.pods, 'p', { namespace: system, labels: chartLabels }, { status: { phase: 'Running' } }),
      [],
    ],
    [
      'a Pod of it is ending',
      object(resources.pods, 'p', { namespace: system, labels: chartLabels, deletionTimestamp: 'x' }),
      [],
    ],
    [
      'a ReplicaSet without its Deployment could make one',
      object(resources.replicaSets, 'r', { namespace: system, labels: chartLabels }),
      ['ReplicaSet r'],
    ],
  ])('sweeps nothing and starts nothing while %s', (_, left, removed) => {
    const inside = [...chartInside({ state: 'stopped' }), left, ...oldProxy('team-a/web', '192.0.2.1')];
    const plan = planLegacy(input([sight(inside, { everywhere: chartEverywhere() })]));
    expect(plan).toMatchObject({ system: 'hold', reason: 'InProgress', handOver: [] });
    expect(names(plan.remove)).toEqual(removed);
  });

  it('a Pod that has ended counts for nothing', () => {
    const ended = object(
      resources.pods,
      'p',
      { namespace: system, labels: chartLabels },
      { status: { phase: 'Failed' } },
    );
    expect(planLegacy(input([sight([...handed(), ended])])).system).toBe('go');
  });

  it('hands over what keeps its name, without the marks of Helm, and the Service without the release in its selector', () => {
    const plan = planLegacy(input([installed({ state: 'stopped' })]));
    expect(plan).toMatchObject({ system: 'hold', remove: [] });
    expect(names(plan.handOver).toSorted()).toEqual([
      'ConfigMap envoy-gateway-config',
      'Service envoy-gateway',
      'ServiceAccount envoy-gateway',
    ]);
    const service = plan.handOver.find(({ of }) => of.kind === 'Service')?.object;
    expect(service).toMatchObject({
      metadata: { uid: `Service-${system}-envoy-gateway`, labels: {}, managedFields: [{}] },
      spec: {
        clusterIP: '10.96.0.7',
        selector: { 'control-plane': 'envoy-gateway', 'app.kubernetes.io/name': 'envoy-gateway' },
      },
    });
    expect(service?.metadata.labels).toEqual({});
  });

  it('then removes the rest: the webhook, the record of Helm, roles before their bindings; nothing of the users, no CA', () => {
    const left = sight([...handed(), ...user], {
      everywhere: chartEverywhere(),
      byName: [record('eg'), record('billing')],
    });
    const plan = planLegacy(input([left]));
    expect(plan).toMatchObject({ system: 'go', reason: 'Removing' });
    expect(names(plan.remove)).toEqual([
      `MutatingWebhookConfiguration envoy-gateway-topology-injector.${system}`,
      'Secret sh.helm.release.v1.eg.v1',
      'Job eg-gateway-helm-certgen',
      'ServiceAccount eg-gateway-helm-certgen',
      'Role eg-gateway-helm-infra-manager',
      'ClusterRole eg-gateway-helm-envoy-gateway-role',
      'RoleBinding eg-gateway-helm-infra-manager',
      'ClusterRoleBinding eg-gateway-helm-envoy-gateway-rolebinding',
    ]);
  });

  it('goes on after a kill at any object of that order, with what is left of it', () => {
    const everything = { inside: handed(), everywhere: chartEverywhere(), byName: [record('eg')] };
    const at = (done: ReadonlySet<string>) => {
      const stays = ({ object: { metadata } }: { object: { metadata: { uid?: string } } }) =>
        !done.has(metadata.uid ?? '');
      return planLegacy(
        input([
          sight(everything.inside.filter(stays), {
            everywhere: everything.everywhere.filter(stays),
            byName: everything.byName.filter(stays),
          }),
        ]),
      );
    };
    const order = at(new Set()).remove;
    for (let count = 0; count <= order.length; count += 1) {
      const done = new Set(order.slice(0, count).map(({ object: { metadata } }) => metadata.uid ?? ''));
      expect(names(at(done).remove)).toEqual(names(order.slice(count)));
    }
  });

  it('in manual mode still hands over what ours applies to, once the controller is gone', () => {
    const plan = planLegacy(input([installed({ state: 'stopped' })], { cleanup: 'Manual' }));
    expect(plan.remove).toEqual([]);
    expect(plan.handOver).toHaveLength(3);
    const after = planLegacy(input([sight(handed(), { everywhere: chartEverywhere() })], { cleanup: 'Manual' }));
    expect(after).toMatchObject({ system: 'go', reason: 'CleanupManual', remove: [], handOver: [] });
  });
});
