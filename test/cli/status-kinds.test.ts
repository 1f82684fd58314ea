// What `certway status` answers where something cannot be seen, and for a Gateway and a Certificate that were asked for by name.

import { describe, expect, it } from 'vitest';
import type { KubeEvent } from '../../src/api/core.ts';
import type { Surroundings } from '../../src/cli/status-scene.ts';
import { statusView } from '../../src/cli/status-view.ts';
import { clusterIssuer, gateway, https, options } from '../resolve/world.ts';
import { good, hidden, linesOf, now, seen, set, viewOf } from './status-world.ts';

describe('certway status, half blind,', () => {
  it('assumes of a Gateway that the user may not see that it admits the set, and says so', () => {
    const view = viewOf({ gateway: hidden('you may not get Gateway gw in namespace infra'), setsFrom: 'namespace' });
    expect(linesOf(view.tree)).toContain('good ClusterIssuer le: as the Certificate says; ready');
    expect(view.verdict.state).toBe('good');
    expect(view.unseen).toEqual([
      'you may not get Gateway gw in namespace infra',
      'whether Gateway infra/gw admits this namespace and names an issuer',
      'whether listener sets of other namespaces hold one of these hostnames',
    ]);
  });

  it('takes the words of an event where what it sees explains nothing', () => {
    const reason = 'WildcardHostname';
    const [since, firstTimestamp] = ['2026-03-01T11:00:00Z', '2026-03-01T10:00:00Z'];
    const event: KubeEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'team' },
      involvedObject: { apiVersion: set.apiVersion, kind: set.kind, name: 'set' },
      ...{ reason, message: 'A wildcard.', type: 'Warning', count: 2, firstTimestamp, lastTimestamp: since },
      source: { component: 'certway' },
      ...{ reportingComponent: 'certway', reportingInstance: 'one' },
    };
    const warnings = seen(event);
    const view = viewOf({ certificates: seen(), warnings });
    expect(view.verdict.sentence).toBe('The developer can fix this: A wildcard.');
  });

  it.each([
    ['no such object', { kind: 'absent', what: 'object' }, /^The developer can fix this: Gateway a\/b does not exist/],
    [
      'no such kind',
      { kind: 'absent', what: 'kind' },
      /^The platform owner can fix this: .* does not know the kind Gateway/,
    ],
    ['no right to it', hidden('you may not get it'), /^The platform owner can fix this: you may not get it\.$/],
    [
      'no server',
      { kind: 'hidden', cause: 'failed', why: 'refused' },
      /^The developer can fix this: refused; check the kubeconfig/,
    ],
  ] as const)('says that there is %s', (_, sight, sentence) => {
    const asked = { kind: 'Gateway', namespace: 'a', name: 'b' } as const;
    const view = statusView({ asked, options, subject: { kind: 'unseen', sight } }, now);
    expect(view.verdict.state).toBe('missing');
    expect(view.verdict.sentence).toMatch(sentence);
  });
});

describe('certway status gateway', () => {
  it('walks its own listeners, and names the sets that it does not admit without blaming itself for them', () => {
    const object = gateway({ annotations: clusterIssuer('le'), listeners: [https({ secret: 'gw-tls' })] });
    const parts: Partial<Surroundings> = {
      gateway: { kind: 'seen', value: object },
      certificates: seen(),
      secrets: new Map(),
    };
    const view = viewOf(parts, { kind: 'listeners', object }, { kind: 'Gateway', namespace: 'infra', name: 'gw' });
    const lines = linesOf(view.tree);
    expect(lines).toContain('note listener sets : 1 attached, 1 with refusals');
    expect(lines).toContainEqual(expect.stringMatching(/^note ListenerSet team\/set: NotAllowed: /));
    expect(lines).toContain('good ClusterIssuer le: named on this Gateway; ready');
    expect(view.verdict.sentence).toMatch(/^Nothing to do but wait: Certificate gw-tls is asked for/);
  });
});

describe('certway status certificate', () => {
  const asked = { kind: 'Certificate', name: 'foo-tls' } as const;

  it('names the set and the listener that ask for it', () => {
    const view = viewOf({}, { kind: 'certificate', certificate: good, owner: { kind: 'seen', value: set } }, asked);
    expect(linesOf(view.tree)).toContain('good ListenerSet set: for listener web');
    expect(view.verdict.sentence).toMatch(/^Nothing is missing: it renews/);
  });

  it('of a person tells what it says itself', () => {
    const { ownerReferences: _, ...metadata } = good.metadata;
    const view = viewOf({}, { kind: 'certificate', certificate: { ...good, metadata } }, asked);
    expect(linesOf(view.tree).slice(0, 2)).toEqual([
      'note owner : none: somebody has made it by hand',
      'good ClusterIssuer le: as the Certificate says; ready',
    ]);
  });
});
