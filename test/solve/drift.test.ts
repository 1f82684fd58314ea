// Which standing route is taken as done, which is put right, and which is not ours.

import { describe, expect, test } from 'vitest';
import type { HttpRoute } from '../../src/api/gateway.ts';
import { grantDrift, routeDrift } from '../../src/solve/drift.ts';
import { challengeRoute, grantFor } from '../../src/solve/route.ts';

const service = { namespace: 'certway-system', name: 'solver', port: 8089 };
const owner = { apiVersion: 'acme.cert-manager.io/v1', kind: 'Order', name: 'web-1', uid: 'u1' };
const wanted = challengeRoute({
  host: 'foo.com',
  parentRefs: [{ name: 'parent', sectionName: 'http' }],
  namespace: 'team-a',
  service,
  owner,
  labels: { team: 'a' },
});
/** As the server gives it back. */
const standing: HttpRoute = {
  ...wanted,
  metadata: { ...wanted.metadata, uid: 'r1', resourceVersion: '7', generation: 1 },
  status: { parents: [] },
};

const [rule = {}] = standing.spec.rules ?? [];
const withRule = (change: object): HttpRoute => ({
  ...standing,
  spec: { ...standing.spec, rules: [{ ...rule, ...change }] },
});
const withMeta = (change: object): HttpRoute => ({ ...standing, metadata: { ...standing.metadata, ...change } });

describe('a route is the same', () => {
  test.each<[string, HttpRoute]>([
    ['as it was written', standing],
    ['with its keys in another order', { ...standing, spec: Object(reversed(standing.spec)) }],
    [
      'with labels and annotations of others',
      withMeta({ labels: { ...wanted.metadata.labels, x: 'y' }, annotations: { a: 'b' } }),
    ],
    ['with a timeout and a name', withRule({ timeouts: { request: '5s' }, name: 'acme' })],
    ['with a second Order as owner', withMeta({ ownerReferences: [{ ...owner, name: 'web-2', uid: 'u2' }, owner] })],
  ])('%s', (_, existing) => {
    expect(routeDrift(existing, wanted)).toEqual({ kind: 'same' });
  });
});

/** The same with the keys of each object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)] as const);
  return Object.fromEntries(entries.toReversed());
}

describe('a route has drifted', () => {
  test.each<[string, HttpRoute]>([
    ['in its hostname', { ...standing, spec: { ...standing.spec, hostnames: ['bar.com'] } }],
    ['in its parents', { ...standing, spec: { ...standing.spec, parentRefs: [{ name: 'parent' }] } }],
    ['in its path', withRule({ matches: [{ path: { type: 'PathPrefix', value: '/' } }] })],
    [
      'by a condition on headers',
      withRule({ matches: [{ ...rule.matches?.[0], headers: [{ name: 'x', value: 'y' }] }] }),
    ],
    ['by a redirect', withRule({ filters: [{ type: 'RequestRedirect' }] })],
    ['by another backend', withRule({ backendRefs: [...(rule.backendRefs ?? []), { name: 'evil', port: 80 }] })],
    ['by a second rule', { ...standing, spec: { ...standing.spec, rules: [rule, rule] } }],
    ['in the solver’s labels', withMeta({ labels: { ...wanted.metadata.labels, team: 'b' } })],
  ])('%s, and is put right', (_, existing) => {
    const found = routeDrift(existing, wanted);
    expect(found).toMatchObject({
      kind: 'drifted',
      replacement: { metadata: { resourceVersion: '7' }, spec: wanted.spec },
    });
    if (found.kind === 'drifted') expect(routeDrift(found.replacement, wanted)).toEqual({ kind: 'same' });
  });

  test('that another Order has put up: it stays until both are gone', () => {
    const other = { ...owner, name: 'web-2', uid: 'u2' };
    expect(routeDrift(withMeta({ ownerReferences: [other], annotations: { a: 'b' } }), wanted)).toMatchObject({
      kind: 'drifted',
      replacement: { metadata: { ownerReferences: [other, owner], annotations: { a: 'b' } } },
    });
  });
});

describe('a route is not ours', () => {
  test.each<[string, object]>([
    ['without our label', { labels: { team: 'a' } }],
    ['without an owner', { ownerReferences: [] }],
    ['that something else than an Order owns', { ownerReferences: [{ ...owner, kind: 'ConfigMap' }] }],
    ['of another group’s Order', { ownerReferences: [{ ...owner, apiVersion: 'shop.example.com/v1' }] }],
  ])('%s: a sentence', (_, change) => {
    expect(routeDrift(withMeta(change), wanted)).toEqual({
      kind: 'foreign',
      message: `HTTPRoute team-a/${wanted.metadata.name} exists and is not Certway’s; rename or delete it, as the challenge route for foo.com needs that name.`,
    });
  });
});

test('a route on its way out is waited for', () => {
  expect(routeDrift(withMeta({ deletionTimestamp: '2026-01-01T00:00:00Z' }), wanted)).toEqual({ kind: 'leaving' });
});

describe('a grant', () => {
  const grant = grantFor('team-a', service);
  const read = { ...grant, metadata: { ...grant.metadata, resourceVersion: '3' } };

  test('for the same Service is the same, for another is put right', () => {
    expect(grantDrift(read, grant)).toEqual({ kind: 'same' });
    const moved = grantFor('team-a', { ...service, name: 'other' });
    expect(grantDrift(read, moved)).toEqual({ kind: 'drifted', replacement: { ...read, spec: moved.spec } });
  });

  test('without our label is somebody else’s', () => {
    expect(grantDrift({ ...read, metadata: { ...read.metadata, labels: {} } }, grant)).toMatchObject({
      kind: 'foreign',
      message: expect.stringContaining(`certway-system/${grant.metadata.name} exists and is not Certway’s`),
    });
  });
});
