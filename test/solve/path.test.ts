// By which parents a name is proven: the issuer's, the listener's own, none twice; and what is said where there is no way.

import { describe, expect, test } from 'vitest';
import type { AcmeSolver } from '../../src/api/certmanager.ts';
import type { Gateway, Listener, ListenerSet, ParentRef } from '../../src/api/gateway.ts';
import { type Landscape, type PathQuestion, proofPath } from '../../src/solve/path.ts';

const http = (name: string, more: Partial<Listener> = {}): Listener => ({
  name,
  protocol: 'HTTP',
  port: 80,
  allowedRoutes: { namespaces: { from: 'All' } },
  ...more,
});

function gateway(name: string, ...listeners: readonly Listener[]): Gateway {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'infra', name },
    spec: { gatewayClassName: 'eg', listeners },
  };
}

function set(kind: 'ListenerSet' | 'XListenerSet', ...listeners: readonly Listener[]): ListenerSet {
  return {
    apiVersion: kind === 'ListenerSet' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1',
    kind,
    metadata: { namespace: 'team-a', name: 'apps' },
    spec: { parentRef: { name: 'shared', namespace: 'infra' }, listeners },
  };
}

const gateways: Readonly<Record<string, Gateway>> = {
  'infra/shared': gateway(
    'shared',
    http('web'),
    http('alt', { port: 8080 }),
    http('tls', { protocol: 'HTTPS', port: 443 }),
  ),
  'infra/inner': gateway('inner', http('plain')),
  'infra/https-only': gateway('https-only', http('tls', { protocol: 'HTTPS', port: 443 })),
  'infra/closed': gateway('closed', http('web', { allowedRoutes: {} })),
  'team-a/own': { ...gateway('own', http('web')), metadata: { namespace: 'team-a', name: 'own' } },
};

const landscape: Landscape = {
  gateway: (key) => gateways[key],
  listenerSet: (kind, key) =>
    key === 'team-a/apps' && kind === 'ListenerSet' ? set('ListenerSet', http('mine')) : undefined,
  namespaceLabels: () => ({}),
};

const by = (parentRefs?: readonly ParentRef[], more: Partial<AcmeSolver> = {}): AcmeSolver => ({
  http01: { gatewayHTTPRoute: { ...(parentRefs && { parentRefs }), labels: { team: 'a' } } },
  ...more,
});

const noted = (kind: string, name: string, namespace?: string): Readonly<Record<string, string>> => ({
  'acme.cert-manager.io/http01-parentrefkind': kind,
  'acme.cert-manager.io/http01-parentrefname': name,
  ...(namespace !== undefined && { 'acme.cert-manager.io/http01-parentrefnamespace': namespace }),
});

function path(question: Partial<PathQuestion>) {
  return proofPath({ host: 'foo.com', namespace: 'team-a', annotations: {}, solver: by(), landscape, ...question });
}

/** `Kind ns/name#section:port` of each parent, or the refusal. */
function said(question: Partial<PathQuestion>): string {
  const found = path(question);
  if (found.kind === 'closed') return found.refusal;
  const parts = found.parentRefs.map(({ kind, namespace, name, sectionName = '', port }) =>
    [`${kind} ${namespace}/${name}#${sectionName}`, ...(port === undefined ? [] : [port])].join(':'),
  );
  return parts.join(' + ');
}

const shared = { name: 'shared', namespace: 'infra' };

