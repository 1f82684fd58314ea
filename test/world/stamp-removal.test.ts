// The end of an account that nobody uses, on the real API server: the Issuer goes first and its key's Secret after it, also where a process ended between
// the two. The suite's controller waits an hour for that, so the same reconciler runs here with a short quiet time.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import * as resources from '../../src/api/resources.ts';
import { allStamps, stampKey } from '../../src/apply/stamp-wakes.ts';
import { type StampPorts, stampReconciler } from '../../src/apply/stamps.ts';
import { makeStores } from '../../src/apply/stores.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { eventRecorder } from '../../src/kube/recorder.ts';
import { reflect } from '../../src/kube/reflector.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import type { Store } from '../../src/kube/store.ts';
import { WorkQueue } from '../../src/queue/work-queue.ts';
import { openLogger } from '../../src/report/logger.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import {
  issuerNamed,
  listening,
  makeTemplate,
  patience,
  platformSecret,
  registered,
  type Template,
} from './stamp-scene.ts';
import { makeTeam, type Team } from './team.ts';

const quiet = 600;
let world: SharedWorld;
let template: Template;
let team: Team;
let session: Session;
let ports: StampPorts;
const stop = new AbortController();

beforeAll(async () => {
  world = await sharedWorld();
  template = await makeTemplate(world);
  team = await makeTeam(world, 'leaver');
  await template.set();
  session = await openSession({ environment: {}, kubeconfig: inject('kubeconfig') });
  const kube = kubeClient(session);
  const onBug = (error: unknown) => {
    throw error;
  };
  const stores = makeStores(onBug);
  const watched = <T extends KubeObject>(resource: resources.Resource<T>, store: Store<T>) =>
    reflect<T>({ session, resource, store, signal: stop.signal }).settled;
  await Promise.all([
    watched(resources.issuers, stores.issuers),
    watched(resources.clusterIssuers, stores.clusterIssuers),
    watched(resources.certificates, stores.certificates),
    watched(resources.certificateRequests, stores.requests),
    watched(resources.orders, stores.orders),
    watched(resources.namespaces, stores.namespaces),
  ]);
  const recorder = eventRecorder({ kube, instance: 'test', onProblem: () => undefined });
  const settings = { clusterResourceNamespace: 'certway-system' };
  ports = { kube, stores, recorder, settings, log: openLogger({ level: 'error' }), now: Date.now };
});
afterAll(async () => {
  stop.abort();
  await team?.[Symbol.asyncDispose]();
  await template?.[Symbol.asyncDispose]();
  await session?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const secretName = () => `${template.stamped}.${team.namespace}`;
const key = () => stampKey(team.namespace, template.name);
const secretIsThere = async () => (await platformSecret(team, secretName())) !== undefined;

/** A queue with the reconciler of a process that has just begun. */
function process(): WorkQueue {
  const queue: WorkQueue = new WorkQueue({
    concurrency: 1,
    run: stampReconciler(ports, (found) => found === key() && queue.add(found), quiet),
    onError: (_, error) => {
      throw error;
    },
  });
  return queue;
}

/** Without waiting for a certificate: an account is enough. */
async function use(): Promise<string> {
  await team.kubectl.apply(listening(team, template.name));
  const { uri } = await registered(team, template.stamped);
  return uri;
}

/** No listener and no Certificate names it any more, as this process sees it. */
async function leave(): Promise<void> {
  await team.kubectl.run(['delete', 'listenersets.gateway.networking.k8s.io', 'web', '-n', team.namespace]);
  const issuer = `Issuer/${team.namespace}/${template.stamped}`;
  const { certificates, orders } = ports.stores;
  await until(
    'its Certificate and Order to go',
    () => certificates.by('issuer', issuer).length + orders.by('issuer', issuer).length === 0,
    patience,
  );
}

describe('an account that nobody uses', () => {
  it('stays while a Certificate names it, and its Issuer goes with its key when none does for a while', async () => {
    const first = await use();
    await using queue = process();
    queue.add(key());
    await queue.idle();
    expect(queue.delayed).toBe(0);
    await leave();
    const since = Date.now();
    queue.add(key());
    await until('the Issuer to go', async () => (await issuerNamed(team, template.stamped)) === undefined, patience);
    expect(Date.now() - since).toBeGreaterThanOrEqual(quiet);
    await until('its key to go', async () => !(await secretIsThere()), patience);
    // Another one later: what had the old key is nobody's.
    expect(await use()).not.toBe(first);
  });

  it('keeps its key when only its Issuer was taken, and loses it once nobody comes back', async () => {
    const uri = await use();
    await using queue = process();
    await team.kubectl.run(['delete', 'issuer', template.stamped, '-n', team.namespace]);
    expect((await registered(team, template.stamped)).uri).toBe(uri);
    await leave();
    // As when a process was ended after the first of its two writes.
    await team.kubectl.run(['delete', 'issuer', template.stamped, '-n', team.namespace]);
    await until(
      'this process to see it',
      () => ports.stores.issuers.get(`${team.namespace}/${template.stamped}`) === undefined,
    );
    expect(await secretIsThere()).toBe(true);
    queue.add(allStamps);
    await until('its key to go', async () => !(await secretIsThere()), patience);
  });

  it('leaves a Secret of that name that somebody else made', async () => {
    const name = secretName();
    const foreign = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'certway-system' } };
    await team.kubectl.apply([foreign]);
    await using queue = process();
    queue.add(key());
    await queue.idle();
    expect(queue.delayed).toBe(0);
    expect(await secretIsThere()).toBe(true);
    await team.kubectl.run(['delete', 'secret', name, '-n', 'certway-system']);
  });
});
