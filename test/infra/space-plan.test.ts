// What a namespace is given and in which order, and in which order it is left: with every stop in between, and from whatever a crash has left.

import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../src/api/core.ts';
import type { GatewayInfraSpec } from '../../src/api/gateway-infra.ts';
import type { CleanupStep } from '../../src/infra/cleanup.ts';
import { spaceObjects } from '../../src/infra/space.ts';
import { planSpace, type SpaceSeen } from '../../src/infra/space-plan.ts';
import { nameOf } from '../../src/infra/wanted.ts';
import { gatewayIn, infraWith, names, seenIn } from './space-scene.ts';

const everything: Partial<GatewayInfraSpec> = {
  namespaceResources: {
    pullSecrets: ['regcred'],
    trustBundle: { configMapRef: { namespace: 'platform', name: 'roots' } },
    extension: { serviceAccount: 'waf', role: 'waf-reader', clusterRole: 'waf-wide' },
  },
};
const bundle: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'roots', namespace: 'platform' },
  data: { 'ca.crt': 'PEM' },
};
const here = { gateways: [gatewayIn('a')] };

/** All that stands in a namespace that was given everything. */
const full = spaceObjects('a', seenIn('a', infraWith(everything), here, { bundle }));

function stepsOf(seen: SpaceSeen): readonly string[] {
  const plan = planSpace(seen);
  return plan.kind === 'drain' ? plan.steps.map(told) : [plan.kind];
}

function told(step: CleanupStep): string {
  switch (step.kind) {
    case 'wait':
      return `wait: ${step.why}`;
    case 'copies':
      return 'copies';
    default:
      return `${step.kind} ${step.object.of.kind} ${step.object.object.metadata.name}`;
  }
}

describe('a hosting namespace', () => {
  it('is given what it needs and no more, the writer first', () => {
    expect(names(spaceObjects('a', seenIn('a', infraWith(), here)))).toEqual([
      'RoleBinding certway-secret-writer',
      'RoleBinding certway-gateway-read',
      'RoleBinding certway-gateway-infra',
    ]);
  });

  it('is given an account, its bindings and a bundle only where the spec asks for them', () => {
    expect(names(full)).toEqual([
      'RoleBinding certway-secret-writer',
      'RoleBinding certway-pull-secret-writer',
      'RoleBinding certway-gateway-read',
      'RoleBinding certway-gateway-infra',
      'ConfigMap certway-trust-bundle',
      'ServiceAccount waf',
      'RoleBinding certway-gateway-extension',
    ]);
  });

  it('binds each role to exactly whom it is for', () => {
    const subjects = full.flatMap(({ object }) =>
      object.roleRef === undefined ? [] : [[object.roleRef, object.subjects]],
    );
    const role = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name });
    const account = (namespace: string, name: string) => [{ kind: 'ServiceAccount', namespace, name }];
    expect(subjects).toEqual([
      [role('certway-secret-writer'), account('certway-system', 'certway-controller')],
      [role('certway-pull-secret-writer'), account('certway-system', 'certway-pull-secrets')],
      [role('certway-gateway-read'), account('envoy-gateway-system', 'envoy-gateway')],
      [role('certway-gateway-infra'), account('envoy-gateway-system', 'envoy-gateway')],
      [role('waf-reader'), account('a', 'waf')],
    ]);
  });

  it('has owners on what no right hangs on, so that the garbage collector cannot break the order', () => {
    const owned = full.filter(({ object }) => object.metadata.ownerReferences !== undefined);
    expect(names(owned)).toEqual([
      'ConfigMap certway-trust-bundle',
      'ServiceAccount waf',
      'RoleBinding certway-gateway-extension',
    ]);
    expect(owned.map(({ object }) => object.metadata.ownerReferences?.map(({ uid }) => uid))).toEqual([
      ['a-web'],
      ['a-web'],
      ['a-web'],
    ]);
  });

  it('marks the writer, for the certificate half to hear of it', () => {
    expect(full[0]?.object.metadata.labels).toMatchObject({
      'certway.dev/grant': 'true',
      'certway.dev/infra-uid': 'infra-1',
      'app.kubernetes.io/managed-by': 'certway-infra',
    });
  });

  it('gets no right to write Secrets where the platform does not want it, and no read where Envoy Gateway has the cluster', () => {
    const spec = { namespaceResources: { certificateWriter: false }, watch: { selector: { matchLabels: { a: 'b' } } } };
    expect(spaceObjects('a', seenIn('a', infraWith(spec), here))).toEqual([]);
  });

  it('that the spec only has watched gets the reader’s bindings alone', () => {
    const infra = infraWith({ watch: { namespaces: ['a'] } });
    expect(names(spaceObjects('a', seenIn('a', infra, {})))).toEqual([
      'RoleBinding certway-gateway-read',
      'RoleBinding certway-gateway-infra',
    ]);
    expect(names(spaceObjects('b', seenIn('b', infra, { gateways: [gatewayIn('b')] })))).toEqual([
      'RoleBinding certway-secret-writer',
    ]);
  });

  it('loses what the spec no longer asks for, copies first and by the right that made them', () => {
    const plan = planSpace(seenIn('a', infraWith(), here, { live: full }));
    expect(plan.kind === 'provision' && plan.after.map(told)).toEqual([
      'copies',
      'remove ConfigMap certway-trust-bundle',
      'remove ServiceAccount waf',
      'remove RoleBinding certway-gateway-extension',
      'remove RoleBinding certway-pull-secret-writer',
    ]);
  });

  it.each(['absent', 'reading'] as const)('keeps the bundle that it has while its source is %s', (source) => {
    const plan = planSpace(seenIn('a', infraWith(everything), here, { live: full, bundle: source }));
    expect(plan).toMatchObject({ kind: 'provision', after: [] });
  });
});

