// Through which listener a hostname is proven, and what a refusal asks for.

import { describe, expect, test } from 'vitest';
import type { Gateway, Listener, ListenerSet } from '../../src/api/gateway.ts';
import type { Condition } from '../../src/api/meta.ts';
import { type ListenerQuestion, pickHttpListener } from '../../src/solve/listener.ts';

const open = { namespaces: { from: 'All' } } as const;
const http = (name: string, more: Partial<Listener> = {}): Listener => ({
  name,
  protocol: 'HTTP',
  port: 80,
  allowedRoutes: open,
  ...more,
});

function gateway(...listeners: readonly Listener[]): Gateway {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'infra', name: 'parent' },
    spec: { gatewayClassName: 'eg', listeners },
  };
}

function set(
  kind: 'ListenerSet' | 'XListenerSet',
  listeners: readonly Listener[],
  conditions: readonly Condition[] = [],
): ListenerSet {
  return {
    apiVersion: kind === 'ListenerSet' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1',
    kind,
    metadata: { namespace: 'team-a', name: 'apps', generation: 3 },
    spec: { parentRef: { name: 'parent', namespace: 'infra' }, listeners },
    status: { conditions },
  };
}

const namespaces: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'team-a': { tier: 'gold' },
  'team-b': {},
};

function pick(question: Partial<ListenerQuestion>) {
  return pickHttpListener({
    host: 'foo.com',
    routeNamespace: 'team-a',
    namespaceLabels: (name) => namespaces[name],
    ...question,
  });
}

const onGateway = (sectionName: string) => ({
  parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra', name: 'parent', sectionName },
});

describe('the Gateway’s listener', () => {
  test.each<[string, readonly Listener[], string]>([
    ['one without hostname', [http('any')], 'any'],
    [
      'the exact one over wildcards',
      [http('any'), http('wild', { hostname: '*.com' }), http('exact', { hostname: 'foo.com' })],
      'exact',
    ],
    ['the wildcard over none', [http('any'), http('wild', { hostname: '*.com' })], 'wild'],
    ['the same hostname in other letters', [http('exact', { hostname: 'FOO.com' })], 'exact'],
    ['the first of equals', [http('one'), http('two')], 'one'],
    [
      'one that lets the route in, though a closer one does not',
      [http('any'), http('exact', { hostname: 'foo.com', allowedRoutes: {} })],
      'any',
    ],
  ])('is %s', (_, listeners, name) => {
    expect(pick({ gateway: gateway(...listeners) })).toEqual(onGateway(name));
  });

  test.each<[string, string, boolean]>([
    ['*.foo.com', 'a.foo.com', true],
    ['*.foo.com', 'a.b.foo.com', true],
    ['*.foo.com', 'foo.com', false],
    ['*.foo.com', 'afoo.com', false],
    ['*.foo.com', '.foo.com', false],
    ['foo.com', 'a.foo.com', false],
    ['', 'a.foo.com', true],
  ])('with hostname %j for %s: %s', (hostname, host, matches) => {
    expect('parentRef' in pick({ host, gateway: gateway(http('x', { hostname })) })).toBe(matches);
  });

  test('is the one that the issuer names, whatever its port and protocol', () => {
    const https = http('tls', { protocol: 'HTTPS', port: 443 });
    expect(pick({ gateway: gateway(http('any'), https), sectionName: 'tls' })).toEqual(onGateway('tls'));
  });

  test('is sought on the port that the CA connects to', () => {
    expect(pick({ gateway: gateway(http('x', { port: 5080 })), port: 5080 })).toEqual(onGateway('x'));
    expect(pick({ gateway: gateway(http('x', { port: 5080 })) })).toHaveProperty('refusal');
  });

  test.each<[string, Listener['allowedRoutes'], string, boolean]>([
    ['the default, its own namespace', undefined, 'infra', true],
    ['the default, another namespace', undefined, 'team-a', false],
    ['Same, its own namespace', { namespaces: { from: 'Same' } }, 'infra', true],
    ['All', open, 'team-b', true],
    [
      'a selector that matches',
      { namespaces: { from: 'Selector', selector: { matchLabels: { tier: 'gold' } } } },
      'team-a',
      true,
    ],
    [
      'a selector that does not',
      { namespaces: { from: 'Selector', selector: { matchLabels: { tier: 'gold' } } } },
      'team-b',
      false,
    ],
    ['an empty selector', { namespaces: { from: 'Selector', selector: {} } }, 'team-b', true],
    ['no selector', { namespaces: { from: 'Selector' } }, 'team-b', false],
    ['a namespace that is unknown', { namespaces: { from: 'Selector', selector: {} } }, 'gone', false],
    [
      'In',
      {
        namespaces: {
          from: 'Selector',
          selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }] },
        },
      },
      'team-a',
      true,
    ],
    [
      'In without the label',
      {
        namespaces: {
          from: 'Selector',
          selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }] },
        },
      },
      'team-b',
      false,
    ],
    [
      'NotIn without the label',
      {
        namespaces: {
          from: 'Selector',
          selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }] },
        },
      },
      'team-b',
      true,
    ],
    [
      'Exists',
      { namespaces: { from: 'Selector', selector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] } } },
      'team-b',
      false,
    ],
    [
      'DoesNotExist',
      { namespaces: { from: 'Selector', selector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] } } },
      'team-b',
      true,
    ],
    ['only GRPCRoutes', { ...open, kinds: [{ kind: 'GRPCRoute' }] }, 'team-a', false],
    ['HTTPRoutes by name', { ...open, kinds: [{ kind: 'HTTPRoute' }] }, 'team-a', true],
    ['another group’s HTTPRoutes', { ...open, kinds: [{ kind: 'HTTPRoute', group: 'example.com' }] }, 'team-a', false],
  ])('lets routes in by %s', (_, allowedRoutes, routeNamespace, isAllowed) => {
    const listener: Listener = { name: 'x', protocol: 'HTTP', port: 80, ...(allowedRoutes && { allowedRoutes }) };
    expect('parentRef' in pick({ gateway: gateway(listener), routeNamespace })).toBe(isAllowed);
  });
});

