// What the deletion of a GatewayInfra waits for, says, takes away and leaves.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../rig/wait.ts';
import { condition, openStage, patient, read, type Stage, settled, system, wish } from './infra-scene.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const labelled = ['-l', 'app.kubernetes.io/managed-by=certway-infra', '--ignore-not-found', '-o', 'name'];

async function standing(): Promise<readonly string[]> {
  const kinds =
    'deployments,services,serviceaccounts,configmaps,secrets,networkpolicies,poddisruptionbudgets,endpointslices,envoyproxies,rolebindings,clusterrolebindings,gatewayclasses,mutatingwebhookconfigurations';
  const lines = await stage.kubectl.run(['get', kinds, '--all-namespaces', ...labelled]);
  return lines.split('\n').filter((line) => line !== '' && !line.startsWith('endpointslice'));
}

async function change(spec: object): Promise<void> {
  await stage.kubectl.run(['patch', 'gatewayinfra', 'default', '--type=merge', '-p', JSON.stringify({ spec })]);
}

const gateway = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'web', namespace: 'team-a' },
  spec: { gatewayClassName: 'certway', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
};
const issued = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'web-tls', namespace: 'team-a', labels: { 'controller.cert-manager.io/fao': 'true' } },
};
const accountKey = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'acme-account', namespace: 'certway-system' },
};

it('is held back by Gateways that are served, which the condition names', async () => {
  await stage.kubectl.apply(wish());
  await stage.kubectl.run(['create', 'namespace', 'team-a']);
  await settled(stage);
  await stage.kubectl.apply([gateway, issued, accountKey]);
  await until(
    'team-a to be provisioned',
    async () =>
      (await read(stage)).status?.namespaces?.some(({ name, state }) => name === 'team-a' && state === 'Provisioned'),
    patient,
  );
  await stage.kubectl.run(['delete', 'gatewayinfra', 'default', '--wait=false']);
  const { message } = await condition(stage, 'Released', { status: 'False', reason: 'GatewaysServed' });
  expect(message).toContain('team-a/web');
  expect((await standing()).length).toBeGreaterThan(15);
});

it('does nothing while it is suspended', async () => {
  await change({ suspend: true });
  await condition(stage, 'Released', { status: 'False', reason: 'Suspended' });
  await change({ suspend: false });
  await condition(stage, 'Released', { status: 'False', reason: 'GatewaysServed' });
});

it('goes on when the last Gateway is gone: everything of ours is taken away, and nothing else', async () => {
  // As Envoy Gateway marks a class in use; there is none here to take it off again.
  const held = { metadata: { finalizers: ['gateway-exists-finalizer.gateway.networking.k8s.io'] } };
  await stage.kubectl.run(['patch', 'gatewayclass', 'certway', '--type=merge', '-p', JSON.stringify(held)]);
  await stage.kubectl.run(['-n', 'team-a', 'delete', 'gateway', 'web']);
  await until(
    'the GatewayInfra to be gone',
    async () => (await stage.kubectl.run(['get', 'gatewayinfras', '-o', 'name'])) === '',
    { deadlineMs: 110_000 },
  );
  expect(await standing()).toEqual([]);
  expect(await stage.kubectl.run(['-n', system, 'get', 'pods', '-o', 'name'])).toBe('');
  expect(
    await stage.kubectl.run([
      'get',
      'crd',
      'envoyproxies.gateway.envoyproxy.io',
      'gateways.gateway.networking.k8s.io',
      '-o',
      'name',
    ]),
  ).not.toBe('');
  const kept = await stage.kubectl.run(['get', 'secrets', '--all-namespaces', '-o', 'name']);
  expect(kept).toContain('web-tls');
  expect(kept).toContain('acme-account');
});

it('can be made anew, with everything', async () => {
  await stage.kubectl.apply(wish());
  await settled(stage);
  expect((await standing()).length).toBeGreaterThan(12);
});
