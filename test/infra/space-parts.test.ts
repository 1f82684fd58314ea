// Copies of pull Secrets, the shared binding of an extension, the mirror of the solver Service, and when Envoy Gateway has ceased to read a namespace.

import { describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import type { Rendered } from '../../src/api/resources.ts';
import { hostIn } from '../../src/infra/hosting.ts';
import { renderSystem } from '../../src/infra/render-system.ts';
import { copiesFor, copyChanges } from '../../src/infra/space-copies.ts';
import { sharedBinding, subjectsOf } from '../../src/infra/space-extension.ts';
import { notesOn } from '../../src/infra/space-notes.ts';
import { solverObjects } from '../../src/infra/space-solver.ts';
import { watchedStill } from '../../src/infra/space-watched.ts';
import { gatewayIn, infraWith, names, seenIn, worldOf } from './space-scene.ts';

const json = 'kubernetes.io/dockerconfigjson';
const here = { gateways: [gatewayIn('a')] };

function secret(name: string, type: string, data: Record<string, string> = { '.dockerconfigjson': 'e30=' }): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'envoy-gateway-system', uid: name, resourceVersion: '7' },
    type,
    data,
  };
}

function copied(names: readonly string[], sources: readonly Secret[], things = here) {
  const infra = infraWith({ namespaceResources: { pullSecrets: names } });
  return copiesFor('a', infra, hostIn('a', worldOf(infra, things)), (name) =>
    sources.find(({ metadata }) => metadata.name === name),
  );
}

/** As the API server would give it back. */
function live({ wanted }: ReturnType<typeof copied>): readonly Secret[] {
  return wanted.map(({ object }) => ({ ...object, metadata: { ...object.metadata, uid: 'x', resourceVersion: '1' } }));
}

describe('copies of pull Secrets', () => {
  it('carry the source’s content and nothing of its metadata', () => {
    const { wanted, notes } = copied(
      ['regcred'],
      [
        {
          ...secret('regcred', json),
          metadata: { ...secret('regcred', json).metadata, labels: { team: 'x' }, finalizers: ['f'] },
        },
      ],
    );
    expect(notes).toEqual([]);
    expect(wanted).toHaveLength(1);
    expect(wanted[0]?.object).toMatchObject({
      kind: 'Secret',
      type: json,
      data: { '.dockerconfigjson': 'e30=' },
      metadata: { name: 'regcred', namespace: 'a' },
    });
    expect(wanted[0]?.object.metadata.labels).not.toHaveProperty('team');
    expect(wanted[0]?.object.metadata.finalizers).toBeUndefined();
    expect(wanted[0]?.object.metadata.ownerReferences?.map(({ uid }) => uid)).toEqual(['a-web']);
  });

  it('are made of pull Secrets alone, and what is missing is said', () => {
    const { wanted, notes } = copied(
      ['gone', 'envoy-gateway'],
      [secret('envoy-gateway', 'kubernetes.io/tls', { 'tls.key': 'a2V5' })],
    );
    expect(wanted).toEqual([]);
    expect(notes[0]).toContain('Secret envoy-gateway-system/gone (spec.namespaceResources.pullSecrets) does not exist');
    expect(notes[1]).toContain('is of type kubernetes.io/tls, no pull Secret');
    expect(notes.join()).not.toContain('a2V5');
  });

  it('cost nothing where they are right', () => {
    const was = copied(['regcred'], [secret('regcred', json)]);
    expect(copyChanges(was.wanted, live(was), new Set(['regcred']))).toEqual({ apply: [], replace: [], remove: [] });
  });

  it('follow a new password, a key that goes, a new Gateway, and a new type by a Secret made anew', () => {
    const was = copied(['regcred'], [secret('regcred', json, { '.dockerconfigjson': 'e30=', extra: 'eA==' })]);
    const changes = (after: ReturnType<typeof copied>) => copyChanges(after.wanted, live(was), new Set(['regcred']));
    expect(
      changes(copied(['regcred'], [secret('regcred', json, { '.dockerconfigjson': 'bmV3', extra: 'eA==' })])).apply,
    ).toHaveLength(1);
    expect(changes(copied(['regcred'], [secret('regcred', json)])).apply).toHaveLength(1);
    const two = { gateways: [gatewayIn('a'), gatewayIn('a', { name: 'two' })] };
    expect(
      changes(copied(['regcred'], [secret('regcred', json, { '.dockerconfigjson': 'e30=', extra: 'eA==' })], two))
        .apply,
    ).toHaveLength(1);
    const retyped = changes(
      copied(['regcred'], [secret('regcred', 'kubernetes.io/dockercfg', { '.dockercfg': 'e30=' })]),
    );
    expect([retyped.apply.length, retyped.replace.length, retyped.remove.length]).toEqual([0, 1, 0]);
  });

  it('go when the spec no longer names them, and stay while their source is only missing', () => {
    const was = copied(['regcred', 'other'], [secret('regcred', json), secret('other', json)]);
    const now = copied(['regcred'], []);
    const { remove } = copyChanges(now.wanted, live(was), new Set(['regcred']));
    expect(remove.map(({ metadata }) => metadata.name)).toEqual(['other']);
  });

  it('tell nothing of their content in their metadata', () => {
    const one = copied(['regcred'], [secret('regcred', json, { '.dockerconfigjson': 'b25l' })]);
    const two = copied(['regcred'], [secret('regcred', json, { '.dockerconfigjson': 'dHdv' })]);
    expect(one.wanted[0]?.object.metadata).toEqual(two.wanted[0]?.object.metadata);
  });
});

