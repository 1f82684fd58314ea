// What `certway check` and `certway status` say of the infrastructure half: the words of the conditions, and no fault of Certway's.

import { describe, expect, it } from 'vitest';
import type { GatewayInfra, GatewayInfraStatus } from '../../src/api/gateway-infra.ts';
import { infraNodes } from '../../src/cli/check-infra.ts';
import type { Sight } from '../../src/cli/status-scene.ts';
import { linesOf, viewOf } from './status-world.ts';

const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';

function infra(status: GatewayInfraStatus): GatewayInfra {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default' },
    spec: { systemNamespace: 'envoy-gateway-system', controllerName },
    status,
  };
}

const seen = (status: GatewayInfraStatus): Sight<GatewayInfra> => ({ kind: 'seen', value: infra(status) });
const team = { gateways: 1, listenerSets: 0 };
const inProgress = { type: 'LegacyCleaned', status: 'False', reason: 'InProgress' } as const;

describe('certway check', () => {
  it.each<[string, Sight<GatewayInfra>, readonly RegExp[]]>([
    ['is silent where the kind is not known', { kind: 'absent', what: 'kind' }, []],
    ['names its absence', { kind: 'absent', what: 'object' }, [/^note GatewayInfra default: InfraAbsent: /]],
    [
      'says what it may not see',
      { kind: 'hidden', cause: 'forbidden', why: 'you may not get GatewayInfra default' },
      [/^hidden GatewayInfra default: you may not get/],
    ],
    [
      'is content where nothing is held back',
      seen({ namespaces: [{ ...team, name: 'a', state: 'Provisioned' }] }),
      [/^good GatewayInfra default: 1 namespaces, none held back$/],
    ],
    [
      'lists each namespace that is held back',
      seen({
        namespaces: [
          { ...team, name: 'a', state: 'Provisioned' },
          { ...team, name: 'b', state: 'Pending', blockedBy: 'A quota refuses RoleBindings.' },
          { ...team, name: 'c', state: 'Draining' },
          { ...team, name: 'd', state: 'Reserved' },
        ],
      }),
      [
        /^note GatewayInfra default: 4 namespaces, 3 held back$/,
        /^busy Namespace b: InfraNotReady: Namespace "b" is not provisioned yet .*; a quota refuses RoleBindings$/i,
        /^busy Namespace c: NamespaceDraining: /,
        /^note Namespace d: NamespaceReserved: /,
      ],
    ],
    [
      'tells of a move, of what is degraded and of CRDs that are not ready',
      seen({
        conditions: [
          inProgress,
          { type: 'Degraded', status: 'True', reason: 'BelowFloor', message: 'It is too old.' },
          { type: 'CRDsReady', status: 'False', reason: 'MixedOwnership', message: 'Two have them.' },
        ],
      }),
      [
        /^note GatewayInfra default: 0 namespaces, none held back; The Gateways are being moved .*; Degraded, BelowFloor: It is too old; CRDsReady is False, MixedOwnership: Two have them$/,
      ],
    ],
  ])('%s', (_, sight, lines) => {
    const nodes = infraNodes({ infra: sight });
    const said = linesOf(nodes);
    expect(said).toHaveLength(lines.length);
    for (const [index, words] of lines.entries()) expect(said[index]).toMatch(words);
    // It keeps nobody from waiting for the API to be ready.
    expect(nodes.filter(({ problem }) => problem !== undefined)).toEqual([]);
  });
});

describe('certway status', () => {
  const object = infra({ namespaces: [{ ...team, name: 'team', state: 'Reserved' }] });

  it('tells the refusal long after its event is gone, and who can help', () => {
    const view = viewOf({ infra: { object, controllerName } });
    expect(linesOf(view.tree).join('\n')).toMatch(/bad refused NamespaceReserved: Namespace "team" is reserved/);
    expect(view.verdict).toMatchObject({ state: 'missing', who: 'platform owner' });
  });

  it.each([
    ['of another controller’s Gateway', { object, controllerName: 'example.com/other' }],
    ['where the class may not be seen', { object }],
  ])('says nothing of it %s', (_, seenInfra) => {
    expect(viewOf({ infra: seenInfra }).verdict.state).toBe('good');
  });
});