describe('a namespace that hosts nothing any more', () => {
  const left = seenIn('a', infraWith(everything), {}, { live: full, acknowledged: 'given' });
  const inOrder = [
    'copies',
    'remove ConfigMap certway-trust-bundle',
    'remove ServiceAccount waf',
    'remove RoleBinding certway-gateway-extension',
    'remove RoleBinding certway-gateway-infra',
    'remove RoleBinding certway-gateway-read',
    'remove RoleBinding certway-pull-secret-writer',
    'remove RoleBinding certway-secret-writer',
  ];

  it('is left in order, the writer last', () => {
    expect(stepsOf(left)).toEqual(inOrder);
  });

  it('is left in the same order whatever order it is read in', () => {
    expect(stepsOf({ ...left, live: full.toReversed() })).toEqual(inOrder);
  });

  // What a step took away is gone, and a new process knows nothing else.
  it.each(inOrder.map((_, index) => index))('goes on after a stop at step %i', (index) => {
    const gone = new Set(inOrder.slice(0, index).map((each) => each.replace('remove ', '')));
    const live = full.filter(({ of, object }) => !gone.has(`${of.kind} ${object.metadata.name}`));
    const rest = inOrder.filter((each) => each.startsWith('remove') && !gone.has(each.replace('remove ', '')));
    const copies = gone.has('RoleBinding certway-pull-secret-writer') ? [] : ['copies'];
    expect(stepsOf({ ...left, live })).toEqual([...copies, ...rest]);
  });

  it('waits for the word of the certificate half before it touches anything', () => {
    const [first, ...rest] = stepsOf({ ...left, acknowledged: 'awaited' });
    expect(first).toContain('wait: Waits for the certificate half to take note');
    expect(rest).toEqual(inOrder);
  });

  it('waits for no word where none is at work, nor where the right is not infra’s to take', () => {
    expect(stepsOf({ ...left, acknowledged: 'nobody' })).toEqual(inOrder);
    const live = full.filter(({ object }) => object.metadata.name !== 'certway-secret-writer');
    expect(stepsOf({ ...left, live, acknowledged: 'awaited' })[0]).toBe('copies');
  });

  it('keeps the account that a cluster-wide binding still names, and Envoy Gateway’s rights while it reads', () => {
    const why = 'Waits until the configuration of Envoy Gateway no longer lists a.';
    const steps = stepsOf({ ...left, subjects: new Set(['a/waf']), watchedStill: why });
    expect(steps.slice(0, 4)).toEqual([
      'copies',
      'remove ConfigMap certway-trust-bundle',
      'wait: Waits until ClusterRoleBinding certway-gateway-extension no longer names ServiceAccount a/waf.',
      'remove ServiceAccount waf',
    ]);
    expect(steps[steps.indexOf('remove RoleBinding certway-gateway-infra') - 1]).toBe(`wait: ${why}`);
  });

  it('regains the right to find its copies where somebody took that away', () => {
    const live = full.filter(({ object }) => object.metadata.name !== 'certway-pull-secret-writer');
    expect(stepsOf({ ...left, live })).toEqual(['regain RoleBinding certway-pull-secret-writer']);
  });

  it('is done when nothing of ours is left', () => {
    expect(stepsOf({ ...left, live: [] })).toEqual(['none']);
  });
});

