// Which namespaces host something of Envoy Gateway's: a Gateway of a class of ours, an admitted ListenerSet of either kind, or a name in the spec.

import { describe, expect, it } from 'vitest';
import { hostIn, hostingNamespaces, isHosting } from '../../src/infra/hosting.ts';
import { claimedNames, claimedSecrets, isReserved } from '../../src/infra/space-names.ts';
import { controllerName, gatewayIn, infraWith, setIn, type Things, worldOf } from './space-scene.ts';

const shared = gatewayIn('platform', { name: 'shared', from: 'All' });

const cases: readonly (readonly [string, string, Things, Parameters<typeof infraWith>[0], boolean])[] = [
  ['a Gateway of a class that the spec names', 'a', { gateways: [gatewayIn('a')] }, {}, true],
  ['a Gateway of another class', 'a', { gateways: [gatewayIn('a', { className: 'cilium' })] }, {}, false],
  [
    'a Gateway of a class of our controller that the spec does not name',
    'a',
    { gateways: [gatewayIn('a', { className: 'old' })], classes: { old: controllerName } },
    {},
    true,
  ],
  [
    'a Gateway of a class of our name that is another controller’s',
    'a',
    { gateways: [gatewayIn('a')], classes: { certway: 'example.com/other' } },
    {},
    false,
  ],
  [
    'a Gateway of a class to be adopted that nobody has made',
    'a',
    { gateways: [gatewayIn('a')] },
    { classes: [{ name: 'certway', manage: 'Adopt' }] },
    false,
  ],
  ['a Gateway on its way out', 'a', { gateways: [gatewayIn('a', { leaving: true })] }, {}, false],
  [
    'a ListenerSet that its Gateway admits',
    'a',
    { gateways: [shared], sets: [setIn('a', 'platform/shared')] },
    {},
    true,
  ],
  [
    'an XListenerSet that its Gateway admits',
    'a',
    { gateways: [shared], sets: [setIn('a', 'platform/shared', { kind: 'XListenerSet' })] },
    {},
    true,
  ],
  [
    'a ListenerSet of a Gateway that admits none',
    'a',
    { gateways: [gatewayIn('platform', { name: 'shared' })], sets: [setIn('a', 'platform/shared')] },
    {},
    false,
  ],
  [
    'a ListenerSet of a Gateway that admits its own namespace',
    'a',
    { gateways: [gatewayIn('platform', { name: 'shared', from: 'Same' })], sets: [setIn('a', 'platform/shared')] },
    {},
    false,
  ],
  [
    'a ListenerSet that its data plane has refused',
    'a',
    { gateways: [shared], sets: [setIn('a', 'platform/shared', { refused: 'NotAllowed' })] },
    {},
    false,
  ],
  ['a ListenerSet of a Gateway that is not there', 'a', { sets: [setIn('a', 'platform/shared')] }, {}, false],
  [
    'a ListenerSet of a Gateway of another class',
    'a',
    {
      gateways: [gatewayIn('platform', { name: 'shared', from: 'All', className: 'cilium' })],
      sets: [setIn('a', 'platform/shared')],
    },
    {},
    false,
  ],
  ['a name in the spec', 'a', {}, { namespaceResources: { additionalNamespaces: ['a'] } }, true],
  ['nothing', 'a', {}, {}, false],
];

describe('a namespace', () => {
  it.each(cases)('with %s', (_, namespace, things, spec, hosts) => {
    expect(isHosting(hostIn(namespace, worldOf(infraWith(spec), things)))).toBe(hosts);
  });

  it('is counted by its Gateways and sets, which own what goes with them', () => {
    const things = {
      gateways: [gatewayIn('a', { name: 'two', from: 'Same' }), gatewayIn('a', { name: 'one' })],
      sets: [setIn('a', 'a/two')],
    };
    const host = hostIn('a', worldOf(infraWith(), things));
    expect(host).toMatchObject({
      gateways: 2,
      listenerSets: 1,
      standing: 'present',
      named: 'no',
      gatewayNames: ['one', 'two'],
    });
    expect(host.owners.map(({ kind, name, uid }) => `${kind} ${name} ${uid}`)).toEqual([
      'Gateway one a-one',
      'ListenerSet set a-set',
      'Gateway two a-two',
    ]);
    expect(host.owners.every((each) => each.controller === undefined && each.blockOwnerDeletion === undefined)).toBe(
      true,
    );
  });

  it('that the spec names owes nothing to its Gateways', () => {
    const infra = infraWith({ namespaceResources: { additionalNamespaces: ['a'] } });
    expect(hostIn('a', worldOf(infra, { gateways: [gatewayIn('a')] })).owners).toEqual([]);
  });

  it('that the spec names is asked for no more once the GatewayInfra goes, and its Gateways still are', () => {
    const spec = { namespaceResources: { additionalNamespaces: ['a', 'b'] }, watch: { namespaces: ['c'] } };
    const leaving = infraWith(spec, { deletionTimestamp: '2026-11-21T12:00:00Z' });
    const world = worldOf(leaving, { gateways: [gatewayIn('b')] });
    expect([...hostingNamespaces(world).keys()]).toEqual(['b']);
    expect(hostIn('c', world).named).toBe('no');
  });
});

describe('the list of all of them', () => {
  it('is sorted, without those on their way out, gone or reserved', () => {
    const places = [
      'b',
      'a',
      'kube-system',
      'envoy-gateway-system',
      'certway-system',
      'default',
      'mine',
      'leaving',
      'gone',
    ];
    const infra = infraWith({ reservedNamespaces: ['mine'], namespaceResources: { additionalNamespaces: ['extra'] } });
    const world = worldOf(infra, {
      gateways: places.map((each) => gatewayIn(each)),
      terminating: ['leaving'],
      absent: ['gone'],
    });
    expect([...hostingNamespaces(world).keys()]).toEqual(['a', 'b', 'extra']);
  });
});

describe('names', () => {
  it.each(['kube-system', 'kube-anything', 'default', 'certway-system', 'envoy-gateway-system', 'mine'])(
    '%s is reserved',
    (name) => {
      expect(isReserved(name, { systemNamespace: 'envoy-gateway-system', reservedNamespaces: ['mine'] })).toBe(true);
    },
  );

  it('team-a is not, nor kubernetes', () => {
    for (const name of ['team-a', 'kubernetes']) expect(isReserved(name, { systemNamespace: 'eg' })).toBe(false);
  });

  it('that infra takes are known to whoever would take them too', () => {
    const extension = { serviceAccount: 'waf', role: 'waf' };
    const trustBundle = { configMapRef: { namespace: 'platform', name: 'roots' } };
    const infra = infraWith({ namespaceResources: { pullSecrets: ['regcred'], extension, trustBundle } });
    expect(claimedSecrets(infra)).toEqual(new Set(['regcred']));
    expect(claimedNames(infra)).toEqual(new Set(['certway-trust-bundle', 'waf']));
    expect([claimedSecrets(infraWith()), claimedNames(infraWith())]).toEqual([new Set(), new Set()]);
  });
});