describe('the binding that all sidecars share', () => {
  const extension = { serviceAccount: 'waf', role: 'waf', clusterRole: 'waf-wide' };
  const infra = infraWith({ namespaceResources: { extension } });

  it('names the account of each namespace, sorted, and is not there without any', () => {
    const binding = sharedBinding(infra, ['b', 'a']);
    expect(subjectsOf(binding?.object)).toEqual(new Set(['a/waf', 'b/waf']));
    expect(binding?.object.subjects).toMatchObject([{ namespace: 'a' }, { namespace: 'b' }]);
    expect(sharedBinding(infra, [])).toBeUndefined();
    expect(subjectsOf(undefined)).toEqual(new Set());
  });

  it('is not there unless a cluster-wide role is asked for', () => {
    const { clusterRole: _, ...narrow } = extension;
    expect(sharedBinding(infraWith({ namespaceResources: { extension: narrow } }), ['a'])).toBeUndefined();
    expect(sharedBinding(infraWith(), ['a'])).toBeUndefined();
  });
});

describe('the mirror of the solver Service', () => {
  const service = { name: 'certway-acme-solver', port: 8089 };
  const slice: Rendered = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'certway-acme-solver-x1',
      namespace: 'certway-system',
      labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
    },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: 'certway-0', namespace: 'certway-system' },
        zone: 'z',
      },
    ],
    ports: [
      { name: 'http01', port: 8089, protocol: 'TCP' },
      { name: 'metrics', port: 9402, protocol: 'TCP' },
    ],
  };

  it('is a Service without a selector, and each slice under its own name, kept by nobody else', () => {
    const [mirror, copy] = solverObjects(infraWith(), service, [slice]);
    expect(mirror?.object.spec).toEqual({
      type: 'ClusterIP',
      ports: [expect.objectContaining({ name: 'http01', port: 8089 })],
    });
    expect(copy?.object.metadata).toMatchObject({
      name: 'certway-acme-solver-x1',
      namespace: 'envoy-gateway-system',
      labels: {
        'kubernetes.io/service-name': 'certway-acme-solver',
        'endpointslice.kubernetes.io/managed-by': 'certway-infra',
      },
    });
    expect(copy?.object).toMatchObject({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, zone: 'z' }],
      ports: [{ name: 'http01' }],
    });
    expect(JSON.stringify(copy?.object)).not.toContain('targetRef');
    expect(JSON.stringify(copy?.object)).not.toContain('9402');
  });

  it('stands without any replica', () => {
    expect(names(solverObjects(infraWith(), service, []))).toEqual(['Service certway-acme-solver']);
  });
});

describe('whether Envoy Gateway still reads a namespace', () => {
  // As it is rendered, so that nobody looks for another digest than the one that is written.
  const system = renderSystem({ infra: infraWith(), uid: 'u', hosting: ['b'], certificatesDigest: '' });
  const renderedAs = (kind: string, more: object): Rendered => {
    const found = (system.ok ? system.value.wanted : []).find(({ of }) => of.kind === kind);
    if (found === undefined) throw new Error(`no ${kind} is rendered`);
    return { ...found.object, metadata: { ...found.object.metadata, generation: 4 }, ...more };
  };
  const config = renderedAs('ConfigMap', {});
  const deployment = (status: object) => renderedAs('Deployment', { status });
  const older = {
    ...deployment({ observedGeneration: 4, replicas: 2, updatedReplicas: 2 }),
    spec: { template: { metadata: { annotations: { 'certway.dev/config': 'older' } } } },
  };
  const rolled = { observedGeneration: 4, replicas: 2, updatedReplicas: 2 };

  it.each([
    ['its configuration lists it', 'b', deployment(rolled), 'no longer lists b'],
    ['its Deployment has not been given the new configuration', 'a', older, 'runs without a'],
    ['its Deployment has not been looked at', 'a', deployment({ ...rolled, observedGeneration: 3 }), 'runs without a'],
    ['a Pod from before is left', 'a', deployment({ ...rolled, replicas: 3 }), 'runs without a'],
  ])('while %s', (_, namespace, runs, says) => {
    expect(watchedStill(namespace, { config, deployment: runs })).toContain(says);
  });

  it('not after that, nor where it does not run', () => {
    expect(watchedStill('a', { config, deployment: deployment(rolled) })).toBeUndefined();
    expect(watchedStill('b', { config, deployment: undefined })).toBeUndefined();
  });
});

describe('what people should know of a namespace', () => {
  it('a bundle without a source, a Gateway whose name is taken, a list that leaves it out', () => {
    const trustBundle = { configMapRef: { namespace: 'platform', name: 'roots' } };
    const infra = infraWith({ namespaceResources: { trustBundle }, watch: { namespaces: ['b'] } });
    const notes = notesOn(seenIn('a', infra, { gateways: [gatewayIn('a', { name: 'certway-trust-bundle' })] }));
    expect(notes).toEqual([
      expect.stringContaining('ConfigMap platform/roots (spec.namespaceResources.trustBundle) does not exist'),
      expect.stringContaining('Gateway certway-trust-bundle has the name of an object of infra'),
      expect.stringContaining('it is not in spec.watch.namespaces'),
    ]);
    expect(notesOn(seenIn('a', infraWith(), here))).toEqual([]);
  });
});