describe('a namespace that is not infra’s to touch', () => {
  it.each(['kube-system', 'envoy-gateway-system'])('%s is reserved, whatever stands there', (namespace) => {
    const infra = infraWith({ ...everything, reservedNamespaces: ['mine'] });
    const plan = planSpace(seenIn(namespace, infra, { gateways: [gatewayIn(namespace)] }, { live: full }));
    expect(plan).toEqual({
      kind: 'reserved',
      why: expect.stringContaining(`namespace ${namespace} is reserved: nothing is made there`),
    });
    expect(planSpace(seenIn(namespace, infra, {}, { live: full }))).toEqual({ kind: 'none' });
  });

  it('is reserved by the spec: nothing is made there, and what was made before is taken back first', () => {
    const infra = infraWith({ ...everything, reservedNamespaces: ['mine'] });
    const things = { gateways: [gatewayIn('mine')] };
    expect(planSpace(seenIn('mine', infra, things, { live: full })).kind).toBe('drain');
    expect(planSpace(seenIn('mine', infra, things, { live: [] })).kind).toBe('reserved');
    expect(planSpace(seenIn('mine', infra, {}, { live: [] }))).toEqual({ kind: 'none' });
  });

  it.each(['terminating', 'absent'] as const)('it is %s', (standing) => {
    const things = { ...here, [standing]: ['a'] };
    expect(planSpace(seenIn('a', infraWith(), things, { live: full }))).toEqual({ kind: 'none' });
  });
});

describe('the order of every subset', () => {
  it('never takes a right before what it is needed for', () => {
    const order = names(full);
    const rank = (name: string) => ['ConfigMap certway-trust-bundle', 'ServiceAccount waf'].indexOf(name);
    for (let mask = 1; mask < 2 ** full.length; mask += 1) {
      const live = full.filter((_, index) => (mask >> index) % 2 === 1);
      const plan = planSpace(seenIn('a', infraWith(), {}, { live, acknowledged: 'given' }));
      const steps = plan.kind === 'drain' ? plan.steps : [];
      const removed = steps.flatMap((step) => (step.kind === 'remove' ? [nameOf(step.object).replace('a/', '')] : []));
      expect(removed.toSorted()).toEqual(order.filter((_, index) => (mask >> index) % 2 === 1).toSorted());
      const last = removed.indexOf('RoleBinding certway-secret-writer');
      expect(last === -1 || last === removed.length - 1).toBe(true);
      expect(removed.findLastIndex((each) => rank(each) !== -1)).toBeLessThan(
        removed.filter((each) => rank(each) !== -1).length,
      );
    }
  });
});
