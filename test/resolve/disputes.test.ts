// Who holds a port and hostname on a Gateway, and who names a Secret: the Gateway first, then the older, then by namespace and name.
// 5 and 6 are the conformance scenarios of reference/gateway-api.md §3.

import { describe, expect, test } from 'vitest';
import type { Listener, ListenerSet } from '../../src/api/gateway.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import {
  clusterIssuer,
  condition,
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

const at = (time: string) => ({ creationTimestamp: `2026-01-01T00:00:${time}Z` });

function host(hostname: string, more: Parameters<typeof https>[0] = {}): Listener {
  const name = hostname.replaceAll('.', '-').replace('*', 'any');
  return https({ name, hostname, secret: name, ...more });
}

function setOf(name: string, hosts: readonly Listener[], more: Parameters<typeof listenerSet>[0] = {}): ListenerSet {
  return listenerSet({ name, annotations: issuer('a'), listeners: hosts, ...more });
}

describe('hostnames', () => {
  test('5. losers get nothing, and keep what nobody else holds', () => {
    const object = openGateway({ annotations: clusterIssuer('b'), listeners: [host('g1.com'), host('g2.com')] });
    const sets = [
      setOf('d', [host('s.com')], { namespace: 'four' }),
      setOf('c', [host('new-c.com'), host('s.com')], { namespace: 'three' }),
      setOf('b', [host('g2.com')], { namespace: 'two' }),
      setOf('a', [host('new-a.com'), host('g2.com'), host('s.com')], { namespace: 'one' }),
    ].map((set): ListenerSet => ({ ...set, metadata: { ...set.metadata, ...at('01') } }));
    // Of one age: the order is that of "namespace/name".
    const resolution = resolveGateway(world(object, sets));
    expect(names(resolution).toSorted()).toEqual([
      'four/s-com',
      'infra/g1-com',
      'infra/g2-com',
      'one/new-a-com',
      'three/new-c-com',
    ]);
    const lost = resolution.refusals.map(({ about, reason, suspends }) => `${about.namespace} ${reason} ${suspends}`);
    expect(lost.toSorted()).toEqual([
      'one HostnameConflict g2-com',
      'one HostnameConflict s-com',
      'three HostnameConflict s-com',
      'two HostnameConflict g2-com',
    ]);
  });

  test('6. the same with other protocols', () => {
    const tcp = without(without(https({ name: 'tcp', protocol: 'TCP', port: 443 }), 'tls'), 'hostname');
    const object = openGateway({ listeners: [tcp] });
    const resolution = resolveGateway(world(object, [setOf('a', [host('a.com'), host('b.com', { port: 8443 })])]));
    expect(names(resolution)).toEqual(['team/b-com']);
    expect(onlyRefusal(resolution)).toMatchObject({ reason: 'ProtocolConflict', suspends: ['a-com'] });
  });

  test('6. a TCP listener that comes later takes nothing', () => {
    const tcp = without(without(https({ name: 'tcp', protocol: 'TCP', port: 443 }), 'tls'), 'hostname');
    const sets = [setOf('a', [host('a.com')]), setOf('b', [tcp]), setOf('c', [host('c.com')])];
    expect(names(resolveGateway(world(openGateway(), sets)))).toEqual(['team/a-com', 'team/c-com']);
  });

  test.each([
    ['the older', [at('02'), at('01')], 'team/set-1'],
    ['of one age, the first by name', [at('01'), at('01')], 'team/set-0'],
  ])('%s wins', (_, ages, winner) => {
    const sets = ages.map((age, i) =>
      setOf(`set-${i}`, [host('s.com', { tls: { certificateRefs: [{ name: `set-${i}` }] } })], { metadata: age }),
    );
    expect(names(resolveGateway(world(openGateway(), sets)))).toEqual([winner]);
  });

  const apart: readonly (readonly [string, Listener, Listener])[] = [
    ['other hosts', host('a.com'), host('b.com')],
    ['a wildcard and a host under it', host('*.a.com'), host('x.a.com')],
    ['other ports', host('a.com', { secret: 'x' }), host('a.com', { port: 8443, secret: 'y' })],
    ['UDP beside TLS', without(without(https({ name: 'udp', protocol: 'UDP' }), 'tls'), 'hostname'), host('a.com')],
    ['DTLS beside TLS', host('a.com', { protocol: 'DTLS', secret: 'x' }), host('a.com', { secret: 'y' })],
  ];
  test.each(apart)('%s are no dispute', (_, first, second) => {
    const named = { ...second, tls: { mode: 'Terminate' as const, certificateRefs: [{ name: 'second' }] } };
    const resolution = resolveGateway(world(openGateway(), [setOf('a', [first]), setOf('b', [named])]));
    expect(resolution.refusals).toEqual([]);
    expect(names(resolution)).toContain('team/second');
  });

  const equal: readonly (readonly [string, Listener, string])[] = [
    ['TLS and HTTPS', host('a.com', { protocol: 'TLS' }), 'ProtocolConflict'],
    ['HTTP and HTTPS', without(host('a.com', { protocol: 'HTTP' }), 'tls'), 'ProtocolConflict'],
    [
      'passthrough, which is not for us',
      host('a.com', { protocol: 'TLS', tls: { mode: 'Passthrough' } }),
      'ProtocolConflict',
    ],
    ['another case', host('A.com', { secret: 'upper' }), 'HostnameConflict'],
  ];
  test.each(equal)('%s of one host and port are a dispute', (_, first, reason) => {
    const resolution = resolveGateway(
      world(openGateway(), [setOf('a', [first]), setOf('b', [host('a.com')], { namespace: 'two' })]),
    );
    expect(names(resolution)).not.toContain('two/a-com');
    expect(onlyRefusal(resolution)).toMatchObject({ reason, suspends: ['a-com'] });
  });

  test('a set that brings its own Secret holds its hostname too', () => {
    const sets = [
      listenerSet({ name: 'a', listeners: [host('a.com')] }),
      setOf('b', [host('a.com')], { namespace: 'two' }),
    ];
    const resolution = resolveGateway(world(openGateway(), sets));
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution).about.name).toBe('b');
  });

  test('a loser that wants no certificate hears nothing', () => {
    const sets = [setOf('a', [host('a.com')]), listenerSet({ name: 'b', listeners: [host('a.com')] })];
    expect(resolveGateway(world(openGateway(), sets)).refusals).toEqual([]);
  });

  test('who is not admitted or is being deleted holds nothing', () => {
    const outside = setOf('a', [host('a.com')], { namespace: 'elsewhere' });
    const dying = setOf('b', [host('a.com')], {
      namespace: 'infra',
      metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' },
    });
    const inside = setOf('c', [host('a.com')], { namespace: 'infra' });
    const resolution = resolveGateway(world(gateway({ allowed: { from: 'Same' } }), [outside, dying, inside]));
    expect(names(resolution)).toEqual(['infra/a-com']);
  });

  test('the loser learns what is taken, and not by whom', () => {
    const sets = [
      setOf('secret-shop', [host('a.com')], { namespace: 'rival' }),
      setOf('b', [host('a.com')], { metadata: at('59') }),
    ];
    expect(onlyRefusal(resolveGateway(world(openGateway(), sets))).message).toBe(
      'Listener "a-com" gets no certificate: port 443 with hostname "a.com" is already taken on Gateway infra/gw; choose another hostname or port, or ask the owner of the Gateway.',
    );
  });

  test('the winner by spec is not stopped by a Conflicted that the data plane shows while Secrets are missing', () => {
    const conflicted = { 'a-com': [condition('Conflicted', 'True', 'HostnameConflict')] };
    const sets = [
      setOf('a', [host('a.com')], { listenerConditions: conflicted }),
      setOf('b', [host('a.com')], { namespace: 'two' }),
    ];
    const resolution = resolveGateway(world(openGateway(), sets));
    expect(names(resolution)).toEqual(['team/a-com']);
    expect(onlyRefusal(resolution).about.name).toBe('b');
  });
});