describe('the parents are', () => {
  test.each<[string, Partial<PathQuestion>, string]>([
    ['the one of the annotations', { annotations: noted('Gateway', 'shared', 'infra') }, 'Gateway infra/shared#web'],
    ['one of the own namespace', { annotations: noted('Gateway', 'own') }, 'Gateway team-a/own#web'],
    ['the ListenerSet’s own listener', { annotations: noted('ListenerSet', 'apps') }, 'ListenerSet team-a/apps#mine'],
    ['the issuer’s, with the right listener', { solver: by([shared]) }, 'Gateway infra/shared#web'],
    [
      'all of the issuer’s',
      { solver: by([shared, { name: 'inner', namespace: 'infra' }]) },
      'Gateway infra/shared#web + Gateway infra/inner#plain',
    ],
    [
      'the issuer’s and the listener’s own',
      { solver: by([{ name: 'inner', namespace: 'infra' }]), annotations: noted('ListenerSet', 'apps') },
      'Gateway infra/inner#plain + ListenerSet team-a/apps#mine',
    ],
    [
      'none twice, though one names its namespace and the other does not',
      {
        solver: by([{ name: 'own' }, { name: 'own', namespace: 'team-a' }]),
        annotations: noted('Gateway', 'own', 'team-a'),
      },
      'Gateway team-a/own#web',
    ],
    [
      'with the issuer’s section for the same parent',
      { solver: by([{ ...shared, sectionName: 'tls' }]), annotations: noted('Gateway', 'shared', 'infra') },
      'Gateway infra/shared#tls',
    ],
    [
      'two sections of one parent',
      {
        solver: by([
          { ...shared, sectionName: 'tls' },
          { ...shared, sectionName: 'web' },
        ]),
      },
      'Gateway infra/shared#tls + Gateway infra/shared#web',
    ],
    ['on the issuer’s port', { solver: by([{ ...shared, port: 8080 }]) }, 'Gateway infra/shared#alt:8080'],
    [
      'those that can serve the host',
      { solver: by([shared, { name: 'https-only', namespace: 'infra' }]) },
      'Gateway infra/shared#web',
    ],
    [
      'a parent of a kind that we do not know, as it is',
      { solver: by([{ group: '', kind: 'Service', name: 'mesh' }]) },
      'Service team-a/mesh#',
    ],
    ['an IP address’s too', { host: '192.0.2.1', annotations: noted('Gateway', 'own') }, 'Gateway team-a/own#web'],
  ])('%s', (_, question, expected) => {
    expect(said(question)).toBe(expected);
  });

  test('named with group and namespace, beside the solver’s labels and the Gateways’ keys', () => {
    expect(path({ annotations: noted('ListenerSet', 'apps') })).toEqual({
      kind: 'open',
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'ListenerSet',
          namespace: 'team-a',
          name: 'apps',
          sectionName: 'mine',
        },
      ],
      labels: { team: 'a' },
      gateways: ['infra/shared'],
    });
  });

  test('of a ListenerSet that is not watched: the Gateway that was noted', () => {
    const annotations = { ...noted('XListenerSet', 'apps'), 'certway.dev/gateway': 'infra/shared' };
    expect(said({ annotations, landscape: { ...landscape, listenerSet: () => 'unwatched' } })).toBe(
      'Gateway infra/shared#web',
    );
  });
});

describe('there is no way, and a sentence, for', () => {
  test.each<[string, Partial<PathQuestion>, RegExp]>([
    ['no parent at all', {}, /^No Gateway is known through which foo\.com can be proven; set parentRefs/],
    [
      'a kind without name',
      { annotations: { 'acme.cert-manager.io/http01-parentrefkind': 'Gateway' } },
      /^The annotation \S+parentrefkind stands without \S+parentrefname; set both, or neither\.$/,
    ],
    [
      'a name without kind, whatever the issuer names',
      { annotations: { 'acme.cert-manager.io/http01-parentrefname': 'own' }, solver: by([shared]) },
      /^The annotation \S+parentrefname stands without \S+parentrefkind/,
    ],
    [
      'a Gateway with HTTPS alone',
      { annotations: noted('Gateway', 'https-only', 'infra') },
      /^Gateway infra\/https-only has no HTTP listener on port 80 at all, .* \(for the Gateway’s owner\)\.$/,
    ],
    [
      'a Gateway that keeps our namespace out',
      { annotations: noted('Gateway', 'closed', 'infra') },
      /^Listener web of Gateway infra\/closed does not allow routes from namespace team-a; .* \(for the Gateway’s owner\)\.$/,
    ],
    ['a Gateway that is not there', { solver: by([{ name: 'gone' }]) }, /^Gateway team-a\/gone does not exist\.$/],
    [
      'a set that is not there',
      { annotations: noted('ListenerSet', 'gone') },
      /^ListenerSet team-a\/gone does not exist\.$/,
    ],
    ['a wildcard', { host: '*.foo.com', solver: by([shared]) }, /^HTTP-01 cannot prove the wildcard/],
    ['a wait that is none', { solver: by([shared], { waitInsteadOfSelfCheck: 'soon' }) }, /^waitInsteadOfSelfCheck /],
    [
      'a wait of less than nothing',
      { solver: by([shared], { waitInsteadOfSelfCheck: '-5s' }) },
      /^waitInsteadOfSelfCheck /,
    ],
  ])('%s', (_, question, expected) => {
    expect(said(question)).toMatch(expected);
  });
});

test.each([
  ['30s', 30_000],
  ['0', 0],
  ['1m30s', 90_000],
  // An order that waits holds its places in the CA's limits.
  ['100h', 3_600_000],
])('a solver may ask to wait %s instead of looking', (text, waitMs) => {
  expect(path({ solver: by([shared], { waitInsteadOfSelfCheck: text }) })).toMatchObject({ kind: 'open', waitMs });
});
