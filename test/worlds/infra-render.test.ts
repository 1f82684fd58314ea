// What infra renders, on a real API server with Envoy Gateway's own CRDs: every object is taken as it stands, reads back as wanted, and a second
// apply changes nothing; and the bindings give Envoy Gateway's ServiceAccount what it needs, where it needs it.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InfraClass } from '../../src/api/gateway-infra.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { gatewayClasses } from '../../src/api/resources.ts';
import { planCertificates } from '../../src/infra/certgen.ts';
import { covers } from '../../src/infra/covers.ts';
import { gatewayAccess } from '../../src/infra/render-access.ts';
import { planClasses } from '../../src/infra/render-classes.ts';
import { renderSystem } from '../../src/infra/render-system.ts';
import { nameOf, type Wanted } from '../../src/infra/wanted.ts';
import { makeCertificates } from '../../src/provision/certgen.ts';
import { infraOf, renderCases, uid } from '../infra/render-inputs.ts';
import { crdDir } from '../rig/fill-crds.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { startWorld, type World } from '../rig/world.ts';

let world: World;
let admin: Kubectl;

beforeAll(async () => {
  world = await startWorld();
  admin = kubectlFor(world);
  const dir = await crdDir();
  const files = (await readdir(dir)).filter((name) => name.includes('gateway.envoyproxy.io'));
  const crds = await Promise.all(files.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8'))));
  await admin.apply(crds, '--server-side');
  await admin.run(['wait', '--for=condition=Established', 'crd', ...crds.map((crd) => crd.metadata.name)]);
  await admin.apply(await readFile(join(import.meta.dirname, '../../deploy/infra/envoy-gateway-roles.yaml'), 'utf8'));
  const namespaces = ['gateways', 'team-a', 'team-b', 'elsewhere'];
  await admin.apply(namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
});

afterAll(() => world?.[Symbol.asyncDispose]());

const apply = (wanted: readonly Wanted[]) =>
  admin.apply(
    wanted.map(({ object }) => object),
    '--server-side',
    '--force-conflicts',
    '--field-manager=certway-infra',
  );

async function live(wanted: readonly Wanted[]): Promise<readonly KubeObject[]> {
  const items = wanted.map(({ object }) => object);
  const text = await admin.run(
    ['get', '-f', '-', '-o', 'json'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  );
  return JSON.parse(text).items;
}

/** Applies, and answers what a reconcile that runs right after it would write again. */
async function unsettled(wanted: readonly Wanted[]): Promise<readonly string[]> {
  await apply(wanted);
  const first = await live(wanted);
  await apply(wanted);
  const second = await live(wanted);
  return wanted.flatMap((each, index) => [
    ...(covers(first[index], each.object) ? [] : [`${nameOf(each)} reads differently`]),
    ...(first[index]?.metadata.resourceVersion === second[index]?.metadata.resourceVersion || each.of === gatewayClasses
      ? // The default of a GatewayClass's status makes each apply a write; infra compares before it applies.
        []
      : [`${nameOf(each)} was written twice`]),
  ]);
}

describe('the API server', () => {
  it.each(Object.entries(renderCases))(
    'takes the system of the input %s, and a second apply is none',
    async (_, { input }) => {
      const system = renderSystem(input);
      if (!system.ok) throw new Error(system.problem.message);
      expect(await unsettled(system.value.wanted)).toEqual([]);
    },
  );

  it('takes the certificates', async () => {
    const seen = { systemNamespace: 'envoy-gateway-system', secrets: new Map() };
    const made = await makeCertificates(planCertificates(seen, Date.now()), seen, uid, Date.now());
    if (!made.ok) throw new Error(made.problem.message);
    expect(made.value).toHaveLength(5);
    expect(await unsettled(made.value)).toEqual([]);
  });

  it('takes the classes with all that a class can say', async () => {
    const deployment = {
      replicas: 2,
      pod: { volumes: [{ name: 'tmp', emptyDir: {} }], imagePullSecrets: [{ name: 'own' }] },
      container: { volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] },
      initContainers: [{ name: 'waf', image: 'example.com/waf:1', restartPolicy: 'Always' }],
      patch: { type: 'StrategicMerge', value: { spec: { template: { spec: { dnsPolicy: 'ClusterFirst' } } } } },
    };
    const base = {
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'EnvoyProxy',
      metadata: { name: 'base', namespace: 'elsewhere' },
      spec: { provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: deployment } }, concurrency: 2 },
    };
    const classes: readonly InfraClass[] = [
      { name: 'plain' },
      { name: 'nodes', kind: 'DaemonSet', service: { type: 'NodePort' } },
      {
        name: 'rich',
        envoyProxyRef: { namespace: 'elsewhere', name: 'base' },
        service: {
          type: 'LoadBalancer',
          annotations: { 'example.com/pool': 'dmz' },
          loadBalancerClass: 'example.com/lb',
          loadBalancerIP: '192.0.2.1',
          sourceRanges: ['10.0.0.0/8'],
          allocateLoadBalancerNodePorts: false,
          patch: { type: 'StrategicMerge', value: { spec: { ipFamilyPolicy: 'PreferDualStack' } } },
        },
      },
    ];
    await admin.apply([base]);
    const plan = planClasses({
      infra: infraOf({
        classes,
        images: { registry: 'registry.example.com', prefix: 'hub' },
        namespaceResources: {
          pullSecrets: ['mirror'],
          trustBundle: { configMapRef: { namespace: 'elsewhere', name: 'roots' } },
          extension: { serviceAccount: 'waf', role: 'waf-reader' },
        },
      }),
      uid,
      classes: [],
      gateways: [],
      proxyBases: new Map([['elsewhere/base', base]]),
    });
    expect(plan.refusals).toEqual([]);
    expect(plan.wanted).toHaveLength(6);
    expect(await unsettled(plan.wanted)).toEqual([]);
  });
});

