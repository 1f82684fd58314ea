// Both halves at once, each with its own ServiceAccount and the rights of deploy/: a namespace gets its right to a certificate from `certway infra`,
// and gives it back, by nothing but what stands in the cluster. Envoy Gateway itself does not run here: its Pods are said to be ready.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roleBindings } from '../../src/api/resources.ts';
import { controllerUser } from '../rig/audit.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { caIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';
import { openStage, patient, read, type Stage, system, wish } from './infra-scene.ts';

let stage: Stage;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  stage = await openStage();
  controller = await startController(stage.world);
  await stage.kubectl.apply(wish());
  // Nothing is granted by hand.
  team = await makeTeam(stage.world, 'both', { rights: 'none' });
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const stateOf = async () => (await read(stage)).status?.namespaces?.find(({ name }) => name === team.namespace);

/** Waits until infra says so of the namespace; `undefined`: it says nothing any more. */
function comes(state: string | undefined): Promise<void> {
  return until(
    `${team.namespace} to be ${state ?? 'left'}`,
    async () => {
      await sayReady();
      const found = await stateOf();
      if (found?.state !== state) throw new Error(JSON.stringify(found));
      return true;
    },
    { deadlineMs: 150_000 },
  ).then(() => undefined);
}

/** In the kubelet's stead, for Pods that no kubelet runs. */
async function sayReady(): Promise<void> {
  const names = ['-n', system, 'get', 'pods', '-o', 'name'];
  const pods = (await stage.kubectl.run(names).catch(() => '')).split('\n').filter((line) => line !== '');
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-21T12:00:00Z' }];
  const body = JSON.stringify({ status: { phase: 'Running', conditions } });
  for (const pod of pods) {
    // One that has gone meanwhile need not be ready.
    await stage.kubectl
      .run(['-n', system, 'patch', pod, '--subresource=status', '--type=merge', '-p', body])
      .catch(() => '');
  }
}

const writers = async () =>
  (await team.all(roleBindings))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name === 'certway-secret-writer');

describe('a team', () => {
  it('gets its certificate with the right that infra gives for its first Gateway', async () => {
    const annotations = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
    const made = gateway(team.namespace) as ReturnType<typeof gateway> & { readonly spec: object };
    await team.kubectl.apply([
      ...caIssuer(team.namespace),
      { ...made, spec: { ...made.spec, gatewayClassName: 'certway' } },
      listenerSet(team.namespace, { name: 'web', hostname: 'web.example.com', annotations }),
    ]);
    await comes('Provisioned');
    expect(await writers()).toEqual(['certway-secret-writer']);
    await team.ready('web-tls', patient.deadlineMs);
  });

  it('keeps its Secrets when its last Gateway goes; the right goes last, after the word of the certificate half', async () => {
    const secret = await team.secret('web-tls');
    const since = Date.now();
    await team.kubectl.run(['delete', 'listenersets.gateway.networking.k8s.io/web', '-n', team.namespace]);
    await team.kubectl.run(['delete', 'gateways.gateway.networking.k8s.io/parent', '-n', team.namespace]);
    await comes(undefined);
    expect(await writers()).toEqual([]);
    expect((await team.secret('web-tls'))?.metadata.uid).toBe(secret?.metadata.uid);
    const writes = await stage.audit.writes();
    const word = writes.find(
      (each) => each.user === controllerUser && each.resource === 'gatewayinfras' && each.at >= since,
    );
    const taken = writes.find(
      (each) =>
        each.verb === 'delete' &&
        each.resource === 'rolebindings' &&
        each.name === 'certway-secret-writer' &&
        each.at >= since,
    );
    expect(word?.code).toBe(200);
    expect(taken?.at).toBeGreaterThanOrEqual(word?.at ?? Number.POSITIVE_INFINITY);
    const late = writes.filter(
      (each) => each.user === controllerUser && each.resource === 'secrets' && each.at >= (word?.at ?? 0),
    );
    expect(late.filter(({ namespace }) => namespace === team.namespace)).toEqual([]);
    await until('the word to be taken back', async () => {
      const { annotations = {} } = (await read(stage)).metadata;
      return (annotations['certway.dev/drained-namespaces'] ?? '') === '';
    });
  });

  it('gets it again with its next Gateway', async () => {
    const made = gateway(team.namespace) as ReturnType<typeof gateway> & { readonly spec: object };
    const annotations = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
    await team.kubectl.apply([
      { ...made, spec: { ...made.spec, gatewayClassName: 'certway' } },
      listenerSet(team.namespace, { name: 'again', hostname: 'again.example.com', annotations }),
    ]);
    await comes('Provisioned');
    await team.ready('again-tls', patient.deadlineMs);
  });
});
