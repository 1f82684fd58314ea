// Which issuer a listener gets. An issuer is one unit of name, kind and group, and comes from one place.

import { describe, expect, test } from 'vitest';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import {
  type Annotations,
  clusterIssuer,
  https,
  issuer,
  listenerSet,
  names,
  only,
  onlyRefusal,
  openGateway,
  world,
} from './world.ts';

const kind = (name: string): Annotations => ({ 'cert-manager.io/issuer-kind': name });
const group = (name: string): Annotations => ({ 'cert-manager.io/issuer-group': name });
const perListener = (value: string): Annotations => ({ 'certway.dev/issuers': value });
const core = 'cert-manager.io';

describe('the issuer of a ListenerSet', () => {
  type Row = readonly [
    onGateway: Annotations,
    onSet: Annotations,
    ref: readonly [string, string, string],
    from: string,
  ];
  const rows: Readonly<Record<string, Row>> = {
    'its own issuer': [{}, issuer('a'), ['Issuer', 'a', core], 'ListenerSet'],
    'its own cluster-issuer': [{}, clusterIssuer('a'), ['ClusterIssuer', 'a', core], 'ListenerSet'],
    'its own before the Gateway’s': [clusterIssuer('b'), issuer('a'), ['Issuer', 'a', core], 'ListenerSet'],
    'the Gateway’s cluster-issuer as default': [clusterIssuer('b'), {}, ['ClusterIssuer', 'b', core], 'Gateway'],
    'the Gateway’s issuer, meant in the set’s namespace': [issuer('b'), {}, ['Issuer', 'b', core], 'Gateway'],
    'its own, without the Gateway’s kind (40, the opposite of cert-manager)': [
      { ...issuer('b'), ...kind('ClusterIssuer') },
      issuer('a'),
      ['Issuer', 'a', core],
      'ListenerSet',
    ],
    'its own cluster-issuer, without the Gateway’s kind and group': [
      { ...issuer('b'), ...kind('AWSPCAIssuer'), ...group('awspca.cert-manager.io') },
      clusterIssuer('a'),
      ['ClusterIssuer', 'a', core],
      'ListenerSet',
    ],
    'the Gateway’s kind and group with its name': [
      { ...issuer('b'), ...kind('AWSPCAIssuer'), ...group('awspca.cert-manager.io') },
      {},
      ['AWSPCAIssuer', 'b', 'awspca.cert-manager.io'],
      'Gateway',
    ],
    'the Gateway’s whole, where the set has a kind without a name': [
      clusterIssuer('b'),
      kind('Issuer'),
      ['ClusterIssuer', 'b', core],
      'Gateway',
    ],
    'issuer with issuer-kind ClusterIssuer': [
      {},
      { ...issuer('a'), ...kind('ClusterIssuer') },
      ['ClusterIssuer', 'a', core],
      'ListenerSet',
    ],
    'an entry for the listener before everything': [
      clusterIssuer('b'),
      { ...issuer('a'), ...perListener('web=ClusterIssuer/c') },
      ['ClusterIssuer', 'c', core],
      'ListenerSet',
    ],
    'an entry where nothing else names an issuer': [{}, perListener('web=c'), ['Issuer', 'c', core], 'ListenerSet'],
    'not an entry of the Gateway for a listener of the same name': [
      { ...clusterIssuer('b'), ...perListener('web=Issuer/c') },
      {},
      ['ClusterIssuer', 'b', core],
      'Gateway',
    ],
  };
  test.each(Object.entries(rows))('%s', (_, [onGateway, onSet, [wantedKind, name, wantedGroup], from]) => {
    const gateway = openGateway({
      annotations: onGateway,
      listeners: [https({ name: 'web', port: 8443, hostname: 'gw.com' })],
    });
    const { wanted } = resolveGateway(world(gateway, [listenerSet({ annotations: onSet })]));
    const certificate = wanted.find(({ namespace }) => namespace === 'team');
    expect(certificate?.spec.issuerRef).toEqual({ kind: wantedKind, name, group: wantedGroup });
    expect(certificate?.issuerFrom.kind).toBe(from);
  });
});

