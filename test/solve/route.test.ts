// The challenge route and its grant: what they say and what they are called.

import { describe, expect, test } from 'vitest';
import { hostLabel } from '../../src/solve/host.ts';
import { type ChallengeRoute, challengeRoute, grantFor } from '../../src/solve/route.ts';

const service = { namespace: 'certway-system', name: 'certway-http01', port: 8089 };
const owner = { apiVersion: 'acme.cert-manager.io/v1', kind: 'Order', name: 'web-1', uid: 'u1' };
const parent = { name: 'parent', namespace: 'infra', sectionName: 'http' };
const base: ChallengeRoute = {
  host: 'foo.com',
  parentRefs: [parent],
  namespace: 'team-a',
  service,
  owner,
  labels: { team: 'a' },
};

test('a route leads one hostname’s challenge path to our Service', () => {
  expect(challengeRoute(base)).toEqual({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      name: expect.stringMatching(/^acme-foo-com-[0-9a-f]{10}$/),
      namespace: 'team-a',
      labels: { team: 'a', 'app.kubernetes.io/managed-by': 'certway' },
      ownerReferences: [owner],
    },
    spec: {
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          namespace: 'infra',
          name: 'parent',
          sectionName: 'http',
        },
      ],
      hostnames: ['foo.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/.well-known/acme-challenge/' } }],
          backendRefs: [
            { group: '', kind: 'Service', namespace: 'certway-system', name: 'certway-http01', port: 8089, weight: 1 },
          ],
        },
      ],
    },
  });
});

describe('the name of a route', () => {
  const nameOf = (changes: Partial<ChallengeRoute>) => challengeRoute({ ...base, ...changes }).metadata.name;

  test('depends on the parent and the hostname, not on the Order', () => {
    expect(nameOf({ owner: { ...owner, uid: 'u2' }, labels: {}, host: 'FOO.com' })).toBe(nameOf({}));
    const others = [
      { host: 'bar.com' },
      { parentRefs: [{ ...parent, name: 'other' }] },
      { parentRefs: [{ ...parent, namespace: 'other' }] },
      { parentRefs: [{ ...parent, kind: 'ListenerSet' }] },
      { parentRefs: [{ ...parent, sectionName: 'other' }] },
      { parentRefs: [parent, { ...parent, name: 'other' }] },
    ];
    expect(new Set([{}, ...others].map(nameOf)).size).toBe(7);
  });

  test.each([
    'foo.com',
    `${'a'.repeat(63)}.${'b'.repeat(63)}.com`,
    '_x.foo.com',
    `${'a'.repeat(41)}.b.com`,
    '10.0.0.1',
    '2001:db8::1',
    '::',
  ])('is a DNS label for %s', (host) => {
    expect(nameOf({ host })).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });
});

test('the parent’s defaults are spelled out, so that none is listed twice, and the solver’s labels cannot override ours', () => {
  const route = challengeRoute({
    ...base,
    parentRefs: [{ name: 'p' }, { name: 'p', namespace: 'team-a' }],
    labels: { 'app.kubernetes.io/managed-by': 'evil' },
  });
  expect(route.spec.parentRefs).toEqual([
    { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'team-a', name: 'p' },
  ]);
  expect(route.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'certway' });
});

test('an IP address is no hostname of a route', () => {
  expect(challengeRoute({ ...base, host: '10.0.0.1' }).spec).not.toHaveProperty('hostnames');
});

test('a wildcard never gets a route', () => {
  expect(() => challengeRoute({ ...base, host: '*.foo.com' })).toThrow('wildcard');
});

test('a grant lets one namespace’s HTTPRoutes reach our Service alone', () => {
  const grant = grantFor('team-a', service);
  expect(grant).toMatchObject({
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { namespace: 'certway-system', labels: { 'app.kubernetes.io/managed-by': 'certway' } },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'team-a' }],
      to: [{ group: '', kind: 'Service', name: 'certway-http01' }],
    },
  });
  expect(grant.metadata.name).toMatch(/^acme-team-a-[0-9a-f]{10}$/);
  expect(grantFor('n'.repeat(63), service).metadata.name.length).toBeLessThanOrEqual(63);
});

test.each(['foo.com', '*.foo.com', `${'a.'.repeat(120)}com`])('the label of %s is a valid label name', (host) => {
  expect(hostLabel(host)).toMatch(/^[0-9a-f]{40}$/);
  expect(hostLabel(host.toUpperCase())).toBe(hostLabel(host));
});