describe('a ListenerSet', () => {
  const own = set('ListenerSet', [http('own', { hostname: 'foo.com', allowedRoutes: {} })]);

  test('uses its own HTTP listener without waiting for its status', () => {
    expect(pick({ set: own, gateway: gateway(http('any')) })).toEqual({
      parentRef: {
        group: 'gateway.networking.k8s.io',
        kind: 'ListenerSet',
        namespace: 'team-a',
        name: 'apps',
        sectionName: 'own',
      },
    });
  });

  test('uses the Gateway’s where its own do not match', () => {
    expect(pick({ set: own, host: 'bar.com', gateway: gateway(http('any')) })).toEqual(onGateway('any'));
    const https = set('ListenerSet', [http('tls', { protocol: 'HTTPS', port: 443 })]);
    expect(pick({ set: https, gateway: gateway(http('any')) })).toEqual(onGateway('any'));
  });

  test.each<[string, readonly Condition[], boolean]>([
    ['without status', [], false],
    ['accepted as it stands', [{ type: 'Accepted', status: 'True', observedGeneration: 3 }], true],
    ['accepted as it stood before', [{ type: 'Accepted', status: 'True', observedGeneration: 2 }], false],
    ['not accepted', [{ type: 'Accepted', status: 'False', observedGeneration: 3 }], false],
  ])('of the experimental kind, %s, uses its own listener: %s', (_, conditions, isOwn) => {
    const picked = pick({ set: set('XListenerSet', [http('own')], conditions), gateway: gateway(http('any')) });
    const group = 'gateway.networking.x-k8s.io';
    const ownRef = {
      parentRef: { group, kind: 'XListenerSet', namespace: 'team-a', name: 'apps', sectionName: 'own' },
    };
    expect(picked).toEqual(isOwn ? ownRef : onGateway('any'));
  });
});

describe('a refusal says what to change', () => {
  const https = http('https', { protocol: 'HTTPS', port: 443 });
  test.each<[Partial<ListenerQuestion>, string]>([
    [
      { gateway: gateway(https) },
      'Gateway infra/parent has no HTTP listener on port 80 at all, and a CA begins there; add one, or use a DNS-01 issuer (for the Gateway’s owner).',
    ],
    [
      { gateway: gateway(http('x', { hostname: 'bar.com' })) },
      'Gateway infra/parent has no HTTP listener on port 80 that matches foo.com; add one, or use a DNS-01 issuer (for the Gateway’s owner).',
    ],
    [
      { gateway: gateway(http('web', { allowedRoutes: {} })), routeNamespace: 'team-b' },
      'Listener web of Gateway infra/parent does not allow routes from namespace team-b; allow it in allowedRoutes.namespaces (for the Gateway’s owner).',
    ],
    [
      { gateway: gateway(http('web', { allowedRoutes: { ...open, kinds: [{ kind: 'GRPCRoute' }] } })) },
      'Listener web of Gateway infra/parent does not allow HTTPRoutes; add the kind to allowedRoutes.kinds (for the Gateway’s owner).',
    ],
    [
      { host: '*.foo.com', gateway: gateway(http('x')) },
      'HTTP-01 cannot prove the wildcard *.foo.com; use a DNS-01 issuer.',
    ],
    [
      { gateway: gateway(http('x')), sectionName: 'gone' },
      'Gateway infra/parent has no listener gone, which the issuer’s solver names; correct its parentRefs.',
    ],
    [
      { gateway: gateway(http('x', { hostname: 'bar.com' })), sectionName: 'x' },
      'Listener x of Gateway infra/parent, which the issuer’s solver names, takes no requests for foo.com; name another in its parentRefs, or use a DNS-01 issuer.',
    ],
    [
      {
        set: set('ListenerSet', [http('own', { allowedRoutes: { namespaces: { from: 'None' } } })]),
        sectionName: 'own',
      },
      'Listener own of ListenerSet team-a/apps does not allow routes from namespace team-a; allow it in allowedRoutes.namespaces (for the ListenerSet’s owner).',
    ],
    [{ set: set('ListenerSet', []) }, 'Gateway infra/parent does not exist.'],
    [{}, 'The Gateway does not exist.'],
  ])('%#', (question, refusal) => {
    expect(pick(question)).toEqual({ refusal });
  });
});