describe('the issuer of a Gateway', () => {
  test('is always its own, whatever its listener sets name', () => {
    const gateway = openGateway({
      annotations: clusterIssuer('b'),
      listeners: [https({ secret: 'gw-tls', port: 8443 })],
    });
    const { wanted } = resolveGateway(world(gateway, [listenerSet({ annotations: issuer('a') })]));
    const refs = wanted.map(({ name, spec }) => [name, spec.issuerRef.name]);
    expect(refs).toEqual([
      ['gw-tls', 'b'],
      ['foo-tls', 'a'],
    ]);
  });

  test('is not that of a listener set', () => {
    const gateway = openGateway({ listeners: [https({ secret: 'gw-tls', port: 8443 })] });
    const resolution = resolveGateway(world(gateway, [listenerSet({ annotations: issuer('a') })]));
    expect(names(resolution)).toEqual(['team/foo-tls']);
    expect(resolution.refusals).toEqual([]);
  });

  test('takes its group from the configured default', () => {
    const gateway = openGateway({ annotations: issuer('a'), listeners: [https()] });
    const configured = { with: { defaultIssuerGroup: 'step.example.com', defaultIssuerKind: 'StepIssuer' } };
    expect(only(resolveGateway(world(gateway, [], configured))).spec.issuerRef.group).toBe('step.example.com');
  });
});

describe('nothing happens, and nothing is said', () => {
  const quiet: Readonly<Record<string, Annotations>> = {
    '13. without an issuer annotation': {},
    '12. with tls-acme, which is for Ingress only': { 'kubernetes.io/tls-acme': 'true' },
    'with a kind and a group alone': { ...kind('ClusterIssuer'), ...group('x.io') },
    'with shaping annotations alone, even bad ones': { 'cert-manager.io/duration': 'soon' },
  };
  test.each(Object.entries(quiet))('%s', (_, annotations) => {
    const resolution = resolveGateway(world(openGateway({ annotations, listeners: [https()] }), [listenerSet()]));
    expect(resolution.wanted).toEqual([]);
    expect(resolution.refusals).toEqual([]);
  });
});

describe('annotations that contradict each other are refused, and what exists stays as it is', () => {
  const both = { ...issuer('a'), ...clusterIssuer('b') };
  const bad: Readonly<Record<string, readonly [Annotations, string]>> = {
    '14. issuer and cluster-issuer': [
      both,
      'cert-manager.io/cluster-issuer "b" and cert-manager.io/issuer "a" exclude each other',
    ],
    '15. cluster-issuer with issuer-kind': [
      { ...clusterIssuer('b'), ...kind('Issuer') },
      'cert-manager.io/cluster-issuer "b" and cert-manager.io/issuer-kind "Issuer"',
    ],
    '15. cluster-issuer with issuer-group': [
      { ...clusterIssuer('b'), ...group('x.io') },
      'cert-manager.io/cluster-issuer "b" and cert-manager.io/issuer-group "x.io"',
    ],
    'an empty issuer': [issuer(''), 'cert-manager.io/issuer is ""; accepted is the name of an issuer'],
    'an empty cluster-issuer': [
      clusterIssuer(' '),
      'cert-manager.io/cluster-issuer is ""; accepted is the name of an issuer',
    ],
    'a name that no object can have': [issuer('Not A Name'), 'cert-manager.io/issuer is "Not A Name"'],
    'a kind that cert-manager does not have': [
      { ...issuer('a'), ...kind('VaultIssuer') },
      'cert-manager.io/issuer-kind is "VaultIssuer"; accepted is Issuer or ClusterIssuer',
    ],
    'a group that is none': [{ ...issuer('a'), ...group('no group') }, 'cert-manager.io/issuer-group is "no group"'],
  };
  test.each(Object.entries(bad))('%s', (_, [annotations, message]) => {
    const resolution = resolveGateway(world(openGateway({ annotations, listeners: [https()] })));
    const refusal = onlyRefusal(resolution);
    expect(resolution.wanted).toEqual([]);
    expect(refusal).toMatchObject({ reason: 'BadConfig', generation: 3, holds: ['foo-tls'], suspends: [] });
    expect(refusal.message).toContain(message);
  });

  test('on a ListenerSet, the Gateway’s issuer is no way out', () => {
    const gateway = openGateway({ annotations: clusterIssuer('c') });
    const resolution = resolveGateway(world(gateway, [listenerSet({ annotations: both })]));
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution).about.kind).toBe('ListenerSet');
  });

  test('on the Gateway, the listener sets that would inherit are told whose it is', () => {
    const gateway = openGateway({ annotations: both });
    const own = listenerSet({
      name: 'own',
      annotations: issuer('a'),
      listeners: [https({ secret: 'own-tls', hostname: 'own.com' })],
    });
    const resolution = resolveGateway(world(gateway, [listenerSet(), own]));
    expect(names(resolution)).toEqual(['team/own-tls']);
    const [onGateway, onSet] = resolution.refusals;
    expect(onGateway?.about.kind).toBe('Gateway');
    expect(onSet?.about).toMatchObject({ kind: 'ListenerSet', name: 'set' });
    expect(onSet?.message).toBe(
      'Gateway infra/gw, whose issuer is the default here, names none that can be used; its owner can correct it, or name an issuer here.',
    );
    expect(onSet?.holds).toEqual(['foo-tls']);
  });
});