describe('objects of one namespace that name one Secret', () => {
  const shared = (hostname: string) => host(hostname, { tls: { certificateRefs: [{ name: 'shared' }] } });

  test('the older has it, the other is refused and told by whom; what exists stays as it is', () => {
    const sets = [
      setOf('a', [shared('a.com')], { metadata: at('02') }),
      setOf('b', [shared('b.com')], { metadata: at('01') }),
    ];
    const resolution = resolveGateway(world(openGateway(), sets));
    expect(resolution.wanted.map(({ owner, spec }) => [owner.name, spec.dnsNames])).toEqual([['b', ['b.com']]]);
    expect(onlyRefusal(resolution)).toMatchObject({
      about: { name: 'a' },
      reason: 'BadConfig',
      message: 'Secret "shared" is already named by ListenerSet "b", which is older; name another one in "a-com".',
      holds: ['shared'],
      suspends: [],
    });
  });

  test('a Gateway has no privilege here', () => {
    const object = gateway({
      allowed: { from: 'Same' },
      annotations: issuer('a'),
      listeners: [shared('gw.com')],
      metadata: at('05'),
    });
    const set = setOf('a', [shared('a.com')], { namespace: 'infra', metadata: at('04') });
    expect(resolveGateway(world(object, [set])).wanted.map(({ owner }) => owner.kind)).toEqual(['ListenerSet']);
  });

  test('of one age, the first by name has it', () => {
    const sets = [setOf('b', [shared('b.com')]), setOf('a', [shared('a.com')])];
    expect(resolveGateway(world(openGateway(), sets)).wanted.map(({ owner }) => owner.name)).toEqual(['a']);
  });

  test('a Secret is not lost because the older object’s annotations are broken for a while', () => {
    const broken = { ...issuer('a'), 'cert-manager.io/duration': 'soon' };
    const sets = [setOf('a', [shared('a.com')], { annotations: broken }), setOf('b', [shared('b.com')])];
    const resolution = resolveGateway(world(openGateway(), sets));
    expect(resolution.wanted).toEqual([]);
    expect(told(resolution)).toHaveLength(2);
  });

  test('in two namespaces they are two Secrets', () => {
    const sets = [setOf('a', [shared('a.com')]), setOf('b', [shared('b.com')], { namespace: 'two' })];
    expect(names(resolveGateway(world(openGateway(), sets)))).toEqual(['team/shared', 'two/shared']);
  });
});

