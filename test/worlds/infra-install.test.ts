// `certway infra` installs Envoy Gateway for a GatewayInfra, follows every edit of what it is told, and says what is missing. With the rights of
// deploy/infra alone, in a world of its own: the GatewayInfra is one for the whole cluster.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../rig/wait.ts';
import {
  condition,
  openStage,
  patient,
  read,
  readyPods,
  reconciles,
  type Stage,
  settled,
  system,
  wish,
  writesSince,
} from './infra-scene.ts';

let stage: Stage;
let kubelet: AsyncDisposable | undefined;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await kubelet?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const labelled = ['-l', 'app.kubernetes.io/managed-by=certway-infra', '--ignore-not-found', '-o', 'name'];

async function ours(namespace: string | undefined, kinds: string): Promise<readonly string[]> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  const lines = await stage.kubectl.run(['get', kinds, ...where, ...labelled]);
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}

async function patchSpec(spec: object): Promise<void> {
  await stage.kubectl.run(['patch', 'gatewayinfra', 'default', '--type=merge', '-p', JSON.stringify({ spec })]);
}

async function config(): Promise<string> {
  const map = await stage.kubectl.get<{ data: Record<string, string> }>(
    '-n',
    system,
    'configmap',
    'envoy-gateway-config',
  );
  return map.data['envoy-gateway.yaml'] ?? '';
}

async function image(): Promise<string> {
  const path = '--output=jsonpath={.spec.template.spec.containers[0].image}';
  return stage.kubectl.run(['-n', system, 'get', 'deployment', 'envoy-gateway', path]);
}

function gateway(namespace: string, className: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace },
    spec: { gatewayClassName: className, listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
  };
}

