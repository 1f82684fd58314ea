// What the tests of hosting namespaces stand on: a world where `certway infra` runs without Envoy Gateway's CRDs, so that nothing but the namespaces
// is at work, a platform that asks for everything, and what of infra's stands where.

import type { GatewayInfra, InfraNamespace } from '../../src/api/gateway-infra.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { type Audit, openAudit, type Write } from '../rig/audit.ts';
import { type Infra, startInfra } from '../rig/infra.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';

export const system = 'envoy-gateway-system';
export const patient = { deadlineMs: 90_000 };
const accounts = ['certway-infra', 'certway-pull-secrets'].map(
  (name) => `system:serviceaccount:certway-system:${name}`,
);

export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly kubectl: Kubectl;
  readonly audit: Audit;
  start(): Promise<Infra>;
  /** The namespace's line in the status; waits until it fits. */
  line(name: string, wanted: Partial<InfraNamespace> | 'none'): Promise<InfraNamespace | undefined>;
  /** "RoleBinding certway-secret-writer" and so on, sorted: what infra and its account for pull Secrets have made there. */
  ours(namespace: string): Promise<readonly string[]>;
  /** Waits until exactly these stand. */
  stands(namespace: string, wanted: readonly string[]): Promise<void>;
  /** What the two accounts wrote since, refused writes too, in order. */
  writes(since: number): Promise<readonly Write[]>;
}

export async function openScene(): Promise<Scene> {
  const world = await startWorld();
  const kubectl = kubectlFor(world);
  const audit = openAudit(world.auditLog);
  const ours = async (namespace: string) => {
    const kinds = 'rolebindings,configmaps,serviceaccounts,secrets';
    const selector = 'app.kubernetes.io/managed-by=certway-infra';
    const { items } = await kubectl.get<{ items: readonly KubeObject[] }>(kinds, '-n', namespace, '-l', selector);
    return items.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
  };
  return {
    world,
    kubectl,
    audit,
    ours,
    start: () => startInfra(world, { flags: ['--log-level=debug'] }),
    line: (name, wanted) => lineOf(kubectl, name, wanted),
    stands: async (namespace, wanted) => {
      const sorted = JSON.stringify(wanted.toSorted());
      const fits = async () => {
        const found = JSON.stringify(await ours(namespace));
        if (found !== sorted) throw new Error(found);
        return true;
      };
      await until(`${namespace} to hold ${sorted}`, fits, patient);
    },
    writes: async (since) => (await audit.writes()).filter(({ user, at }) => accounts.includes(user) && at >= since),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

function lineOf(kubectl: Kubectl, name: string, wanted: Partial<InfraNamespace> | 'none') {
  return until(
    `the line of ${name}: ${JSON.stringify(wanted)}`,
    async () => {
      const { status } = await kubectl.get<GatewayInfra>('gatewayinfra', 'default');
      const line = status?.namespaces?.find((each) => each.name === name);
      if (wanted === 'none' ? line !== undefined : !fits(line, wanted)) throw new Error(JSON.stringify(line));
      return line ?? true;
    },
    patient,
  ).then((found) => (found === true ? undefined : found));
}

function fits(line: InfraNamespace | undefined, wanted: Partial<InfraNamespace>): boolean {
  const isSo = (key: string, value: unknown) => {
    const found: unknown = Reflect.get(line ?? {}, key);
    return key === 'blockedBy' && typeof value === 'string' ? String(found).includes(value) : found === value;
  };
  return Object.entries(wanted).every(([key, value]) => isSo(key, value));
}

/** What stands in a namespace that is given everything. */
export const everything = [
  'ConfigMap certway-trust-bundle',
  'RoleBinding certway-gateway-extension',
  'RoleBinding certway-gateway-infra',
  'RoleBinding certway-gateway-read',
  'RoleBinding certway-pull-secret-writer',
  'RoleBinding certway-secret-writer',
  'Secret regcred',
  'ServiceAccount waf',
];

/** A GatewayInfra that asks for all there is, with what it names. The administrator lets infra bind the sidecars' roles. */
export function platform(): readonly object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const role = (name: string, rules: readonly object[]) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules,
  });
  const bind = { apiGroups: [rbac], resources: ['clusterroles'], resourceNames: ['waf', 'waf-wide'], verbs: ['bind'] };
  const infra = { kind: 'ServiceAccount', namespace: 'certway-system', name: 'certway-infra' };
  return [
    namespace('platform'),
    role('waf', [{ apiGroups: ['gateway.networking.k8s.io'], resources: ['gateways'], verbs: ['get'] }]),
    role('waf-wide', []),
    role('certway-infra-extension', [bind]),
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'certway-infra-extension' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'certway-infra-extension' },
      subjects: [infra],
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'roots', namespace: 'platform' },
      data: { 'ca.crt': 'one' },
    },
    pullSecret('regcred', system, 'one'),
    gatewayInfra({
      reservedNamespaces: ['mine'],
      namespaceResources: {
        pullSecrets: ['regcred'],
        trustBundle: { configMapRef: { namespace: 'platform', name: 'roots' } },
        extension: { serviceAccount: 'waf', role: 'waf', clusterRole: 'waf-wide' },
      },
    }),
    gateway('platform', 'shared', 'All'),
  ];
}

export function gatewayInfra(spec: object): object {
  return { apiVersion: 'certway.dev/v1alpha1', kind: 'GatewayInfra', metadata: { name: 'default' }, spec };
}

export function namespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function pullSecret(name: string, namespace: string, password: string): object {
  const data = {
    '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { r: { auth: password } } })).toString('base64'),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/dockerconfigjson',
    data,
  };
}

export function gateway(namespace: string, name = 'web', from: 'All' | 'None' = 'None'): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: {
      gatewayClassName: 'certway',
      allowedListeners: { namespaces: { from } },
      listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }],
    },
  };
}

/** On the platform's Gateway. */
export function listenerSet(namespace: string, kind: 'ListenerSet' | 'XListenerSet'): object {
  const apiVersion = kind === 'ListenerSet' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1';
  return {
    apiVersion,
    kind,
    metadata: { name: 'set', namespace },
    spec: {
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'platform', name: 'shared' },
      listeners: [{ name: 'web', protocol: 'HTTP', port: 80, hostname: `${namespace}.example.com` }],
    },
  };
}
