// What the certificate half reads from a GatewayInfra, row by row of the contract between the two.

import { describe, expect, it } from 'vitest';
import type { GatewayInfra, GatewayInfraStatus, NamespaceState } from '../../src/api/gateway-infra.ts';
import type { Condition } from '../../src/api/meta.ts';
import { acknowledgement, changedNamespaces, claimOn, contractOf, holdIn } from '../../src/infra/contract.ts';

const listed = (name: string, state: NamespaceState, blockedBy?: string) => ({
  name,
  gateways: 1,
  listenerSets: 0,
  state,
  ...(blockedBy !== undefined && { blockedBy }),
});

function infra(status: GatewayInfraStatus = {}, annotations: Readonly<Record<string, string>> = {}): GatewayInfra {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default', annotations },
    spec: { systemNamespace: 'envoy-gateway-system', controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
    status,
  };
}

const legacy = (status: Condition['status'], reason: string): GatewayInfraStatus => ({
  conditions: [{ type: 'LegacyCleaned', status, reason }],
});

describe('a namespace', () => {
  it.each<[NamespaceState, string | undefined, RegExp | undefined]>([
    ['Provisioned', undefined, undefined],
    ['Pending', 'pending', /^Namespace "team" is not provisioned yet .* no Secret is written there\.$/],
    ['Draining', 'draining', /"team".*Draining\), so nothing is issued or renewed there; issued Secrets stay\./],
    ['Reserved', 'reserved', /^Namespace "team" is reserved .* spec\.reservedNamespaces\.$/],
  ])('that is %s', (state, kind, words) => {
    const hold = holdIn(contractOf(infra({ namespaces: [listed('team', state)] })), 'team');
    expect(hold?.kind).toBe(kind);
    if (words !== undefined) expect(hold?.message).toMatch(words);
  });

  it('tells what holds infra back there, while it is Pending', () => {
    const blocked = contractOf(infra({ namespaces: [listed('team', 'Pending', 'A quota refuses RoleBindings.')] }));
    expect(holdIn(blocked, 'team')?.message).toMatch(/there\. A quota refuses RoleBindings\.$/);
  });

  it('that is not listed is nobody’s business here, nor is any without a GatewayInfra or with one of another name', () => {
    const { metadata, ...rest } = infra({ namespaces: [listed('team', 'Pending')] });
    expect(holdIn(contractOf({ metadata, ...rest }), 'other')).toBeUndefined();
    expect(holdIn(contractOf(undefined), 'team')).toBeUndefined();
    expect(holdIn(contractOf({ ...rest, metadata: { ...metadata, name: 'second' } }), 'team')).toBeUndefined();
  });
});

describe('a move of the Gateways', () => {
  it.each<[string, GatewayInfraStatus, boolean]>([
    ['runs while LegacyCleaned is False, InProgress', legacy('False', 'InProgress'), true],
    ['does not while nothing is to be done by us', legacy('False', 'Manual'), false],
    ['is over when it is True', legacy('True', 'InProgress'), false],
    ['is none where infra has not said anything', {}, false],
  ])('%s', (_, status, runs) => {
    expect(contractOf(infra(status)).move !== undefined).toBe(runs);
  });
});

it('a Secret that infra copies to its namespaces is nobody’s certificate there', () => {
  const { spec, ...rest } = infra({ namespaces: [listed('team', 'Provisioned')] });
  const contract = contractOf({ ...rest, spec: { ...spec, namespaceResources: { pullSecrets: ['pull'] } } });
  expect(claimOn(contract, 'team', 'pull')).toMatch(
    /^Secret "pull" is one that certway infra copies to namespace "team"/,
  );
  expect(claimOn(contract, 'team', 'web-tls')).toBeUndefined();
  expect(claimOn(contract, 'other', 'pull')).toBeUndefined();
});

it('what is degraded is a word for people, and no hold', () => {
  const message = 'Envoy Gateway 1.8.0 is below 1.9.0.';
  const conditions = [{ type: 'Degraded', status: 'True', reason: 'BelowFloor', message } as const];
  const contract = contractOf(infra({ conditions, namespaces: [listed('team', 'Provisioned')] }));
  expect(contract.degraded).toBe(`BelowFloor: ${message}`);
  expect(holdIn(contract, 'team')).toBeUndefined();
});

describe('what a change of the object wakes', () => {
  const before = contractOf(infra({ namespaces: [listed('a', 'Provisioned'), listed('b', 'Pending')] }));

  it.each<[string, GatewayInfra | undefined, readonly string[]]>([
    [
      'nothing where only counts change',
      infra({ namespaces: [{ ...listed('a', 'Provisioned'), gateways: 7 }, listed('b', 'Pending')] }),
      [],
    ],
    ['nothing of what is provisioned and no longer listed', infra({ namespaces: [listed('b', 'Pending')] }), []],
    [
      'those whose state is another',
      infra({ namespaces: [listed('a', 'Draining'), listed('b', 'Provisioned')] }),
      ['a', 'b'],
    ],
    [
      'those that come with a hold',
      infra({ namespaces: [listed('a', 'Provisioned'), listed('b', 'Pending'), listed('c', 'Reserved')] }),
      ['c'],
    ],
    ['those that were held, when the object goes', undefined, ['b']],
  ])('%s', (_, object, names) => {
    expect(changedNamespaces(before, contractOf(object)).toSorted()).toEqual(names);
  });
});

describe('the acknowledgement', () => {
  const both = [listed('zeta', 'Draining'), listed('alpha', 'Draining'), listed('other', 'Provisioned')];
  const drained = (value: string) => ({ 'certway.dev/drained-namespaces': value });

  it.each<[string, GatewayInfra, readonly string[], string | undefined]>([
    ['names those that are clear, ascending', infra({ namespaces: both }), ['zeta', 'alpha', 'other'], 'alpha,zeta'],
    ['leaves out one where something of ours is left', infra({ namespaces: both }), ['alpha'], 'alpha'],
    ['is not written again', infra({ namespaces: both }, drained('alpha,zeta')), ['zeta', 'alpha'], undefined],
    ['is not written where there is nothing to say', infra(), [], undefined],
    [
      'is taken back when the namespace is provisioned again',
      infra({ namespaces: [] }, drained('alpha')),
      ['alpha'],
      '',
    ],
    [
      'is taken back when something of ours is there again',
      infra({ namespaces: both }, drained('alpha,zeta')),
      ['zeta'],
      'zeta',
    ],
    ['says the same as an empty one', infra({ namespaces: [] }, drained('')), [], undefined],
  ])('%s', (_, object, clear, value) => {
    expect(acknowledgement(object, (name) => clear.includes(name))).toBe(value);
  });
});