describe('an XListenerSet and the ListenerSet of its name', () => {
  const old = setOf('a', [host('a.com')], { kind: 'XListenerSet', metadata: at('01') });
  const fresh = setOf('a', [host('a.com')], { metadata: at('30') });

  test('are one: the ListenerSet has the Certificate, and nothing is said', () => {
    const resolution = resolveGateway(world(openGateway(), [old, fresh]));
    expect(resolution.wanted.map(({ owner }) => owner.kind)).toEqual(['ListenerSet']);
    expect(resolution.refusals).toEqual([]);
  });

  test('what only the XListenerSet names stays with it', () => {
    const more = setOf('a', [host('a.com'), host('b.com')], { kind: 'XListenerSet' });
    const owners = resolveGateway(world(openGateway(), [more, fresh])).wanted.map(
      ({ name, owner }) => `${name} ${owner.kind}`,
    );
    expect(owners).toEqual(['a-com ListenerSet', 'b-com XListenerSet']);
  });

  test('have the age of the older, so that moving costs no hostname', () => {
    const rival = setOf('rival', [host('a.com')], { namespace: 'two', metadata: at('15') });
    const resolution = resolveGateway(world(openGateway(), [old, fresh, rival]));
    expect(names(resolution)).toEqual(['team/a-com']);
    expect(onlyRefusal(resolution).about.name).toBe('rival');
  });

  test('of other names are strangers', () => {
    const other = setOf('b', [host('a.com')], { metadata: at('30') });
    const resolution = resolveGateway(world(openGateway(), [old, other]));
    expect(resolution.wanted.map(({ owner }) => owner.kind)).toEqual(['XListenerSet']);
    expect(onlyRefusal(resolution).about.name).toBe('b');
  });
});
