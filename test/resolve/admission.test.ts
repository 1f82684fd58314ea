// Which ListenerSets may have certificates through their Gateway, decided from spec. The numbers are those of Gateway API's conformance
// scenarios in reference/gateway-api.md §3, turned into "a Certificate" or "none, and an event says why".

import { describe, expect, test } from 'vitest';
import type { Gateway, ListenerSet, NamespaceRule } from '../../src/api/gateway.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import type { GatewayWorld } from '../../src/resolve/world.ts';
import {
  type Annotations,
  clusterIssuer,
  gateway,
  https,
  issuer,
  listenerSet,
  names,
  onlyRefusal,
  openGateway,
  told,
  without,
  world,
} from './world.ts';

const own = listenerSet({ annotations: issuer('a') });
const until = 'Until then this ListenerSet gets no certificate, and none that it has is renewed.';

function resolve(object: Gateway | undefined, set: ListenerSet = own, more: Parameters<typeof world>[2] = {}) {
  return resolveGateway(world(object, [set], more));
}

describe('allowedListeners', () => {
  const inGateway = listenerSet({ annotations: issuer('a'), namespace: 'infra' });
  const needs = (
    key: string,
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
    values?: readonly string[],
  ): NamespaceRule => ({
    from: 'Selector',
    selector: { matchExpressions: [{ key, operator, ...(values !== undefined && { values }) }] },
  });
  const team = { labels: { team: { tier: 'gold', allowed: 'ns' } } };

  type Row = readonly [rule: NamespaceRule | undefined, set: ListenerSet, verdict: 'admitted' | 'refused'];
  const rows: Readonly<Record<string, Row>> = {
    '1. unset, in another namespace': [undefined, own, 'refused'],
    '1. unset, in the Gateway’s own namespace': [undefined, inGateway, 'refused'],
    '1. without from': [{}, inGateway, 'refused'],
    '2. None': [{ from: 'None' }, inGateway, 'refused'],
    '3. Same, in the Gateway’s namespace': [{ from: 'Same' }, inGateway, 'admitted'],
    '3. Same, in another namespace': [{ from: 'Same' }, own, 'refused'],
    All: [{ from: 'All' }, own, 'admitted'],
    '4. Selector, labelled': [{ from: 'Selector', selector: { matchLabels: { allowed: 'ns' } } }, own, 'admitted'],
    '4. Selector, not labelled': [
      { from: 'Selector', selector: { matchLabels: { allowed: 'other' } } },
      own,
      'refused',
    ],
    'Selector, not even for the Gateway’s namespace': [
      { from: 'Selector', selector: { matchLabels: { allowed: 'ns' } } },
      inGateway,
      'refused',
    ],
    'Selector without a selector': [{ from: 'Selector' }, own, 'refused'],
    'an empty selector is everybody’s': [{ from: 'Selector', selector: {} }, own, 'admitted'],
    In: [needs('tier', 'In', ['silver', 'gold']), own, 'admitted'],
    'not In': [needs('tier', 'In', ['silver']), own, 'refused'],
    NotIn: [needs('tier', 'NotIn', ['silver']), own, 'admitted'],
    'NotIn without the label': [needs('absent', 'NotIn', ['x']), own, 'admitted'],
    'not NotIn': [needs('tier', 'NotIn', ['gold']), own, 'refused'],
    Exists: [needs('tier', 'Exists'), own, 'admitted'],
    'Exists, for what every JavaScript object has': [needs('constructor', 'Exists'), own, 'refused'],
    'not Exists': [needs('absent', 'Exists'), own, 'refused'],
    DoesNotExist: [needs('absent', 'DoesNotExist'), own, 'admitted'],
    'not DoesNotExist': [needs('tier', 'DoesNotExist'), own, 'refused'],
  };
  test.each(Object.entries(rows))('%s', (_, [rule, set, verdict]) => {
    const resolution = resolve(gateway(rule === undefined ? {} : { allowed: rule }), set, team);
    if (verdict === 'admitted') {
      expect(told(resolution)).toEqual([]);
      expect(names(resolution)).toEqual([`${set.metadata.namespace}/foo-tls`]);
      return;
    }
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution)).toMatchObject({
      reason: 'NotAllowed',
      suspends: ['foo-tls'],
      holds: [],
      generation: 3,
    });
  });

  test('a namespace of which nothing is known matches no selector', () => {
    const unknown = { namespaceLabels: () => undefined };
    expect(names(resolve(gateway({ allowed: { from: 'Selector', selector: {} } }), own, unknown))).toEqual([]);
  });

  const sentences: readonly (readonly [NamespaceRule, string])[] = [
    [
      { from: 'None' },
      'Gateway infra/gw allows no listener sets; the owner of the Gateway can change spec.allowedListeners.',
    ],
    [
      { from: 'Same' },
      'Gateway infra/gw allows listener sets of its own namespace only, and this one is in team; the owner of the Gateway can change spec.allowedListeners.',
    ],
    [
      { from: 'Selector', selector: { matchLabels: { a: 'b' } } },
      'Gateway infra/gw allows namespaces by a label that namespace team does not have; whoever labels namespaces can add the label, or the owner of the Gateway can change spec.allowedListeners.',
    ],
  ];
  test.each(sentences)('%j is told with who can help', (rule, sentence) => {
    expect(onlyRefusal(resolve(gateway({ allowed: rule }))).message).toBe(`${sentence} ${until}`);
  });
});

