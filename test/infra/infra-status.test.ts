import { describe, expect, it } from 'vitest';
import type { GatewayInfra } from '../../src/api/gateway-infra.ts';
import { statusChanges } from '../../src/infra/infra-events.ts';
import { statusOf, type Told } from '../../src/infra/infra-status.ts';

const now = Date.parse('2026-11-21T22:00:00Z');

function infra(spec: Partial<GatewayInfra['spec']> = {}, more: Partial<GatewayInfra> = {}): GatewayInfra {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default', uid: 'u', generation: 3 },
    spec: { systemNamespace: 'envoy-gateway-system', controllerName: 'c', ...spec },
    ...more,
  };
}

function told(more: Partial<Told> = {}): Told {
  return {
    infra: infra(),
    faults: [],
    waits: [],
    deployment: undefined,
    installed: { version: '1.9.1' },
    observedGeneration: 3,
    crds: undefined,
    namespaces: new Map(),
    conditions: new Map(),
    rendered: undefined,
    ...more,
  };
}

function conditionIn(of: Told, type: string) {
  return statusOf(of, now).conditions?.find((each) => each.type === type);
}

const fault = (step: string, object: string) => ({ step, object, reason: 'Forbidden', message: 'may not' });

describe('the conditions', () => {
  it('name step and object of everything that is held back, the first five', () => {
    const faults = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => fault('namespace', `RoleBinding ${name}/x`));
    const degraded = conditionIn(told({ faults }), 'Degraded');
    expect(degraded).toMatchObject({ status: 'True', reason: 'Forbidden' });
    expect(degraded?.message).toMatch(
      /^namespace: RoleBinding a\/x: may not; .*RoleBinding e\/x: may not; and 2 more$/,
    );
  });

  it('call the install failed for the system alone, not for a namespace', () => {
    expect(
      conditionIn(told({ faults: [fault('system', 'Deployment s/envoy-gateway')] }), 'ControllerInstalled'),
    ).toMatchObject({
      status: 'False',
      message: 'Deployment s/envoy-gateway: may not',
    });
    expect(conditionIn(told({ faults: [fault('namespace', 'RoleBinding a/x')] }), 'ControllerInstalled')?.status).toBe(
      'True',
    );
  });

  it.each([
    ['Waiting', told({ waits: ['Something is being read.'] }), 'True'],
    ['Blocked', told({ faults: [fault('system', 'x')] }), 'False'],
    ['Reconciled', told(), 'False'],
    ['Suspended', told({ infra: infra({ suspend: true }), waits: ['x'] }), 'False'],
    [
      'Deleting',
      told({ infra: infra({}, { metadata: { name: 'default', deletionTimestamp: '2026-11-21T21:00:00Z' } }) }),
      'True',
    ],
  ])('say of the progress: %s', (reason, of, status) => {
    expect(conditionIn(of, 'Progressing')).toMatchObject({ reason, status });
  });

  it('take availability from the Deployment alone, with its own words', () => {
    const deployment = (status: object) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x' },
      status,
    });
    const up = deployment({ availableReplicas: 1, conditions: [{ type: 'Available', status: 'True' }] });
    const down = deployment({ conditions: [{ type: 'Available', status: 'False', message: 'no quota left' }] });
    expect(conditionIn(told({ deployment: up }), 'Available')).toMatchObject({ status: 'True' });
    expect(conditionIn(told({ deployment: down }), 'Available')?.message).toContain('no quota left');
    expect(conditionIn(told(), 'Available')?.reason).toBe('NoController');
  });

  it('warn of a selector, which opens every Secret', () => {
    const wide = told({ infra: infra({ watch: { selector: { matchLabels: { a: 'b' } } } }) });
    expect(conditionIn(wide, 'WideSecretRead')).toMatchObject({ status: 'True', reason: 'SelectorWatched' });
    expect(conditionIn(told(), 'WideSecretRead')?.status).toBe('False');
  });

  it('keep the time of their last transition while the status stays', () => {
    const before = statusOf(told(), now);
    const later = statusOf(told({ infra: infra({}, { status: before }), waits: ['x'] }), now + 60_000);
    const timeOf = (type: string) => later.conditions?.find((each) => each.type === type)?.lastTransitionTime;
    expect(timeOf('Degraded')).toBe('2026-11-21T22:00:00Z');
    expect(timeOf('Progressing')).toBe('2026-11-21T22:01:00Z');
  });
});

describe('what nobody has told since the process began', () => {
  const line = (name: string) => ({ name, gateways: 1, listenerSets: 0, state: 'Provisioned' as const });
  const before = infra(
    {},
    { status: { namespaces: [line('b'), line('c')], crds: [], rendered: { version: '1.9.1', digest: 'd' } } },
  );

  it('stays as it stands', () => {
    expect(statusOf(told({ infra: before }), now)).toMatchObject({ ...before.status });
  });
  it('is replaced namespace by namespace, ascending', () => {
    const namespaces = new Map([
      ['c', undefined],
      ['a', line('a')],
    ]);
    expect(statusOf(told({ infra: before, namespaces }), now).namespaces?.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('an event', () => {
  const said = (more: Partial<Told>, of = infra()) =>
    statusChanges(of, statusOf(told({ infra: of, ...more }), now)).map(({ type, reason }) => `${type} ${reason}`);
  const degraded = { faults: [fault('system', 'x')] };

  it('tells of bad news once, and of its end', () => {
    expect(said(degraded)).toEqual(['Warning Forbidden']);
    const bad = infra({}, { status: statusOf(told(degraded), now) });
    expect(said(degraded, bad)).toEqual([]);
    expect(said({}, bad)).toEqual(['Normal AsExpected']);
  });
  it('is not made for a controller that was never there', () => {
    expect(said({})).toEqual([]);
  });
});