describe('a GatewayInfra that says nothing', () => {
  it('is written back with its defaults, and everything is made', async () => {
    await stage.kubectl.apply(wish());
    await settled(stage);
    const { spec, metadata, status } = await read(stage);
    expect(spec.classes?.map(({ name }) => name)).toEqual(['certway']);
    expect(metadata.finalizers).toEqual(['certway.dev/infra']);
    expect(status?.rendered).toMatchObject({ version: '1.9.1', digest: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(
      await ours(
        system,
        'serviceaccounts,configmaps,services,deployments,poddisruptionbudgets,networkpolicies,envoyproxies',
      ),
    ).toEqual([
      'configmap/envoy-gateway-config',
      'deployment.apps/envoy-gateway',
      'envoyproxy.gateway.envoyproxy.io/certway',
      'networkpolicy.networking.k8s.io/envoy-gateway',
      'poddisruptionbudget.policy/envoy-gateway',
      'service/certway-acme-solver',
      'service/envoy-gateway',
      'serviceaccount/envoy-gateway',
    ]);
    expect(await ours(system, 'secrets')).toEqual(
      ['certway-envoy-gateway-ca', 'envoy', 'envoy-gateway', 'envoy-oidc-hmac', 'envoy-rate-limit'].map(
        (name) => `secret/${name}`,
      ),
    );
    expect(await ours(undefined, 'gatewayclasses,clusterrolebindings')).toEqual([
      'clusterrolebinding.rbac.authorization.k8s.io/certway-gateway-cluster',
      'clusterrolebinding.rbac.authorization.k8s.io/certway-gateway-tokenreview',
      'gatewayclass.gateway.networking.k8s.io/certway',
    ]);
  });

  it('says when the controller runs: its Pods are ready, as a kubelet would say', async () => {
    await condition(stage, 'ControllerInstalled', { status: 'True', reason: 'Installed' });
    await condition(stage, 'Available', { status: 'False', reason: 'ControllerUnavailable' });
    kubelet = await readyPods(stage);
    const { message } = await condition(stage, 'Available', { status: 'True' });
    expect(message).toContain('2 available replicas');
  });

  it('is left alone once it stands: a look at everything writes nothing', async () => {
    await settled(stage);
    const [before, since] = [await reconciles(stage, 'infra'), Date.now()];
    await stage.kubectl.run(['annotate', 'gatewayinfra', 'default', 'example.com/look=again']);
    await until('another reconcile', async () => (await reconciles(stage, 'infra')) > before, patient);
    await until('another look at what is shared', async () => (await reconciles(stage, 'status')) > 0, patient);
    expect(await writesSince(stage, since)).toEqual([]);
  });
});

describe('what the spec names', () => {
  const ref = { namespace: 'platform', name: 'envoy-gateway' };
  const userConfig = (text: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ref,
    data: { 'envoy-gateway.yaml': text },
  });

  it('is told by name while it is missing, and taken up by event when it comes, changes and goes', async () => {
    await stage.kubectl.run(['create', 'namespace', 'platform']);
    await patchSpec({ envoyGatewayConfigRef: ref });
    const missing = await condition(stage, 'Degraded', { status: 'True', reason: 'ConfigMissing' });
    expect(missing.message).toContain('system: ConfigMap platform/envoy-gateway');
    await condition(stage, 'ControllerInstalled', { status: 'False', reason: 'InstallFailed' });
    await stage.kubectl.apply([
      userConfig('{ logging: { level: { default: warn } }, provider: { type: Kubernetes } }'),
    ]);
    await condition(stage, 'Degraded', { status: 'False' });
    await until('the level to be in the configuration', async () => /default: warn/.test(await config()), patient);
    expect(await config()).toMatch(/type: GatewayNamespace/);
    await stage.kubectl.apply([userConfig('{ logging: { level: { default: debug } } }')]);
    await until('the edit to be in the configuration', async () => /default: debug/.test(await config()), patient);
    await stage.kubectl.run(['-n', 'platform', 'delete', 'configmap', ref.name]);
    await condition(stage, 'Degraded', { status: 'True', reason: 'ConfigMissing' });
    // What stands stays as it was meanwhile.
    expect(await config()).toMatch(/default: debug/);
    await patchSpec({ envoyGatewayConfigRef: null });
    await settled(stage);
    expect(await config()).not.toMatch(/default: debug/);
  });

  it('changes nothing while it is suspended, and is followed afterwards', async () => {
    await patchSpec({ suspend: true, images: { registry: 'registry.example.com:5000' } });
    await condition(stage, 'Progressing', { reason: 'Suspended' });
    expect(await image()).not.toContain('registry.example.com');
    await patchSpec({ suspend: false });
    await until(
      'the image of the registry',
      async () => (await image()).startsWith('registry.example.com:5000/'),
      patient,
    );
    await patchSpec({ images: null });
    await settled(stage);
  });

  it('takes away what is no longer rendered: one replica needs no budget, and no policy is wanted', async () => {
    await patchSpec({ availability: { topology: 'Single' }, networkPolicy: 'None' });
    await until(
      'budget and policy to be gone',
      async () => (await ours(system, 'pdb,networkpolicies')).length === 0,
      patient,
    );
    await patchSpec({ availability: null, networkPolicy: 'Kubernetes' });
    await until('both to be back', async () => (await ours(system, 'pdb,networkpolicies')).length === 2, patient);
    await settled(stage);
  });

  it('keeps a class that is dropped while Gateways use it, names them, and lets it go with the last', async () => {
    await stage.kubectl.run(['create', 'namespace', 'team-a']);
    await patchSpec({ classes: [{ name: 'certway' }, { name: 'internal' }] });
    await until('the class internal', async () => (await ours(undefined, 'gatewayclasses')).length === 2, patient);
    await stage.kubectl.apply([gateway('team-a', 'internal')]);
    await patchSpec({ classes: [{ name: 'certway' }] });
    const refused = await condition(stage, 'Degraded', { status: 'True', reason: 'ClassInUse' });
    expect(refused.message).toMatch(/GatewayClass internal.*team-a\/web/);
    await stage.kubectl.run(['-n', 'team-a', 'delete', 'gateway', 'web']);
    await until('the class to be gone', async () => (await ours(undefined, 'gatewayclasses')).length === 1, patient);
    await settled(stage);
  });
});

describe('another process', () => {
  it('takes the Lease over when the first is told to end, and writes nothing that stands', async () => {
    await settled(stage);
    await stage.infra.kill('SIGTERM');
    expect(await stage.infra.exited).toBe(0);
    const since = Date.now();
    const infra = await stage.start();
    const next = { ...stage, infra };
    await until('its first reconcile', async () => (await reconciles(next, 'infra')) > 0, patient);
    await until('its first look at all namespaces', async () => (await reconciles(next, 'space')) > 0, patient);
    await settled(stage);
    expect(await writesSince(stage, since)).toEqual([]);
    await infra.kill('SIGTERM');
  });
});
