// Benchmark infra-500: 500 namespaces with a Gateway each stand when `certway infra` starts. Measured is how long it takes until each is Provisioned, in
// how many writes; then one more namespace comes, and what that costs the others, which must be nothing.

import type { GatewayInfra, InfraNamespace } from '../../src/api/gateway-infra.ts';
import { gatewayInfras, gateways, namespaces } from '../../src/api/resources.ts';
import { openAudit, type Write } from '../rig/audit.ts';
import { type Client, openClient, pathOf } from '../rig/demo/client.ts';
import { crdDir } from '../rig/fill-crds.ts';
import { type Infra, startInfra } from '../rig/infra.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import { tail } from '../rig/part.ts';
import { until } from '../rig/wait.ts';
import { startWorld } from '../rig/world.ts';
import { round } from './result.ts';

export const infraBenchmark = { name: 'infra-500' } as const;

const hosting = 500;
const clients = 8;
const patience = { deadlineMs: 300_000 };
const user = 'system:serviceaccount:certway-system:certway-infra';
const bundle = { namespace: 'bench-platform', name: 'roots' };

export interface InfraResult {
  readonly name: string;
  readonly namespaces: number;
  /** From the start of the process until the status listed each as Provisioned. */
  readonly seconds: number;
  /** Of infra's own account, refused ones and events included, Leases apart. */
  readonly writes_per_namespace: number;
  readonly status_writes: number;
  readonly cpu_s: number;
  readonly rss_peak_mb: number;
  /** The same for one more namespace, when all the others stood. */
  readonly one_more_s: number;
  readonly one_more_writes: number;
  /** Of those, in other namespaces of tenants: 0, or the benchmark fails. */
  readonly writes_elsewhere: number;
}

export async function measureInfra(progress: (line: string) => void): Promise<InfraResult> {
  await using world = await startWorld({ progress });
  await using client = await openClient(world.kubeconfig, clients);
  const audit = openAudit(world.auditLog);
  const { name } = infraBenchmark;
  progress(`${name}: preparing ${hosting} namespaces`);
  await prepare(client, kubectlFor(world));
  const since = Date.now();
  await using infra = await startInfra(world, { flags: [`--crd-dir=${await crdDir()}`] });
  try {
    const seconds = await provisioned(client, hosting, since);
    const writes = (await audit.writes()).filter((write) => write.user === user && write.at >= since);
    const { cpu, rss } = await costs(infra);
    progress(`${name}: ${seconds.toFixed(1)} s`);
    const more = await oneMore(client, () => audit.writes());
    return {
      name,
      namespaces: hosting,
      seconds: round(seconds, 1),
      writes_per_namespace: round(writes.filter(({ namespace }) => isTenants(namespace)).length / hosting, 2),
      status_writes: writes.filter(({ resource }) => resource === 'gatewayinfras/status').length,
      cpu_s: round(cpu, 1),
      rss_peak_mb: round(rss, 0),
      ...more,
    };
  } catch (cause) {
    throw new Error(`${name} failed; the log of certway infra ends:\n${await tail(infra.logFile)}`, { cause });
  }
}

async function prepare(client: Client, kubectl: ReturnType<typeof kubectlFor>): Promise<void> {
  const spec = { crds: { policy: 'PreferExisting' }, namespaceResources: { trustBundle: { configMapRef: bundle } } };
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: bundle.namespace } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: bundle, data: { 'ca.crt': 'PEM' } },
    { apiVersion: 'certway.dev/v1alpha1', kind: 'GatewayInfra', metadata: { name: 'default' }, spec },
  ]);
  const left = Array.from({ length: hosting }, (_, index) => index);
  const create = async () => {
    for (let index = left.pop(); index !== undefined; index = left.pop()) await team(client, index);
  };
  await Promise.all(Array.from({ length: clients }, create));
}

async function team(client: Client, index: number): Promise<void> {
  const name = `bench-${index}`;
  await client.create(pathOf(namespaces), { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await client.create(pathOf(gateways, name), {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: name },
    spec: { gatewayClassName: 'certway', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
  });
}

function isTenants(namespace: string): boolean {
  return namespace.startsWith('bench-');
}

async function lines(client: Client): Promise<readonly InfraNamespace[]> {
  const [infra] = await client.list<GatewayInfra>(gatewayInfras);
  return (infra?.status?.namespaces ?? []).filter(({ state }) => state === 'Provisioned');
}

/** Seconds from `since` until so many are. */
async function provisioned(client: Client, wanted: number, since: number): Promise<number> {
  await until(
    `${wanted} namespaces to be Provisioned`,
    async () => {
      const found = (await lines(client)).length;
      if (found !== wanted) throw new Error(`${found} are`);
      return true;
    },
    patience,
  );
  return (Date.now() - since) / 1000;
}

async function oneMore(client: Client, writes: () => Promise<readonly Write[]>) {
  const since = Date.now();
  await team(client, hosting);
  const seconds = await provisioned(client, hosting + 1, since);
  const made = (await writes()).filter(
    (write) => write.user === user && write.at >= since && isTenants(write.namespace),
  );
  const elsewhere = made.filter(({ namespace }) => namespace !== `bench-${hosting}`);
  if (elsewhere.length > 0)
    throw new Error(`one more namespace made writes in others: ${JSON.stringify(elsewhere.slice(0, 5))}`);
  return { one_more_s: round(seconds, 2), one_more_writes: made.length, writes_elsewhere: elsewhere.length };
}

async function costs({ metricsUrl }: Infra): Promise<{ readonly cpu: number; readonly rss: number }> {
  const text = await (await fetch(metricsUrl)).text();
  const sample = (metric: string) => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1]);
  return { cpu: sample('process_cpu_seconds_total'), rss: sample('process_resident_memory_bytes') / 2 ** 20 };
}
