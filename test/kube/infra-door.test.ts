// The one way by which Secrets and challenge routes are written, against the real API server: what the GatewayInfra in the cache says decides at the
// moment of the write, whoever writes, and what is on its way is known. The GatewayInfra is in the cache alone: the cluster's is everybody's.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { GatewayInfra, NamespaceState } from '../../src/api/gateway-infra.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { configMaps, httpRoutes, secrets } from '../../src/api/resources.ts';
import { type InfraDoor, infraDoor } from '../../src/apply/infra-door.ts';
import { wireInfra } from '../../src/apply/infra-triggers.ts';
import { makeStores } from '../../src/apply/stores.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { openLogger } from '../../src/report/logger.ts';
import { until } from '../rig/wait.ts';

const namespace = `door-${randomBytes(4).toString('hex')}`;
const fault = (error: unknown) => {
  throw error;
};

let session: Session;
let stores: ReturnType<typeof makeStores>;
let door: InfraDoor;
let serial = 0;

beforeAll(async () => {
  session = await openSession({ environment: {}, kubeconfig: inject('kubeconfig') });
  const made = await session.request({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  });
  expect(made.ok).toBe(true);
});
afterAll(async () => {
  await session.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
  await session[Symbol.asyncDispose]();
});
beforeEach(() => {
  stores = makeStores(fault);
  door = infraDoor(kubeClient(session), stores);
});

function infra(states: Readonly<Record<string, NamespaceState>>): GatewayInfra {
  serial += 1;
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default', uid: 'infra', resourceVersion: String(serial) },
    spec: { systemNamespace: 'envoy-gateway-system', controllerName: 'example.com/infra' },
    status: {
      namespaces: Object.entries(states).map(([name, state]) => ({ name, gateways: 1, listenerSets: 0, state })),
    },
  };
}

const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } });
const route = (name: string) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace },
  spec: { hostnames: ['foo.example.com'] },
});

/** What became of each kind of write: `ok`, or the problem. */
async function tried(): Promise<Readonly<Record<string, string>>> {
  serial += 1;
  const name = `n${serial}`;
  const { kube } = door;
  const as = { fieldManager: 'test', force: true };
  const answers = {
    create: await kube.create(secrets, secret(name)),
    apply: await kube.apply(secrets, secret(name), as),
    delete: await kube.delete(secrets, { namespace, name }),
    route: await kube.create(httpRoutes, route(name)),
    other: await kube.create(configMaps, { ...secret(name), kind: 'ConfigMap' }),
  };
  return Object.fromEntries(Object.entries(answers).map(([verb, each]) => [verb, each.ok ? 'ok' : each.problem.kind]));
}

describe('a write of ours', () => {
  const open = { create: 'ok', apply: 'ok', delete: 'ok', route: 'ok', other: 'ok' };
  const shut = { create: 'contested', apply: 'contested', delete: 'contested' };

  test.each<[NamespaceState | 'not listed', object]>([
    ['not listed', open],
    ['Provisioned', open],
    ['Reserved', open],
    // Its routes may stand already, and nothing is taken from it.
    ['Pending', { ...open, ...shut }],
    ['Draining', { ...open, ...shut, route: 'contested' }],
  ])('to a namespace that is %s', async (state, answers) => {
    stores.gatewayInfras.note(infra(state === 'not listed' ? {} : { [namespace]: state }));
    expect(await tried()).toEqual(answers);
  });

  test('is held back in the words of the condition, and what was made before can still be read', async () => {
    const made = await door.kube.create(secrets, secret('kept'));
    stores.gatewayInfras.note(infra({ [namespace]: 'Draining' }));
    const held = await door.kube.apply(secrets, secret('kept'), { fieldManager: 'test', force: true });
    expect(held).toMatchObject({ ok: false, problem: { message: expect.stringContaining('Draining') } });
    const read = await door.kube.get(secrets, { namespace, name: 'kept' });
    expect(read.ok && made.ok && read.value.metadata.uid).toBe(made.ok && made.value.metadata.uid);
  });

  test('that is on its way when a namespace begins to drain is waited for, after its writer has noted it', async () => {
    const told: string[] = [];
    let isNoted = false;
    door.onQuiet = (name) => told.push(`${name} ${isNoted ? 'noted' : 'unnoted'}`);
    const writing = door.kube.create(secrets, secret('late')).then((answer) => {
      isNoted = answer.ok;
    });
    expect(door.isQuiet(namespace)).toBe(false);
    stores.gatewayInfras.note(infra({ [namespace]: 'Draining' }));
    expect(door.isQuiet(namespace)).toBe(false);
    await writing;
    await until('the namespace to be quiet', () => door.isQuiet(namespace));
    expect(told).toEqual([`${namespace} noted`]);
  });
});

describe('a change of the GatewayInfra', () => {
  test('wakes the Certificates of namespaces that it says another thing of, and no others', () => {
    const woken: string[] = [];
    const wake = (key: string) => void woken.push(key);
    const queues = { gateway: wake, certificate: wake, issuer: wake, request: wake, cleanup: wake };
    const granted: string[] = [];
    wireInfra(
      {
        stores,
        awaitingMove: new Map([['order o', { wake: () => wake('order o'), order: 'o' }]]),
        hurried: new Set(),
        secrets: { granted: (name) => void granted.push(name) },
        log: openLogger({ level: 'silent' }),
      },
      queues,
    );
    for (const each of ['a', 'b', 'c']) stores.certificates.note(certificate(each));
    stores.gatewayInfras.note(infra({ a: 'Provisioned', b: 'Pending' }));
    expect(woken.splice(0)).toEqual(['b/web']);
    stores.gatewayInfras.note(infra({ a: 'Provisioned', b: 'Pending' }));
    expect(woken.splice(0)).toEqual([]);
    stores.gatewayInfras.note(infra({ a: 'Draining', b: 'Provisioned' }));
    expect(woken.splice(0).toSorted()).toEqual(['a/web', 'b/web']);
    expect(granted).toEqual(['b', 'a', 'b']);
    const moving = infra({ a: 'Draining', b: 'Provisioned' });
    const conditions = [{ type: 'LegacyCleaned', status: 'False', reason: 'InProgress' } as const];
    stores.gatewayInfras.note({ ...moving, status: { ...moving.status, conditions } });
    expect(woken).toEqual([]);
    stores.gatewayInfras.note(infra({ a: 'Draining', b: 'Provisioned' }));
    expect(woken).toEqual(['order o']);
  });
});

function certificate(of: string): KubeObject & { readonly spec: { secretName: string; issuerRef: { name: string } } } {
  serial += 1;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'web', namespace: of, uid: `web-${of}`, resourceVersion: String(serial) },
    spec: { secretName: 'web-tls', issuerRef: { name: 'ca' } },
  };
}
