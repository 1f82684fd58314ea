// Which listeners get which Certificates: cert-manager's cases by their number in reference/cert-manager.md §6, and what its users miss.

import { describe, expect, test } from 'vitest';
import type { Gateway, Listener } from '../../src/api/gateway.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import type { ResolveOptions } from '../../src/resolve/world.ts';
import {
  type Annotations,
  clusterIssuer,
  gateway,
  https,
  listenerSet,
  names,
  only,
  onlyRefusal,
  openGateway,
  told,
  without,
  world,
} from './world.ts';

const ca = clusterIssuer('ca');

function resolve(listeners: readonly Listener[], annotations: Annotations = {}, options: Partial<ResolveOptions> = {}) {
  return resolveGateway(world(gateway({ annotations: { ...ca, ...annotations }, listeners }), [], { with: options }));
}

function onSet(listeners: readonly Listener[], annotations: Annotations = {}, options: Partial<ResolveOptions> = {}) {
  const set = listenerSet({ annotations: { ...ca, ...annotations }, listeners });
  return resolveGateway(world(openGateway(), [set], { with: options }));
}

/** The same table holds for a Gateway and for a ListenerSet. */
const both = [
  ['Gateway', resolve],
  ['ListenerSet', onSet],
] as const;

describe.each(both)('listeners of a %s', (kind, resolveListeners) => {
  const namespace = kind === 'Gateway' ? 'infra' : 'team';
  const a = https({ name: 'a', hostname: 'a.com', secret: 'a-tls' });
  const b = https({ name: 'b', hostname: 'b.com', secret: 'b-tls' });

  test.each(['HTTPS', 'TLS'])('1, 2. %s with a Secret gives a Certificate of that name, whole', (protocol) => {
    const certificate = only(resolveListeners([https({ protocol })], { 'cert-manager.io/common-name': 'foo.com' }));
    expect(certificate).toEqual({
      owner: {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind,
        namespace,
        name: kind === 'Gateway' ? 'gw' : 'set',
        uid: kind === 'Gateway' ? 'uid-infra-gw' : 'uid-team-set',
      },
      generation: 3,
      namespace,
      name: 'foo-tls',
      spec: {
        secretName: 'foo-tls',
        issuerRef: { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' },
        commonName: 'foo.com',
        dnsNames: ['foo.com'],
        usages: ['digital signature', 'key encipherment'],
      },
      labels: {},
      annotations: {
        'acme.cert-manager.io/http01-parentrefkind': kind,
        'acme.cert-manager.io/http01-parentrefname': kind === 'Gateway' ? 'gw' : 'set',
        ...(kind !== 'Gateway' && { 'certway.dev/gateway': 'infra/gw' }),
      },
      issuerFrom: expect.objectContaining({ kind }),
      listeners: ['web'],
    });
  });

  test('3, 4. one Secret collects its listeners’ hostnames, each once, as first seen', () => {
    const hosts = ['c.com', 'a.com', 'c.com', 'b.com'];
    const listeners = hosts.map((hostname, i) => https({ name: `l${i}`, hostname, port: 443 + i }));
    expect(only(resolveListeners(listeners)).spec.dnsNames).toEqual(['c.com', 'a.com', 'b.com']);
  });

  test('5. two Secrets give two Certificates', () => {
    expect(names(resolveListeners([a, b]))).toEqual([`${namespace}/a-tls`, `${namespace}/b-tls`]);
  });

  test('a listener with two Secrets gives two Certificates for its host', () => {
    const tls = { mode: 'Terminate' as const, certificateRefs: [{ name: 'rsa' }, { name: 'ecdsa' }, { name: 'rsa' }] };
    const resolution = resolveListeners([https({ tls })]);
    expect(resolution.wanted.map(({ name, spec }) => [name, spec.dnsNames])).toEqual([
      ['rsa', ['foo.com']],
      ['ecdsa', ['foo.com']],
    ]);
  });

  const ref = (parts: object) =>
    https({ name: 'a', tls: { mode: 'Terminate', certificateRefs: [{ name: 'x', ...parts }] } });
  const refused: Readonly<Record<string, readonly [Listener, string]>> = {
    '6. no hostname': [
      without(https({ name: 'a' }), 'hostname'),
      'spec.listeners[0].hostname is not set; name the host',
    ],
    '6. an empty hostname': [https({ name: 'a', hostname: '' }), 'spec.listeners[0].hostname is not set'],
    '7. no certificateRefs': [
      https({ name: 'a', tls: { mode: 'Terminate' } }),
      'spec.listeners[0].tls.certificateRefs is empty; name the Secret',
    ],
    '7. empty certificateRefs': [
      https({ name: 'a', tls: { certificateRefs: [] } }),
      'spec.listeners[0].tls.certificateRefs is empty',
    ],
    '9. another group': [
      ref({ group: 'vault.io' }),
      'spec.listeners[0].tls.certificateRefs[0].group is "vault.io"; leave it empty',
    ],
    '9. another kind': [
      ref({ kind: 'ConfigMap' }),
      'spec.listeners[0].tls.certificateRefs[0].kind is "ConfigMap"; only a Secret',
    ],
    '10. another namespace (14, 15, 16, 17 of Gateway API: with a grant or without)': [
      ref({ namespace: 'elsewhere' }),
      'spec.listeners[0].tls.certificateRefs[0].namespace is "elsewhere"; certificates are only written in the namespace of the object',
    ],
    '11. no tls': [without(https({ name: 'a' }), 'tls'), 'spec.listeners[0].tls is not set; add certificateRefs'],
    'TLS without a mode': [
      https({ name: 'a', protocol: 'TLS', tls: { certificateRefs: [{ name: 'x' }] } }),
      'spec.listeners[0].tls.mode is not set; set it to Terminate',
    ],
    'a name that no Secret can have': [
      ref({ name: 'Foo_TLS' }),
      'spec.listeners[0].tls.certificateRefs[0].name is "Foo_TLS"',
    ],
  };
  test.each(Object.entries(refused))('%s is refused, the others go on', (_, [listener, message]) => {
    const resolution = resolveListeners([listener, b]);
    const refusal = onlyRefusal(resolution);
    expect(names(resolution)).toEqual([`${namespace}/b-tls`]);
    expect(refusal).toMatchObject({ reason: 'BadConfig', generation: 3, suspends: [], holds: [] });
    expect(refusal.message).toContain(`Listener "a" gets no certificate: ${message}`);
  });

  test('several faults of one listener are one event', () => {
    const tls = {
      mode: 'Terminate' as const,
      certificateRefs: [{ name: 'x', kind: 'ConfigMap', namespace: 'elsewhere' }],
    };
    const { message } = onlyRefusal(resolveListeners([without(https({ name: 'a', tls }), 'hostname')]));
    expect(message.split('; ').filter((part) => part.startsWith('spec.'))).toHaveLength(2);
    expect(message).toContain('.hostname is not set');
  });

  const accepted: Readonly<Record<string, Listener>> = {
    '10. its own namespace by name': ref({ namespace }),
    'the core group by name': ref({ group: 'core', kind: 'Secret' }),
    'empty group and kind': ref({ group: '', kind: '' }),
    'whatever routes it allows (8, 9 of Gateway API)': https({
      allowedRoutes: { namespaces: { from: 'Same' }, kinds: [{ kind: 'TLSRoute' }] },
    }),
    'HTTPS without a mode': https({ tls: { certificateRefs: [{ name: 'x' }] } }),
  };
  test.each(Object.entries(accepted))('%s is accepted', (_, listener) => {
    const resolution = resolveListeners([listener]);
    expect(told(resolution)).toEqual([]);
    expect(resolution.wanted).toHaveLength(1);
  });

  const quiet: Readonly<Record<string, Listener>> = {
    '8. passthrough': https({ protocol: 'TLS', tls: { mode: 'Passthrough', certificateRefs: [{ name: 'x' }] } }),
    HTTP: without(https({ protocol: 'HTTP', port: 80 }), 'tls'),
    'TCP and others': without(https({ protocol: 'TCP' }), 'tls'),
    '29. an extra protocol that is not configured': https({ protocol: 'DTLS' }),
    'a protocol in lower case': https({ protocol: 'https' }),
  };
  test.each(Object.entries(quiet))('%s is passed over in silence', (_, listener) => {
    const resolution = resolveListeners([listener]);
    expect(resolution.wanted).toEqual([]);
    expect(resolution.refusals).toEqual([]);
  });

  test('29, 30. an extra protocol counts once configured, except for passthrough; HTTPS among them changes nothing', () => {
    const dtls = https({ name: 'd', protocol: 'DTLS', secret: 'd-tls', hostname: 'd.com' });
    const through = https({ name: 'e', protocol: 'DTLS', hostname: 'e.com', tls: { mode: 'Passthrough' } });
    const resolution = resolveListeners([a, dtls, through], {}, { extraProtocols: ['DTLS', 'HTTPS'] });
    expect(names(resolution)).toEqual([`${namespace}/a-tls`, `${namespace}/d-tls`]);
    expect(resolution.refusals).toEqual([]);
  });

  const ignoring: readonly (readonly [string, readonly string[]])[] = [
    ['a, b', []],
    ['a', ['b-tls']],
    [' b ', ['a-tls']],
    ['a-', ['a-tls', 'b-tls']],
    ['', ['a-tls', 'b-tls']],
  ];
  test.each(ignoring)('32. ignore-tls-listeners %j leaves %j', (value, left) => {
    const resolution = resolveListeners([a, b], { 'cert-manager.io/ignore-tls-listeners': value });
    expect(resolution.wanted.map(({ name }) => name)).toEqual(left);
    expect(resolution.refusals).toEqual([]);
  });

  test('32. an ignored listener is not validated either', () => {
    const ignored = without(https({ name: 'a' }), 'hostname');
    expect(told(resolveListeners([ignored, b], { 'cert-manager.io/ignore-tls-listeners': 'a' }))).toEqual([]);
  });

  test('an address as hostname goes to ipAddresses', () => {
    const { spec } = only(
      resolveListeners([https({ hostname: '192.0.2.7' }), https({ name: 'b', hostname: 'b.com' })]),
    );
    expect(spec).toMatchObject({ dnsNames: ['b.com'], ipAddresses: ['192.0.2.7'] });
  });

  test('a wildcard passes through', () => {
    expect(only(resolveListeners([https({ hostname: '*.foo.com' })])).spec.dnsNames).toEqual(['*.foo.com']);
  });

  test('a wildcard is refused under the strict policy, and what exists is not renewed', () => {
    const wild = https({ name: 'wild', hostname: '*.foo.com', secret: 'wild-tls' });
    const resolution = resolveListeners([wild, a], {}, { hostnamePolicy: 'strict' });
    expect(names(resolution)).toEqual([`${namespace}/a-tls`]);
    expect(onlyRefusal(resolution)).toMatchObject({ reason: 'WildcardHostname', suspends: ['wild-tls'] });
  });
});

describe('objects on their way out are not acted for', () => {
  const leaving = {
    'a deletionTimestamp': { deletionTimestamp: '2026-01-02T00:00:00Z' },
    '24. foregroundDeletion': { finalizers: ['foregroundDeletion'] },
  };
  test.each(Object.entries(leaving))('%s', (_, metadata) => {
    const dying: Gateway = gateway({ annotations: ca, listeners: [https()], metadata });
    expect(resolveGateway(world(dying))).toMatchObject({ subjects: [], wanted: [], refusals: [] });
    const set = listenerSet({ annotations: ca, metadata });
    expect(resolveGateway(world(openGateway(), [set])).subjects.map(({ kind }) => kind)).toEqual(['Gateway']);
  });
});
