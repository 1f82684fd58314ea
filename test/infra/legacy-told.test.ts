// What is told about an earlier Envoy Gateway before anything of it is removed, and when ours may start beside it.

import { describe, expect, it } from 'vitest';
import * as resources from '../../src/api/resources.ts';
import { type LegacyInput, planLegacy } from '../../src/infra/legacy-plan.ts';
import {
  chartEverywhere,
  chartInside,
  config,
  input,
  object,
  oldProxy,
  record,
  sight,
  system,
} from './legacy-scene.ts';

const untold = { type: 'LegacyCleaned', status: 'Unknown' } as const;
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
const _handed = () =>
  chartInside({ state: 'stopped' }).filter(({ object: { metadata } }) => metadata.name.endsWith('certgen'));

describe('before anything is removed', () => {
  const cases: readonly (readonly [string, LegacyInput, 'hold' | 'go', string, RegExp])[] = [
    ['there is nothing', input([sight(user)], { previous: untold }), 'go', 'NoneFound', /No earlier/],
    ['everything is gone', input([sight(user)]), 'go', 'Cleaned', /its CRDs, its namespace/],
    [
      'nobody has asked for it',
      input([installed()], { cleanup: 'Manual' }),
      'hold',
      'CleanupManual',
      /cleanup to Auto/,
    ],
    [
      'it has only just been asked for',
      input([installed()], { previous: untold }),
      'hold',
      'InProgress',
      /Taking the place of Envoy Gateway v1.9.1 of the Helm release eg/,
    ],
    [
      'it was left to its owner until now',
      input([installed()], { previous: { type: 'LegacyCleaned', status: 'False', reason: 'CleanupManual' } }),
      'hold',
      'InProgress',
      /Removed, in this order/,
    ],
    [
      'Flux applies it',
      input([
        installed({ labels: { 'helm.toolkit.fluxcd.io/name': 'eg', 'helm.toolkit.fluxcd.io/namespace': 'platform' } }),
      ]),
      'hold',
      'ManagedElsewhere',
      /the Flux HelmRelease platform\/eg/,
    ],
    [
      'its settings would be lost',
      input([
        installed({
          text: config(
            undefined,
            'extensionApis: {enableBackend: true}\nrateLimit: {backend: {redis: {url: "redis:6379"}}}',
          ),
        }),
      ]),
      'hold',
      'ConfigurationAtRisk',
      /configured with extensionApis, rateLimit, which/,
    ],
    [
      'another namespace may not be read',
      input([
        sight([]),
        sight('denied', { namespace: 'tigera-gateway', everywhere: chartEverywhere('tigera-gateway') }),
      ]),
      'hold',
      'NotReadable',
      /kubectl create rolebinding certway-infra-legacy --namespace=tigera-gateway --clusterrole=certway-infra-legacy --serviceaccount=certway-system:certway-infra/,
    ],
  ];
  it.each(cases)('%s', (_, given, held, reason, words) => {
    const plan = planLegacy(given);
    expect(plan).toMatchObject({ system: held, reason, remove: [], handOver: [] });
    expect(plan.message).toMatch(words);
  });

  it('a namespace that may not be read holds nothing back where nobody there has rights of the chart', () => {
    expect(planLegacy(input([sight([]), sight('denied', { namespace: 'elsewhere' })]))).toMatchObject({ system: 'go' });
  });

  it('an install that serves other GatewayClasses is not ours to replace, unless it stands in our own namespace', () => {
    const text = config(undefined).replace('gatewayclass-controller', 'edge');
    const other = sight(chartInside({ namespace: 'edge', text }), {
      namespace: 'edge',
      everywhere: chartEverywhere('edge'),
    });
    expect(planLegacy(input([sight([]), other], { previous: untold }))).toMatchObject({
      system: 'go',
      reason: 'NoneFound',
    });
    expect(planLegacy(input([installed({ text })]))).toMatchObject({ system: 'hold', reason: 'InProgress' });
  });

  it('the settings may go where a configuration of the platform is named', () => {
    const given = input([installed({ text: config(undefined, 'extensionApis: {enableBackend: true}') })], {
      config: 'named',
    });
    expect(planLegacy(given).reason).toBe('InProgress');
  });

  it('says which proxies and addresses cannot survive, and that those of Gateway Namespace Mode do', () => {
    const proxies = [...oldProxy('team-a/web', '192.0.2.1'), ...oldProxy('team-b/web', '192.0.2.2')];
    const controllerMode = sight([...chartInside(), ...proxies], { everywhere: chartEverywhere() });
    const { message } = planLegacy(input([controllerMode], { cleanup: 'Manual' }));
    expect(message).toContain(
      'the proxies of Gateway team-a/web (192.0.2.1), Gateway team-b/web (192.0.2.2) are made anew',
    );
    expect(message).toContain('Service envoy-gateway-system/envoy-team-a-web-0a1b2c3d');
    const taken = planLegacy(input([installed({ text: config('GatewayNamespace') })], { cleanup: 'Manual' }));
    expect(taken.message).toContain('Proxies, their Services and addresses stay as they are.');
    expect(taken.message).toContain('The CA and the Secrets of Envoy Gateway stay');
  });
});
