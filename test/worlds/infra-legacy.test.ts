// A cluster moves from Envoy Gateway as its chart installs it to Certway's: told first, nothing started beside the old controller, the CA and the
// Service kept, everything of the chart gone in order and nothing of anybody else. With the real chart, Helm and API server, and the rights of deploy/.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/api/gateway.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Write } from '../rig/audit.ts';
import type { Infra } from '../rig/infra.ts';
import { until } from '../rig/wait.ts';
import { beUp, legacySays, type Move, openMove, proxy, standing, system } from './infra-legacy-scene.ts';
import { infraUser, patient, reconciles, settled, wish } from './infra-scene.ts';

let move: Move;
let infra: Infra;
let gateway: Gateway;
let before: ReadonlyMap<string, string>;
let secrets: string;
let service: string;

const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';
const everything = 'deployments,services,configmaps,serviceaccounts,jobs,roles,rolebindings';
const oldName = 'envoy-team-a-web-0a1b2c3d';
const gone = 'envoy-team-a-gone-1a2b3c4d';

const get = async (...args: readonly string[]) =>
  (await move.kubectl.run(['get', ...args, '--ignore-not-found'])).trim();
const secretsOf = (namespace: string) =>
  get(
    'secrets',
    '-n',
    namespace,
    'envoy',
    'envoy-gateway',
    'envoy-rate-limit',
    'envoy-oidc-hmac',
    '-o',
    'jsonpath={.items[*].metadata.uid}{.items[*].data}',
  );
const serviceOf = () =>
  get('service', '-n', system, 'envoy-gateway', '-o', 'jsonpath={.metadata.uid} {.spec.clusterIP}');
const ourDeployment = () =>
  get('deployment', '-n', system, '-l', 'app.kubernetes.io/managed-by=certway-infra', '-o', 'name');
const chartObjects = () =>
  get(
    'roles,rolebindings,clusterroles,clusterrolebindings,mutatingwebhookconfigurations',
    '-A',
    '-l',
    'app.kubernetes.io/name=gateway-helm',
    '-o',
    'name',
  );

// Without validation by the client: it would fetch the whole OpenAPI, which the server makes anew while CRDs come in.
const ask = (spec: object = {}) => move.kubectl.apply(wish(spec), '--validate=false');

async function writes(): Promise<readonly Write[]> {
  return (await move.audit.writes()).filter(({ user, code }) => user === infraUser && code < 300);
}

beforeAll(async () => {
  move = await openMove('2s');
  const { kubectl } = move;
  await move.install('eg', system);
  await kubectl.run(['create', 'namespace', 'team-a']);
  const gatewayClass = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'eg' },
    spec: { controllerName },
  };
  const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }];
  const web = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'team-a' },
    spec: { gatewayClassName: 'eg', listeners },
  };
  const users = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'their-own', namespace: system },
    data: { a: 'b' },
  };
  await kubectl.apply([gatewayClass, web, users]);
  gateway = await kubectl.get<Gateway>('gateway', 'web', '-n', 'team-a');
  const { metadata } = await kubectl.get<KubeObject>('gatewayclass', 'eg');
  const owner = { kind: 'GatewayClass', name: 'eg', uid: metadata.uid ?? '' } as const;
  await kubectl.apply([
    ...proxy({ gateway: 'team-a/web', owner, namespace: system, name: oldName }),
    ...proxy({ gateway: 'team-a/gone', owner, namespace: system, name: gone }),
  ]);
  secrets = await secretsOf(system);
  service = await serviceOf();
  before = await standing(kubectl, system, everything);
  infra = await move.start();
}, 1_200_000);
afterAll(async () => {
  await infra?.[Symbol.asyncDispose]();
  await move?.[Symbol.asyncDispose]();
});