describe('Envoy Gateway’s ServiceAccount', () => {
  const user = 'system:serviceaccount:envoy-gateway-system:envoy-gateway';

  beforeAll(async () => {
    const { tenants } = renderCases;
    const system = tenants && renderSystem(tenants.input);
    if (tenants === undefined || system?.ok !== true) throw new Error('no such case');
    const { infra, hosting } = tenants.input;
    // What the other inputs have bound beside it.
    await admin.run(['delete', 'clusterrolebinding,rolebinding', '-A', '-l', `certway.dev/infra-uid=${uid}`]);
    await apply([...system.value.wanted, ...hosting.flatMap((namespace) => gatewayAccess(infra, uid, namespace))]);
  });

  /** "get secrets team-a", "update gateways.gateway.networking.k8s.io/status team-a"; without a namespace: in the whole cluster. */
  function review(question: string) {
    const [verb, what = '', namespace] = question.split(' ');
    const [kind = '', subresource] = what.split('/');
    const [resource, ...group] = kind.split('.');
    const resourceAttributes = { verb, resource, group: group.join('.'), subresource, namespace };
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user, resourceAttributes } };
  }

  async function allowed(questions: readonly string[]): Promise<readonly string[]> {
    const items = questions.map(review);
    const answers = await admin.run(
      ['create', '-f', '-', '-o', 'jsonpath={.status.allowed} '],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    const each = answers.trim().split(' ');
    expect(each).toHaveLength(questions.length);
    return questions.filter((_, index) => each[index] === 'true');
  }

  it('may do what it needs, where it serves', async () => {
    const needed = [
      'list secrets team-a',
      'watch configmaps team-b',
      'list gateways.gateway.networking.k8s.io team-a',
      'update gateways.gateway.networking.k8s.io/status team-a',
      'update listenersets.gateway.networking.k8s.io/status team-a',
      'create deployments.apps team-a',
      'patch serviceaccounts team-b',
      'list pods team-a',
      'get secrets envoy-gateway-system',
      'create leases.coordination.k8s.io envoy-gateway-system',
      'create tokenreviews.authentication.k8s.io',
      'patch gatewayclasses.gateway.networking.k8s.io',
      'watch nodes',
    ];
    expect(await allowed(needed)).toEqual(needed);
  });

  it('may do nothing else', async () => {
    const refused = [
      'list secrets',
      'get secrets elsewhere',
      'get secrets certway-system',
      'list gateways.gateway.networking.k8s.io',
      'create deployments.apps elsewhere',
      'create secrets team-a',
      'update secrets envoy-gateway-system',
      'create leases.coordination.k8s.io team-a',
      'create rolebindings.rbac.authorization.k8s.io team-a',
      'create pods/exec team-a',
      'create serviceaccounts/token team-a',
      'impersonate serviceaccounts team-a',
      'delete gateways.gateway.networking.k8s.io team-a',
      'update gatewayclasses.gateway.networking.k8s.io',
    ];
    expect(await allowed(refused)).toEqual([]);
  });
});