describe('the parent', () => {
  const leaving = openGateway({ metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } });
  type Row = readonly [
    Gateway | undefined,
    ListenerSet,
    Partial<GatewayWorld['options']>,
    reason: string,
    message: string,
  ];
  const rows: Readonly<Record<string, Row>> = {
    'does not exist': [
      undefined,
      own,
      {},
      'ParentNotFound',
      'Gateway infra/gw does not exist; correct spec.parentRef, or have the Gateway created.',
    ],
    'does not exist, and the set hoped for its issuer': [
      undefined,
      listenerSet(),
      {},
      'ParentNotFound',
      'Gateway infra/gw does not exist',
    ],
    'is being deleted': [
      leaving,
      own,
      {},
      'ParentDeleting',
      'Gateway infra/gw is being deleted; name another one in spec.parentRef.',
    ],
    'is being deleted, and its issuer was inherited': [
      openGateway({ annotations: clusterIssuer('b'), metadata: { finalizers: ['foregroundDeletion'] } }),
      listenerSet(),
      {},
      'ParentDeleting',
      'is being deleted',
    ],
    'is of a class that is not served': [
      openGateway(),
      own,
      { gatewayClasses: ['nginx', 'envoy-*'] },
      'ParentNotServed',
      'Gateway infra/gw is left alone: its class "eg" is not served here; whoever runs Certway can add it to --gateway-classes.',
    ],
    'is of a class that is not served, and its issuer was to be inherited': [
      openGateway({ annotations: clusterIssuer('b') }),
      listenerSet(),
      { gatewayClasses: ['nginx'] },
      'ParentNotServed',
      'is not served here',
    ],
    'is no Gateway': [
      openGateway(),
      listenerSet({
        annotations: issuer('a'),
        parentRef: { group: 'x.io', kind: 'Mesh', name: 'gw', namespace: 'infra' },
      }),
      {},
      'ParentNotServed',
      'spec.parentRef names kind "Mesh" of group "x.io"; only a Gateway of gateway.networking.k8s.io is served.',
    ],
  };
  test.each(Object.entries(rows))('%s', (_, [object, set, options, reason, message]) => {
    const resolution = resolve(object, set, { with: options });
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution)).toMatchObject({ reason, suspends: ['foo-tls'], holds: [] });
    expect(onlyRefusal(resolution).message).toContain(message);
  });

  const quiet: Readonly<Record<string, readonly [Gateway | undefined, ListenerSet, readonly string[]]>> = {
    'allows nobody, and there is no issuer anywhere': [gateway(), listenerSet(), []],
    'is of another class, and there is no issuer anywhere': [openGateway(), listenerSet(), ['nginx']],
    'is missing, and no listener is for us': [
      undefined,
      listenerSet({ listeners: [without(https({ protocol: 'HTTP' }), 'tls')] }),
      [],
    ],
    'is no Gateway, and the set names no issuer': [
      openGateway({ annotations: clusterIssuer('b') }),
      listenerSet({ parentRef: { group: 'x.io', kind: 'Mesh', name: 'gw', namespace: 'infra' } }),
      [],
    ],
  };
  test.each(Object.entries(quiet))('%s: not a word', (_, [object, set, gatewayClasses]) => {
    const resolution = resolve(object, set, { with: { gatewayClasses } });
    expect(resolution).toMatchObject({ wanted: [], refusals: [] });
  });

  const classes: readonly (readonly [readonly string[], string | undefined, 'served' | 'not'])[] = [
    [[], undefined, 'served'],
    [['eg'], undefined, 'served'],
    [['e*'], undefined, 'served'],
    [['*'], undefined, 'served'],
    [['*g'], undefined, 'served'],
    [['nginx', 'eg'], undefined, 'served'],
    [['g'], undefined, 'not'],
    [['eg-*'], undefined, 'not'],
    [['e*e*g'], undefined, 'not'],
    [['gateway.envoyproxy.io/*'], undefined, 'not'],
    [['gateway.envoyproxy.io/*'], 'gateway.envoyproxy.io/gatewayclass-controller', 'served'],
    [['gateway.envoyproxy.io/*-controller'], 'gateway.envoyproxy.io/gatewayclass-controller', 'served'],
    [['gateway.*.io/*class*'], 'gateway.envoyproxy.io/gatewayclass-controller', 'served'],
    [['gateway.envoyproxy.io/x*'], 'gateway.envoyproxy.io/gatewayclass-controller', 'not'],
  ];
  test.each(classes)('patterns %j with controller %j: %s', (gatewayClasses, controllerName, verdict) => {
    const object = openGateway({ annotations: clusterIssuer('b'), listeners: [https({ port: 8443 })] });
    const more = { with: { gatewayClasses }, ...(controllerName !== undefined && { controllerName }) };
    const resolution = resolve(object, own, more);
    expect(names(resolution)).toEqual(verdict === 'served' ? ['infra/foo-tls', 'team/foo-tls'] : []);
  });

  test('a Gateway of a class that is not served is left alone without a word', () => {
    const object = gateway({ annotations: clusterIssuer(''), listeners: [https()] });
    expect(resolveGateway(world(object, [], { with: { gatewayClasses: ['nginx'] } }))).toMatchObject({
      subjects: [],
      wanted: [],
      refusals: [],
    });
  });

  test('a ListenerSet that points elsewhere is not this Gateway’s', () => {
    const stray = listenerSet({ annotations: issuer('a'), parentRef: { name: 'gw' } });
    expect(resolve(openGateway(), stray)).toMatchObject({ wanted: [], refusals: [] });
  });

  test('what is lost on the way is told once for the whole set, and annotations are not judged', () => {
    const bad: Annotations = { ...issuer('a'), 'cert-manager.io/duration': 'soon' };
    const listeners = [
      https(),
      https({ name: 'b', hostname: 'b.com', secret: 'b-tls' }),
      without(https({ name: 'c' }), 'hostname'),
    ];
    const refusal = onlyRefusal(resolve(gateway(), listenerSet({ annotations: bad, listeners })));
    expect(refusal.suspends).toEqual(['foo-tls', 'b-tls']);
  });
});
