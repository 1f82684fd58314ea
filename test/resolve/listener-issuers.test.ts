// `certway.dev/issuers`: an issuer for single listeners. What is wrong with one entry is that listener's matter alone.

import { describe, expect, test } from 'vitest';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import { clusterIssuer, https, names, only, onlyRefusal, openGateway, world } from './world.ts';

const a = https({ name: 'a', hostname: 'a.com', secret: 'a-tls' });
const b = https({ name: 'b', hostname: 'b.com', secret: 'b-tls' });

function resolve(value: string, listeners = [a, b], defaults = clusterIssuer('default')) {
  return resolveGateway(world(openGateway({ annotations: { ...defaults, 'certway.dev/issuers': value }, listeners })));
}

describe('entries that are accepted', () => {
  test.each([
    ['a=Issuer/x', { kind: 'Issuer', name: 'x', group: 'cert-manager.io' }],
    ['a=ClusterIssuer/x', { kind: 'ClusterIssuer', name: 'x', group: 'cert-manager.io' }],
    ['a=x', { kind: 'Issuer', name: 'x', group: 'cert-manager.io' }],
    [' a = ClusterIssuer/x.y , ', { kind: 'ClusterIssuer', name: 'x.y', group: 'cert-manager.io' }],
    ['b=Issuer/z,\n a=Issuer/x', { kind: 'Issuer', name: 'x', group: 'cert-manager.io' }],
    [
      'a=AWSPCAClusterIssuer.awspca.cert-manager.io/x',
      { kind: 'AWSPCAClusterIssuer', name: 'x', group: 'awspca.cert-manager.io' },
    ],
    ['a=Issuer/x, a=x', { kind: 'Issuer', name: 'x', group: 'cert-manager.io' }],
  ])('%j', (value, ref) => {
    const resolution = resolve(value);
    expect(resolution.refusals).toEqual([]);
    expect(resolution.wanted.find(({ name }) => name === 'a-tls')?.spec.issuerRef).toEqual(ref);
  });

  test('the other listeners keep the object’s issuer', () => {
    const refs = resolve('a=Issuer/x').wanted.map(
      ({ name, spec }) => `${name} ${spec.issuerRef.kind}/${spec.issuerRef.name}`,
    );
    expect(refs).toEqual(['a-tls Issuer/x', 'b-tls ClusterIssuer/default']);
  });

  test('without an issuer of the object, the other listeners get nothing, silently', () => {
    const resolution = resolve('a=Issuer/x', [a, b], {});
    expect(names(resolution)).toEqual(['infra/a-tls']);
    expect(resolution.refusals).toEqual([]);
  });

  test('an entry goes on where the object’s own annotation is broken', () => {
    const resolution = resolve('a=Issuer/x', [a, b], clusterIssuer(''));
    expect(names(resolution)).toEqual(['infra/a-tls']);
    expect(onlyRefusal(resolution)).toMatchObject({ reason: 'BadConfig', holds: ['b-tls'] });
  });
});

describe('entries that are refused leave their listener’s Certificate as it is, and the others go on', () => {
  test.each([
    ['a='],
    ['a=Issuer/'],
    ['a=/x'],
    ['a=Vault/x'],
    ['a=Issuer/x/y'],
    ['a=Issuer=x'],
    ['a'],
    ['a=ClusterIssuer.not a group/x'],
    ['a=Issuer/x, a=Issuer/y'],
  ])('%j', (value) => {
    const resolution = resolve(value);
    const refusal = onlyRefusal(resolution);
    expect(names(resolution)).toEqual(['infra/b-tls']);
    expect(refusal).toMatchObject({ reason: 'BadConfig', holds: ['a-tls'], suspends: [] });
    expect(refusal.message).toContain('Annotation certway.dev/issuers has "a');
    expect(refusal.message).toContain('accepted is for each listener of this object one entry such as "web=Issuer/x"');
  });

  test.each([['c=Issuer/x'], ['=Issuer/x'], ['Issuer/x']])('%j is told, but no listener is meant', (value) => {
    const resolution = resolve(value);
    expect(names(resolution)).toEqual(['infra/a-tls', 'infra/b-tls']);
    expect(onlyRefusal(resolution)).toMatchObject({ reason: 'BadConfig', holds: [] });
  });

  test('an empty list is told', () => {
    expect(onlyRefusal(resolve(' ')).message).toContain('Annotation certway.dev/issuers is empty');
  });

  test('several bad entries are one event', () => {
    const refusal = onlyRefusal(resolve('a=, b=Vault/x'));
    expect(refusal.message).toContain('has "a=" and "b=Vault/x"');
    expect(refusal.holds).toEqual(['a-tls', 'b-tls']);
  });
});

describe('listeners that share a Secret', () => {
  const shared = [a, { ...b, tls: a.tls ?? {} }];

  test('share its Certificate when they name the same issuer', () => {
    expect(only(resolve('a=ClusterIssuer/default', shared)).spec.dnsNames).toEqual(['a.com', 'b.com']);
  });

  test('are both refused, with one event, when they name different ones; what exists stays as it is', () => {
    const resolution = resolve('a=Issuer/x', shared);
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution)).toMatchObject({
      reason: 'BadConfig',
      holds: ['a-tls'],
      message:
        'Listeners "a" and "b" name one Secret, "a-tls", with different issuers, Issuer/x and ClusterIssuer/default; give each its own Secret, or all the same issuer.',
    });
  });

  test('are left as they are when the entry of one of them is bad', () => {
    const resolution = resolve('a=Issuer/', shared);
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution).holds).toEqual(['a-tls']);
  });

  test('a listener without an issuer has no part in it', () => {
    expect(only(resolve('a=Issuer/x', shared, {})).spec.dnsNames).toEqual(['a.com']);
  });
});