describe('an install of the chart in the system namespace', () => {
  it('is told with everything that would go, and touched by nobody, until somebody asks for it', async () => {
    await ask();
    const message = await legacySays(move, 'CleanupManual');
    for (const name of [
      'Helm release eg',
      `Deployment ${system}/envoy-gateway`,
      'ClusterRoleBinding eg-gateway-helm-envoy-gateway-rolebinding',
      `Service ${system}/${oldName}`,
      'Secret envoy-gateway-system/sh.helm.release.v1.eg.v1',
      'Gateway team-a/gone, Gateway team-a/web',
    ]) {
      expect(message).toContain(name);
    }
    const now = await standing(move.kubectl, system, everything);
    for (const [name, as] of before) expect([name, now.get(name)]).toEqual([name, as]);
    expect(await ourDeployment()).toBe('');
    expect((await writes()).filter(({ namespace, verb }) => namespace === system && verb === 'delete')).toEqual([]);
  });

  it('sweeps and starts nothing while a Pod of the old controller is there, whoever is killed meanwhile', async () => {
    const pods = ['-n', system, '-l', 'app.kubernetes.io/name=gateway-helm', '-o', 'name'];
    const pod = await until(
      'the Pod of the old controller',
      async () => (await get('pods', ...pods)) || undefined,
      patient,
    );
    // On a node whose kubelet never answers: deleted, it goes on ending until somebody forces it.
    await move.kubectl.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'mute' } }], '--validate=false');
    const target = { apiVersion: 'v1', kind: 'Node', name: 'mute' };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.replace('pod/', '') }, target };
    const path = `/api/v1/namespaces/${system}/pods/${pod.replace('pod/', '')}/binding`;
    await move.kubectl.run(['create', '--raw', path, '-f', '-'], JSON.stringify(binding));
    await ask({ legacy: { cleanup: 'Auto' } });
    await until(
      'the old Deployment to go',
      async () => (await get('deployment', '-n', system, 'envoy-gateway')) === '',
      patient,
    );
    await infra.kill('SIGKILL');
    infra = await move.start();
    await until('two more looks', async () => (await reconciles({ infra }, 'legacy')) >= 2, patient);
    expect(await ourDeployment()).toBe('');
    const stands = await standing(move.kubectl, system, 'deployments,services');
    for (const name of [oldName, gone])
      expect([...stands.keys()]).toEqual(expect.arrayContaining([`Deployment/${name}`, `Service/${name}`]));
    await move.kubectl.run(['delete', pod, '-n', system, '--force', '--grace-period=0']);
    await until('our own controller', async () => (await ourDeployment()) !== '', patient);
  });

  it('told it before the first removal, and removed the controller before ours was made and any proxy swept', async () => {
    await until('the chart to be gone', async () => (await chartObjects()) === '', patient);
    const all = await writes();
    const [event = ''] = (
      await get('events', '-n', 'default', '-o', 'jsonpath={.items[?(@.reason=="LegacyInProgress")].metadata.name}')
    ).split(' ');
    const told = all.findIndex(({ resource, name }) => resource === 'events' && name === event);
    const removals = all.filter(({ verb }) => verb === 'delete').map(({ resource, name }) => `${resource} ${name}`);
    expect(removals[0]).toBe('deployments envoy-gateway');
    expect(told).toBeGreaterThanOrEqual(0);
    expect(told).toBeLessThan(all.findIndex(({ verb }) => verb === 'delete'));
    const made = all.findIndex(
      ({ resource, verb, name }) => resource === 'deployments' && verb === 'patch' && name === 'envoy-gateway',
    );
    expect(made).toBeGreaterThan(all.findIndex(({ verb, name }) => verb === 'delete' && name === 'envoy-gateway'));
    const at = (one: string) => removals.indexOf(one);
    expect(at('secrets sh.helm.release.v1.eg.v1')).toBeGreaterThan(0);
    expect(at('secrets sh.helm.release.v1.eg.v1')).toBeLessThan(at('rolebindings eg-gateway-helm-infra-manager'));
    expect(at('roles eg-gateway-helm-infra-manager')).toBeLessThan(at('rolebindings eg-gateway-helm-infra-manager'));
    expect(removals.filter((one) => one.startsWith('namespaces') || one.includes('their-own'))).toEqual([]);
  });

  it('keeps what running proxies hold on to: the CA, and the Service under its address, which now finds ours alone', async () => {
    expect(await secretsOf(system)).toBe(secrets);
    expect(await serviceOf()).toBe(service);
    expect(JSON.parse(await get('service', '-n', system, 'envoy-gateway', '-o', 'jsonpath={.spec.selector}'))).toEqual({
      'control-plane': 'envoy-gateway',
      'app.kubernetes.io/name': 'envoy-gateway',
    });
    expect(await get('configmap', '-n', system, 'their-own', '-o', 'jsonpath={.data}')).toBe('{"a":"b"}');
    expect(await move.releases(system)).toBe('');
  });

  it('sweeps the proxy of a Gateway that is gone at once, and the others when their new ones are up', async () => {
    await until('the orphan to go', async () => (await get('deployment', '-n', system, gone)) === '', patient);
    await legacySays(move, 'InProgress', /new proxies of Gateways team-a\/web;/);
    expect(await get('deployment', '-n', system, oldName, '-o', 'name')).not.toBe('');
    const owner = { kind: 'Gateway', name: 'web', uid: gateway.metadata.uid ?? '' } as const;
    await move.kubectl.apply(
      proxy({ gateway: 'team-a/web', owner, namespace: 'team-a', name: 'web' }),
      '--validate=false',
    );
    await beUp(move.kubectl, 'team-a', 'web', '192.0.2.9');
    await legacySays(move, 'Cleaned');
    expect(
      await get(
        'deployments,services,configmaps,serviceaccounts',
        '-n',
        system,
        '-l',
        'app.kubernetes.io/component=proxy',
        '-o',
        'name',
      ),
    ).toBe('');
    expect(await get('deployment', '-n', 'team-a', 'web', '-o', 'name')).not.toBe('');
    await settled(move);
  });
});

describe('an install of the chart in a namespace of its own', () => {
  it('is told with the command that lets Certway look there, and that command is enough', async () => {
    await move.install('old', 'tigera-gateway', {
      config: { envoyGateway: { provider: { kubernetes: { deploy: { type: 'GatewayNamespace' } } } } },
    });
    await ask({ legacy: { cleanup: 'Auto', namespace: 'tigera-gateway' } });
    const message = await legacySays(move, 'NotReadable');
    const [, command = ''] = /kubectl (create rolebinding .*)$/.exec(message) ?? [];
    await move.kubectl.run(command.split(' '));
    await legacySays(move, 'Cleaned');
    expect(await chartObjects()).toBe('');
    expect(await get(everything, '-n', 'tigera-gateway', '-o', 'name')).toMatch(
      /^(configmap\/kube-root-ca\.crt|serviceaccount\/default|\s)+$/,
    );
    expect(await secretsOf('tigera-gateway')).toBe('');
    expect(await get('namespace', 'tigera-gateway', '-o', 'name')).toBe('namespace/tigera-gateway');
    expect(await secretsOf(system)).toBe(secrets);
  });

  it('is not cleaned twice: an idle look writes nothing', async () => {
    await settled(move);
    const seen = (await writes()).length;
    const looks = await reconciles({ infra }, 'legacy');
    await move.kubectl.run(['annotate', 'gatewayinfra', 'default', 'example.com/look=again']);
    await until('another look', async () => (await reconciles({ infra }, 'legacy')) > looks, patient);
    expect((await writes()).slice(seen)).toEqual([]);
  });
});
