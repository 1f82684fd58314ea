// What data planes say of a route, as sentences.

import { describe, expect, test } from 'vitest';
import type { HttpRoute } from '../../src/api/gateway.ts';
import type { Condition } from '../../src/api/meta.ts';
import { challengeRoute } from '../../src/solve/route.ts';
import { routeVerdict } from '../../src/solve/route-verdict.ts';

const created = Date.parse('2026-01-01T00:00:00Z');
const http = { name: 'parent', namespace: 'infra', sectionName: 'http' };
const set = { kind: 'ListenerSet', name: 'apps', sectionName: 'own' };
const service = { namespace: 'certway-system', name: 'solver', port: 8089 };
const owner = { apiVersion: 'acme.cert-manager.io/v1', kind: 'Order', name: 'web-1', uid: 'u1' };
const bare = challengeRoute({
  host: 'foo.com',
  parentRefs: [http, set],
  namespace: 'team-b',
  service,
  owner,
  labels: {},
});

type Opinion = readonly [parentRef: typeof http | typeof set, ...conditions: readonly Condition[]];

function route(...opinions: readonly Opinion[]): HttpRoute {
  const parents = opinions.map(([parentRef, ...conditions]) => ({
    parentRef,
    controllerName: 'example.com/gw',
    conditions,
  }));
  return {
    ...bare,
    metadata: { ...bare.metadata, generation: 2, creationTimestamp: '2026-01-01T00:00:00Z' },
    status: { parents },
  };
}

const yes = (type = 'Accepted'): Condition => ({ type, status: 'True', reason: type, observedGeneration: 2 });
const no = (reason: string, type = 'Accepted'): Condition => ({
  type,
  status: 'False',
  reason,
  observedGeneration: 2,
  message: 'other-tenant/secret',
});

describe('a refusal', () => {
  test.each<[string, 'Accepted' | 'ResolvedRefs', string]>([
    [
      'NotAllowedByListeners',
      'Accepted',
      'The Gateway’s listener http does not allow routes from team-b (Gateway infra/parent); its owner can allow them in allowedRoutes.',
    ],
    [
      'NoMatchingParent',
      'Accepted',
      'The Gateway’s listener http does not exist for the data plane (Gateway infra/parent).',
    ],
    [
      'NoMatchingListenerHostname',
      'Accepted',
      'The Gateway’s listener http takes no requests for foo.com (Gateway infra/parent): its hostname is another, or another listener has this one.',
    ],
    ['NoReadyListeners', 'Accepted', 'The Gateway’s listener http is not ready (Gateway infra/parent).'],
    [
      'RefNotPermitted',
      'ResolvedRefs',
      'The data plane sees no ReferenceGrant that lets HTTPRoutes of team-b reach Service certway-system/solver.',
    ],
    [
      'BackendNotFound',
      'ResolvedRefs',
      'The data plane finds no Service certway-system/solver, which answers challenges; deploy it, or correct --acme-http01-solver-service.',
    ],
    [
      'UnsupportedValue',
      'Accepted',
      `example.com/gw refuses HTTPRoute team-b/${bare.metadata.name} (UnsupportedValue) at Gateway infra/parent.`,
    ],
    [
      '<script>',
      'Accepted',
      `example.com/gw refuses HTTPRoute team-b/${bare.metadata.name} (no reason) at Gateway infra/parent.`,
    ],
  ])('%s becomes a sentence that repeats no message', (reason, type, message) => {
    const said = route([
      http,
      type === 'Accepted' ? no(reason) : yes(),
      ...(type === 'ResolvedRefs' ? [no(reason, type)] : []),
    ]);
    expect(routeVerdict(said, [http], created)).toEqual({
      kind: 'refused',
      reason: reason === '<script>' ? 'no reason' : reason,
      message,
    });
  });

  test('is not one while another parent has not spoken, and none where another accepts', () => {
    expect(routeVerdict(route([http, no('NoMatchingParent')]), [http, set], created)).toEqual({ kind: 'pending' });
    const both = route([http, no('NoMatchingParent')], [set, yes(), yes('ResolvedRefs')]);
    expect(routeVerdict(both, [http, set], created)).toEqual({ kind: 'accepted' });
  });

  test('by a controller that does not serve the Gateway yields to one that does', () => {
    const both = route([http, no('NoMatchingParent')], [http, yes()]);
    expect(routeVerdict(both, [http], created)).toEqual({ kind: 'accepted' });
  });
});

describe('nobody has spoken', () => {
  test.each<[string, HttpRoute]>([
    ['at all', route()],
    ['about this parent', route([{ ...http, name: 'other' }, yes()])],
    ['about this section', route([{ ...http, sectionName: 'other' }, yes()])],
    ['about the route as it stands', route([http, { ...yes(), observedGeneration: 1 }])],
    ['clearly', route([http, { type: 'Accepted', status: 'Unknown', reason: 'Pending' }])],
  ])('%s', (_, said) => {
    expect(routeVerdict(said, [http], created + 9_999)).toEqual({ kind: 'pending' });
    expect(routeVerdict(said, [http], created + 10_000)).toEqual({
      kind: 'pending',
      message: `No controller has answered for HTTPRoute team-b/${bare.metadata.name}; is one running that serves Gateway infra/parent?`,
    });
  });
});

test('a controller that leaves observedGeneration out is believed', () => {
  const { observedGeneration: _, ...condition } = yes();
  expect(routeVerdict(route([http, condition]), [http], created)).toEqual({ kind: 'accepted' });
});
