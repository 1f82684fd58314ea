// An Envoy Gateway as the real chart and the real Helm install it, with what its controller would have made: proxies, and the Secrets of its certgen.
// For infra-legacy.test.ts. No kubelet runs here, so that Pods stand still until the test says what they do.

import { execa } from 'execa';
import type { KubeObject } from '../../src/api/meta.ts';
import { planCertificates } from '../../src/infra/certgen.ts';
import { makeCertificates } from '../../src/provision/certgen.ts';
import { type Audit, openAudit } from '../rig/audit.ts';
import { crdDir } from '../rig/fill-crds.ts';
import { buildHelm, chartOf } from '../rig/helm.ts';
import { type Infra, startInfra } from '../rig/infra.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { patient, read, system } from './infra-scene.ts';

// Another one leads soon after a kill; and a busy machine does not make it lose its lease.
const hasty = [
  '--leader-election-lease-duration=12s',
  '--leader-election-renew-deadline=9s',
  '--leader-election-retry-period=500ms',
  '--log-level=debug',
];

export interface Move extends AsyncDisposable {
  readonly world: World;
  readonly kubectl: Kubectl;
  readonly audit: Audit;
  /** Installs the chart: its hooks too, but for the Job, which waits for a kubelet. */
  install(release: string, namespace: string, values?: object): Promise<void>;
  /** Whether Helm knows of any release there. */
  releases(namespace: string): Promise<string>;
  start(): Promise<Infra>;
}

export async function openMove(overlap: string): Promise<Move> {
  const helm = await buildHelm((line) => process.stderr.write(`${line}\n`));
  const stack = new AsyncDisposableStack();
  const { dir } = stack.use(await chartOf('1.9.1'));
  const world = stack.use(await startWorld());
  const kubectl = kubectlFor(world);
  const run = async (args: readonly string[], input = '') =>
    (await execa(helm, [...args, '--kubeconfig', world.kubeconfig], { input })).stdout;
  const crds = await crdDir();
  return {
    world,
    kubectl,
    audit: openAudit(world.auditLog),
    install: async (release, namespace, values = {}) => {
      const where = ['--namespace', namespace, '--create-namespace'];
      const what = ['install', release, dir, ...where, '--no-hooks', '--set', 'crds.enabled=false', '-f', '-'];
      await run(what, JSON.stringify(values));
      await kubectl.apply(
        await run(['get', 'hooks', release, '--namespace', namespace]),
        '-n',
        namespace,
        '--validate=false',
      );
      await kubectl.apply(await certgen(namespace), '--validate=false');
    },
    releases: (namespace) => run(['list', '--short', '--namespace', namespace]),
    start: () => startInfra(world, { flags: [`--crd-dir=${crds}`, `--legacy-overlap=${overlap}`, ...hasty] }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The four Secrets, as certgen labels them: nothing of them says Certway, and the CA's own key is nowhere. */
async function certgen(namespace: string): Promise<readonly KubeObject[]> {
  const seen = { systemNamespace: namespace, secrets: new Map() };
  const made = await makeCertificates(planCertificates(seen, Date.now()), seen, 'nobody', Date.now());
  if (!made.ok) throw new Error(JSON.stringify(made.problem));
  const labels = { 'control-plane': 'envoy-gateway' };
  return made.value
    .filter(({ object }) => !object.metadata.name.startsWith('certway'))
    .map(({ object }) => ({ ...object, metadata: { name: object.metadata.name, namespace, labels } }));
}

interface ProxyOptions {
  /** "namespace/name" of the Gateway. */
  readonly gateway: string;
  readonly owner: { readonly kind: 'Gateway' | 'GatewayClass'; readonly name: string; readonly uid: string };
  readonly namespace: string;
  readonly name: string;
}

/** What Envoy Gateway makes for a Gateway, reduced to what is looked at. */
export function proxy({ gateway, owner, namespace, name }: ProxyOptions): readonly KubeObject[] {
  const [where = '', which = ''] = gateway.split('/');
  const labels = {
    'app.kubernetes.io/name': 'envoy',
    'app.kubernetes.io/component': 'proxy',
    'app.kubernetes.io/managed-by': 'envoy-gateway',
    'gateway.envoyproxy.io/owning-gateway-name': which,
    'gateway.envoyproxy.io/owning-gateway-namespace': where,
  };
  const ownerReferences = [{ apiVersion: 'gateway.networking.k8s.io/v1', ...owner }];
  const metadata = { name, namespace, labels, ownerReferences };
  const container = { name: 'envoy', image: 'docker.io/envoyproxy/envoy:distroless-v1.39.1' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const port = { name: 'http-80', port: 80, targetPort: 10080 };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'LoadBalancer', selector: labels, ports: [port] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec },
  ] as readonly KubeObject[];
}

/** As a load balancer and a kubelet would say it. */
export async function beUp(kubectl: Kubectl, namespace: string, name: string, address: string): Promise<void> {
  const patch = (what: string, status: object) =>
    kubectl.run([
      'patch',
      what,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
  await patch(`service/${name}`, { loadBalancer: { ingress: [{ ip: address }] } });
  const of = `gateway.envoyproxy.io/owning-gateway-name=${name}`;
  const pod = await until(
    'a Pod of the proxy',
    async () => (await kubectl.run(['get', 'pods', '-n', namespace, '-l', of, '-o', 'name'])).trim() || undefined,
    patient,
  );
  await patch(pod, {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }],
  });
}

/** What stands, by "Kind/name": uid and generation. */
export async function standing(
  kubectl: Kubectl,
  namespace: string,
  kinds: string,
): Promise<ReadonlyMap<string, string>> {
  const { items } = await kubectl.get<{ items: readonly KubeObject[] }>(kinds, '-n', namespace);
  return new Map(
    items.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, `${metadata.uid} ${metadata.generation ?? ''}`]),
  );
}

/** LegacyCleaned, once it says so. */
export function legacySays(move: Pick<Move, 'kubectl'>, reason: string, words: RegExp = /./): Promise<string> {
  return until(
    `LegacyCleaned to say ${reason}, ${words}`,
    async () => {
      const found = (await read(move)).status?.conditions?.find(({ type }) => type === 'LegacyCleaned');
      if (found?.reason !== reason || !words.test(found.message ?? '')) throw new Error(JSON.stringify(found));
      return found.message ?? '';
    },
    patient,
  );
}

export { system };
