// `certway.dev/inherit`: what ListenerSets take from their Gateway besides the issuer. Opt-in, by name, and never half of a unit.

import { describe, expect, test } from 'vitest';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import { type Annotations, clusterIssuer, https, issuer, listenerSet, names, openGateway, world } from './world.ts';

const prefix = 'cert-manager.io/';

function resolve(onGateway: Annotations, onSet: Annotations = {}) {
  const gateway = openGateway({ annotations: { ...clusterIssuer('b'), ...onGateway } });
  return resolveGateway(world(gateway, [listenerSet({ annotations: onSet })]));
}

const plain = {
  secretName: 'foo-tls',
  issuerRef: { name: 'b', kind: 'ClusterIssuer', group: 'cert-manager.io' },
  dnsNames: ['foo.com'],
  usages: ['digital signature', 'key encipherment'],
};

describe('a ListenerSet takes', () => {
  const ecdsa = { [`${prefix}private-key-algorithm`]: 'ECDSA', [`${prefix}private-key-size`]: '384' };
  const life = { [`${prefix}duration`]: '720h', [`${prefix}renew-before`]: '240h' };
  const inherit = (names: string) => ({ 'certway.dev/inherit': names });
  type Row = readonly [onGateway: Annotations, onSet: Annotations, expected: object];
  const rows: Readonly<Record<string, Row>> = {
    'nothing without the opt-in': [{ ...ecdsa, ...life }, {}, {}],
    'what is listed': [
      { ...ecdsa, ...life, ...inherit('private-key-algorithm, duration') },
      {},
      { privateKey: { algorithm: 'ECDSA' }, duration: '720h0m0s' },
    ],
    'nothing that the Gateway does not set': [inherit('private-key-algorithm,duration'), {}, {}],
    'nothing that it sets itself': [
      { ...life, ...inherit('duration') },
      { [`${prefix}duration`]: '48h' },
      { duration: '48h0m0s' },
    ],
    'no algorithm for its own key size: they are one unit': [
      { ...ecdsa, ...inherit('private-key-algorithm,private-key-size') },
      { [`${prefix}private-key-size`]: '4096' },
      { privateKey: { size: 4096 } },
    ],
    'no renewal time for its own duration': [
      { ...life, ...inherit('duration,renew-before') },
      { [`${prefix}duration`]: '48h' },
      { duration: '48h0m0s' },
    ],
    'the key, though it has a duration of its own': [
      { ...ecdsa, ...inherit('private-key-algorithm,private-key-size') },
      { [`${prefix}duration`]: '48h' },
      { duration: '48h0m0s', privateKey: { algorithm: 'ECDSA', size: 384 } },
    ],
    'a subject': [
      { [`${prefix}subject-organizations`]: 'Foo', ...inherit('subject-organizations') },
      {},
      { subject: { organizations: ['Foo'] } },
    ],
    'nothing from an empty list': [{ ...ecdsa, ...inherit('') }, {}, {}],
    'it with an issuer of its own, too': [
      { ...life, ...inherit('duration') },
      issuer('own'),
      { duration: '720h0m0s', issuerRef: { name: 'own', kind: 'Issuer', group: 'cert-manager.io' } },
    ],
  };
  test.each(Object.entries(rows))('%s', (_, [onGateway, onSet, expected]) => {
    const resolution = resolve(onGateway, onSet);
    expect(resolution.refusals).toEqual([]);
    expect(resolution.wanted.map(({ spec }) => spec)).toEqual([{ ...plain, ...expected }]);
  });

  test('the stand-in certificate', () => {
    const [wanted] = resolve({
      'certway.dev/temporary-certificate': 'true',
      ...inherit('temporary-certificate'),
    }).wanted;
    expect(wanted?.annotations).toMatchObject({ 'cert-manager.io/issue-temporary-certificate': 'true' });
  });
});

describe('names that cannot be inherited are told on the Gateway, and its listener sets wait', () => {
  test.each([
    'colour',
    'common-name',
    'alt-names',
    'issuer',
    'ignore-tls-listeners',
    'cert-manager.io/duration',
    'private-key-algoritm',
  ])('%s', (name) => {
    const gateway = openGateway({
      annotations: { ...clusterIssuer('b'), 'certway.dev/inherit': `duration, ${name}` },
      listeners: [https({ hostname: 'gw.com', secret: 'gw-tls' })],
    });
    const resolution = resolveGateway(world(gateway, [listenerSet()]));
    expect(names(resolution)).toEqual(['infra/gw-tls']);
    const [onGateway, onSet] = resolution.refusals;
    expect(onGateway).toMatchObject({ about: { kind: 'Gateway' }, reason: 'BadConfig', holds: [], suspends: [] });
    expect(onGateway?.message).toContain(
      `Annotation certway.dev/inherit is "duration, ${name}", and "${name}" cannot be inherited; accepted is a list`,
    );
    expect(onSet).toMatchObject({ about: { kind: 'ListenerSet' }, reason: 'BadConfig', holds: ['foo-tls'] });
    expect(onSet?.message).toContain('its owner can correct it');
  });
});

test('a bad value that is inherited is told where it bites, with where it comes from', () => {
  const { refusals } = resolve({ [`${prefix}duration`]: 'soon', 'certway.dev/inherit': 'duration' });
  const [onGateway, onSet] = refusals;
  expect(onGateway).toMatchObject({ about: { kind: 'Gateway' }, holds: [] });
  expect(onSet).toMatchObject({ about: { kind: 'ListenerSet' }, holds: ['foo-tls'] });
  expect(onSet?.message).toBe(
    'Annotation cert-manager.io/duration is "soon"; accepted is a Go duration of at least 1h, such as 2160h. It is inherited from Gateway infra/gw: its owner can correct it, or set another value here.',
  );
});
