// Everything that `certway infra` renders is watched: edits and deletions are put right by event, and what is somebody else's is left to them without
// an endless exchange of writes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../src/kube/session.ts';
import { until } from '../rig/wait.ts';
import { condition, openStage, patient, read, type Stage, settled, system, wish, writesSince } from './infra-scene.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  await stage.kubectl.apply(
    wish({ topologyInjector: 'HostingNamespaces', namespaceResources: { additionalNamespaces: ['team-a'] } }),
  );
  await stage.kubectl.run(['create', 'namespace', 'team-a']);
  await settled(stage);
  await until(
    'the namespace and the webhook that serves it',
    async () => {
      const webhook = await stage.kubectl.run(['get', 'mutatingwebhookconfigurations', '-o', 'name']);
      return (
        webhook.includes('envoy-gateway-topology-injector') &&
        (await read(stage)).status?.namespaces?.[0]?.state === 'Provisioned'
      );
    },
    patient,
  );
  await settled(stage);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

interface Place {
  readonly what: string;
  readonly in: readonly string[];
}

const inSystem = ['-n', system];
const places: readonly Place[] = [
  { what: 'deployment/envoy-gateway', in: inSystem },
  { what: 'service/envoy-gateway', in: inSystem },
  { what: 'service/certway-acme-solver', in: inSystem },
  { what: 'serviceaccount/envoy-gateway', in: inSystem },
  { what: 'configmap/envoy-gateway-config', in: inSystem },
  { what: 'networkpolicy/envoy-gateway', in: inSystem },
  { what: 'poddisruptionbudget/envoy-gateway', in: inSystem },
  { what: 'envoyproxy/certway', in: inSystem },
  { what: 'secret/envoy', in: inSystem },
  { what: 'rolebinding/certway-gateway-leader', in: inSystem },
  { what: 'clusterrolebinding/certway-gateway-cluster', in: [] },
  { what: 'gatewayclass/certway', in: [] },
  { what: 'mutatingwebhookconfiguration/envoy-gateway-topology-injector.envoy-gateway-system', in: [] },
  { what: 'rolebinding/certway-secret-writer', in: ['-n', 'team-a'] },
  { what: 'rolebinding/certway-gateway-read', in: ['-n', 'team-a'] },
];

function uid({ what, in: where }: Place): Promise<string> {
  return stage.kubectl.run([...where, 'get', what, '--ignore-not-found', '--output=jsonpath={.metadata.uid}']);
}

function get<T>({ what, in: where }: Place): Promise<T> {
  return stage.kubectl.get<T>(...where, what);
}

async function patch(
  { what, in: where }: Place,
  change: object,
  type = 'merge',
  ...more: readonly string[]
): Promise<void> {
  await stage.kubectl.run([...where, 'patch', what, `--type=${type}`, '-p', JSON.stringify(change), ...more]);
}

/** Long enough for an answer to an answer: the next reconcile is over when a marker that comes later has been put right. */
async function marker(): Promise<void> {
  const place: Place = { what: 'configmap/envoy-gateway-config', in: inSystem };
  await patch(place, { data: { 'envoy-gateway.yaml': 'marker' } });
  await until('the marker to be put right', async () => !(await config(place)).includes('marker'), patient);
}

async function config(place: Place): Promise<string> {
  return (await get<{ data: Record<string, string> }>(place)).data['envoy-gateway.yaml'] ?? 'marker';
}

describe('what is deleted', () => {
  it.each(places)('$what comes back', async (place) => {
    const before = await uid(place);
    expect(before).not.toBe('');
    await stage.kubectl.run([...place.in, 'delete', place.what, '--wait=false']);
    await until('another of that name', async () => !['', before].includes(await uid(place)), patient);
  });
});

describe('what is edited', () => {
  it('is put right: a value, a foreign subject, a foreign rule, a label of ours that is gone', async () => {
    await settled(stage);
    const deployment: Place = { what: 'deployment/envoy-gateway', in: inSystem };
    const image = '{.spec.template.spec.containers[0].image}';
    const now = () =>
      stage.kubectl.run([...inSystem, 'get', 'deployment', 'envoy-gateway', `--output=jsonpath=${image}`]);
    const good = await now();
    await stage.kubectl.run([...inSystem, 'set', 'image', deployment.what, 'envoy-gateway=evil.example/gateway:1']);
    await until('the image', async () => (await now()) === good, patient);

    const binding: Place = { what: 'rolebinding/certway-gateway-read', in: ['-n', 'team-a'] };
    const intruder = { kind: 'ServiceAccount', name: 'intruder', namespace: 'team-a' };
    type Subjects = { subjects: { name: string }[] };
    await patch(binding, [{ op: 'add', path: '/subjects/-', value: intruder }], 'json');
    await until('the subject', async () => (await get<Subjects>(binding)).subjects.length === 1, patient);

    const policy: Place = { what: 'networkpolicy/envoy-gateway', in: inSystem };
    type Policy = { spec: { ingress: unknown[] } };
    const { ingress } = (await get<Policy>(policy)).spec;
    await patch(policy, [{ op: 'add', path: '/spec/ingress/-', value: {} }], 'json');
    await until('the rule', async () => (await get<Policy>(policy)).spec.ingress.length === ingress.length, patient);

    const service: Place = { what: 'service/envoy-gateway', in: inSystem };
    type Labelled = { metadata: { labels?: Record<string, string> } };
    await stage.kubectl.run([...inSystem, 'label', service.what, 'app.kubernetes.io/managed-by-']);
    await until(
      'the label',
      async () => (await get<Labelled>(service)).metadata.labels?.['app.kubernetes.io/managed-by'] === 'certway-infra',
      patient,
    );
  });

  it('is made anew where it cannot be changed: a binding to another role', async () => {
    const binding: Place = { what: 'rolebinding/certway-gateway-leader', in: inSystem };
    const mine = await get<{ metadata: { labels: object }; subjects: unknown }>(binding);
    const other = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'certway-gateway-leader', namespace: system, labels: mine.metadata.labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: mine.subjects,
    };
    // Suspended meanwhile: it would be back before another can be made.
    const suspend = (is: string) =>
      stage.kubectl.run(['patch', 'gatewayinfra', 'default', '--type=merge', '-p', `{"spec":{"suspend":${is}}}`]);
    await suspend('true');
    await condition(stage, 'Progressing', { reason: 'Suspended' });
    await stage.kubectl.run([...inSystem, 'delete', binding.what, '--wait=false']);
    await stage.kubectl.run(['create', '-f', '-'], JSON.stringify(other));
    await suspend('false');
    const role = async () => (await get<{ roleRef: { name: string } }>(binding)).roleRef.name;
    await until('the role', async () => (await role()) === 'certway-gateway-leader', patient);
  });
});

