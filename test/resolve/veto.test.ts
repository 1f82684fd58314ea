// What a status may say: no, and only definitely and for the current generation. It is never waited for.
// The numbers are those of Gateway API's conformance scenarios in reference/gateway-api.md §3.

import { describe, expect, test } from 'vitest';
import type { Gateway, ListenerSet } from '../../src/api/gateway.ts';
import type { Condition } from '../../src/api/meta.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import {
  condition,
  gateway,
  https,
  issuer,
  listenerSet,
  names,
  onlyRefusal,
  openGateway,
  told,
  world,
} from './world.ts';

function resolve(object: Gateway, set: ListenerSet) {
  return resolveGateway(world(object, [set]));
}

describe('status', () => {
  const conflicted = condition('Conflicted', 'True', 'HostnameConflict');
  type Row = readonly [set: readonly Condition[], listener: readonly Condition[], reason: string];
  const vetoes: Readonly<Record<string, Row>> = {
    NotAllowed: [[condition('Accepted', 'False', 'NotAllowed')], [], 'NotAllowed'],
    ParentNotAccepted: [[condition('Accepted', 'False', 'ParentNotAccepted')], [], 'ParentNotAccepted'],
    'a listener’s UnsupportedProtocol': [
      [],
      [condition('Accepted', 'False', 'UnsupportedProtocol')],
      'UnsupportedProtocol',
    ],
    '7. a listener’s RefNotPermitted': [[], [condition('ResolvedRefs', 'False', 'RefNotPermitted')], 'RefNotPermitted'],
    'a listener’s Conflicted': [[], [conflicted], 'ListenerConflict'],
  };
  test.each(Object.entries(vetoes))('%s is a veto', (_, [conditions, web, reason]) => {
    const set = listenerSet({ annotations: issuer('a'), conditions, listenerConditions: { web } });
    const resolution = resolve(openGateway(), set);
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution)).toMatchObject({ reason, suspends: ['foo-tls'] });
  });

  test('a veto against one listener leaves the others', () => {
    const listeners = [https(), https({ name: 'b', hostname: 'b.com', secret: 'b-tls' })];
    const set = listenerSet({ annotations: issuer('a'), listeners, listenerConditions: { web: [conflicted] } });
    const resolution = resolve(openGateway(), set);
    expect(names(resolution)).toEqual(['team/b-tls']);
    expect(onlyRefusal(resolution).suspends).toEqual(['foo-tls']);
  });

  test('a veto against one of the listeners of a Secret leaves a Certificate without its host', () => {
    const listeners = [https(), https({ name: 'b', hostname: 'b.com' })];
    const set = listenerSet({ annotations: issuer('a'), listeners, listenerConditions: { web: [conflicted] } });
    const resolution = resolve(openGateway(), set);
    expect(resolution.wanted.map(({ spec }) => spec.dnsNames)).toEqual([['b.com']]);
    expect(onlyRefusal(resolution).suspends).toEqual([]);
  });

  test('the Gateway’s own listeners know the same vetoes', () => {
    const object = gateway({
      annotations: issuer('a'),
      listeners: [https()],
      listenerConditions: { web: [conflicted] },
    });
    expect(onlyRefusal(resolveGateway(world(object))).about.kind).toBe('Gateway');
  });

  const ignored: Readonly<Record<string, readonly [readonly Condition[], readonly Condition[]]>> = {
    'nothing at all': [[], []],
    'the CRD’s default': [[{ type: 'Accepted', status: 'Unknown', reason: 'Pending' }], []],
    'a veto of an earlier generation': [
      [condition('Accepted', 'False', 'NotAllowed', 2)],
      [condition('Conflicted', 'True', 'HostnameConflict', 2)],
    ],
    'a veto without a generation': [[{ type: 'Accepted', status: 'False', reason: 'NotAllowed' }], []],
    'Programmed=False, which a missing Secret causes': [
      [condition('Programmed', 'False', 'ListenersNotValid')],
      [condition('Programmed', 'False', 'Invalid')],
    ],
    'Accepted=False for listeners that wait for their Secret': [
      [condition('Accepted', 'False', 'ListenersNotValid')],
      [],
    ],
    'ResolvedRefs=False for the Secret that is to be made': [
      [],
      [condition('ResolvedRefs', 'False', 'InvalidCertificateRef')],
    ],
    'no conflict': [[], [condition('Conflicted', 'False', 'NoConflicts')]],
    'a port that is not to be had': [[], [condition('Accepted', 'False', 'PortUnavailable')]],
  };
  test.each(Object.entries(ignored))('%s does not stand in the way', (_, [conditions, web]) => {
    const set = listenerSet({ annotations: issuer('a'), conditions, listenerConditions: { web } });
    expect(names(resolve(openGateway(), set))).toEqual(['team/foo-tls']);
  });

  test('its messages are never repeated: they may name other tenants', () => {
    const message = 'conflicts with other-tenant/secret-shop';
    const set = listenerSet({ annotations: issuer('a'), listenerConditions: { web: [{ ...conflicted, message }] } });
    expect(told(resolve(openGateway(), set)).join()).not.toContain('secret-shop');
  });
});
