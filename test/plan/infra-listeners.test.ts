// Which listeners get no certificate by the word of the infrastructure half, and what becomes of the Certificates that they have.

import { describe, expect, it } from 'vitest';
import type { NamespaceState } from '../../src/api/gateway-infra.ts';
import { withheldFrom } from '../../src/apply/infra-sight.ts';
import { contractOf } from '../../src/infra/contract.ts';
import { planListeners } from '../../src/plan/listeners.ts';
import { newCertificate } from '../../src/plan/listeners-change.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import { https, issuer, listenerSet, only, onlyRefusal, openGateway, world } from '../resolve/world.ts';

const ours = 'gateway.envoyproxy.io/gatewayclass-controller';
const set = listenerSet({ annotations: issuer('a') });
const gateway = openGateway({
  annotations: issuer('b'),
  listeners: [https({ secret: 'gw-tls', hostname: 'bar.com' })],
});

function resolve(state: NamespaceState, namespace: string, controllerName = ours, sets = [set]) {
  const contract = contractOf({
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default' },
    spec: { systemNamespace: 'envoy-gateway-system', controllerName: ours },
    status: { namespaces: [{ name: namespace, gateways: 1, listenerSets: 1, state }] },
  });
  return resolveGateway(world(gateway, sets, { withheld: withheldFrom(contract, controllerName) }));
}

const namesWanted = (resolution: ReturnType<typeof resolve>) => resolution.wanted.map(({ name }) => name).toSorted();

describe('listeners in a namespace', () => {
  it.each<[NamespaceState, string, readonly string[], string | undefined]>([
    ['Provisioned', 'team', ['foo-tls', 'gw-tls'], undefined],
    ['Pending', 'team', ['foo-tls', 'gw-tls'], undefined],
    ['Reserved', 'team', ['gw-tls'], 'NamespaceReserved'],
    ['Reserved', 'infra', ['foo-tls'], 'NamespaceReserved'],
    ['Draining', 'team', ['gw-tls'], 'NamespaceDraining'],
    ['Draining', 'infra', ['foo-tls'], 'NamespaceDraining'],
  ])('that is %s (%s) get %j', (state, namespace, wanted, reason) => {
    const resolution = resolve(state, namespace);
    expect(namesWanted(resolution)).toEqual(wanted);
    expect(resolution.refusals.map((each) => [each.reason, each.about.namespace])).toEqual(
      reason === undefined ? [] : [[reason, namespace]],
    );
  });

  it('of a Gateway with another controller get theirs, though infra has reserved the namespace', () => {
    const resolution = resolve('Reserved', 'team', 'example.com/other');
    expect(namesWanted(resolution)).toEqual(['foo-tls', 'gw-tls']);
    expect(resolution.refusals).toEqual([]);
  });

  it('get not a word where nobody asks for a certificate', () => {
    const silent = resolveGateway(
      world(openGateway(), [listenerSet()], { withheld: () => ({ reason: 'NamespaceReserved', message: 'x' }) }),
    );
    expect(silent.refusals).toEqual([]);
  });
});

describe('the Certificates that they have', () => {
  const before = only(resolveGateway(world(openGateway(), [set])));
  const live = { ...newCertificate(before), metadata: { ...newCertificate(before).metadata, uid: 'c1' } };
  const seen = { certificates: [live], liveUids: new Set([before.owner.uid]) };
  const acts = (state: NamespaceState) =>
    planListeners(resolve(state, 'team'), seen).filter(
      (each) => each.kind === 'say' || each.object.metadata.name === live.metadata.name,
    );

  it('are suspended where the namespace is reserved, in the words of the event', () => {
    const [action, ...rest] = acts('Reserved');
    if (action?.kind !== 'replaceCertificate') throw new Error(`planned ${action?.kind}`);
    expect(rest).toEqual([]);
    expect(action.object.metadata.annotations?.['certway.dev/suspended']).toBe(
      onlyRefusal(resolve('Reserved', 'team')).message,
    );
  });

  it('stay exactly as they are where it drains', () => {
    expect(acts('Draining')).toEqual([]);
  });
});