describe('what is somebody else’s', () => {
  it('stays, and is no reason to write: annotations, a CA bundle, an injected container, replicas of an autoscaler', async () => {
    await settled(stage);
    await marker();
    const deployment: Place = { what: 'deployment/envoy-gateway', in: inSystem };
    const webhook: Place = {
      what: 'mutatingwebhookconfiguration/envoy-gateway-topology-injector.envoy-gateway-system',
      in: [],
    };
    const since = Date.now();
    await stage.kubectl.run([...inSystem, 'annotate', deployment.what, 'example.com/note=kept']);
    await stage.kubectl.run([...inSystem, 'label', 'service/envoy-gateway', 'example.com/team=platform']);
    const mesh = { spec: { template: { spec: { containers: [{ name: 'mesh', image: 'example.com/mesh:1' }] } } } };
    await patch(deployment, mesh, 'strategic');
    await patch(webhook, [{ op: 'add', path: '/webhooks/0/matchPolicy', value: 'Exact' }], 'json');
    // As the autoscaler's controller does it.
    await patch(
      deployment,
      { spec: { replicas: 4 } },
      'merge',
      '--subresource=scale',
      '--field-manager=kube-controller-manager',
    );
    await marker();
    type Deployment = {
      metadata: { annotations: object };
      spec: { replicas: number; template: { spec: { containers: { name: string }[] } } };
    };
    const { metadata, spec } = await get<Deployment>(deployment);
    expect(metadata.annotations).toMatchObject({ 'example.com/note': 'kept' });
    expect(spec.replicas).toBe(4);
    expect(spec.template.spec.containers.map(({ name }) => name).toSorted()).toEqual(['envoy-gateway', 'mesh']);
    const writes = (await writesSince(stage, since)).filter(
      ({ resource }) => resource !== 'events' && resource !== 'gatewayinfras/status',
    );
    // The Deployment once: the number of replicas is the autoscaler's from now on.
    expect(writes.map(({ verb, resource, name }) => `${verb} ${resource} ${name}`).toSorted()).toEqual([
      'patch configmaps envoy-gateway-config',
      'patch deployments envoy-gateway',
    ]);
  });

  it('is never taken away, though it carries labels like ours; what an earlier version of ours rendered is', async () => {
    const stray = (name: string, uidOf: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: system,
        labels: {
          'app.kubernetes.io/managed-by': 'certway-infra',
          'certway.dev/infra-uid': uidOf,
          'certway.dev/infra-step': 'system',
        },
      },
    });
    const { metadata } = await read(stage);
    await stage.kubectl.apply([stray('of-another-install', 'no-uid-of-ours')]);
    await marker();
    expect(await uid({ what: 'configmap/of-another-install', in: inSystem })).not.toBe('');
    // With both, it is what an earlier version rendered.
    await stage.kubectl.apply([stray('of-an-earlier-version', metadata.uid ?? '')]);
    const gone: Place = { what: 'configmap/of-an-earlier-version', in: inSystem };
    await until('it to be gone', async () => (await uid(gone)) === '', patient);
  });
});

it('a quarrel about an object ends: who undoes each apply is told, and has the last word for a minute', async () => {
  await using session = await openSession({ kubeconfig: stage.world.kubeconfig, environment: {} });
  const path = `/api/v1/namespaces/${system}/services/envoy-gateway`;
  let round = 0;
  const undo = () => {
    round += 1;
    const body = { metadata: { labels: { 'control-plane': `not-${round}` } } };
    return session.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
  };
  await until(
    'Degraded to name the object',
    async () => {
      for (let times = 0; times < 10; times += 1) await undo();
      const degraded = (await read(stage)).status?.conditions?.find(({ type }) => type === 'Degraded');
      return degraded?.reason === 'Contested' && degraded.message?.includes(`Service ${system}/envoy-gateway`);
    },
    patient,
  );
  // Each was put right before the next, or shares its apply with it.
  expect(round).toBeGreaterThanOrEqual(20);
});
