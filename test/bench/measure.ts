// One run of one benchmark, in a world of its own: prepare, start the clock, create, wait, and read the figures off the audit log,
// the counters of the API server and of the controller, and /proc.

import { join } from 'node:path';
import { execa } from 'execa';
import { clusterIssuers, listenerSets } from '../../src/api/resources.ts';
import { type Audit, allWrites, controllerUser, openAudit } from '../rig/audit.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type Client, openClient, pathOf } from '../rig/demo/client.ts';
import { issuersOf, namespacesOf, readExample } from '../rig/demo/example.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import { tail } from '../rig/part.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { type Arrivals, watchArrivals } from './arrivals.ts';
import { benchNamespaces, standing, type Wanted, wantedOf } from './objects.ts';
import { processUse } from './process.ts';
import { type Measured, median, round } from './result.ts';
import type { Benchmark } from './suite.ts';

const clients = 8;
const patienceMs = 300_000;
const silenceMs = 3_000;
const main = join(import.meta.dirname, '../../src/main.ts');

export async function measure(benchmark: Benchmark, progress: (line: string) => void): Promise<Measured> {
  await using world = await startWorld({ progress, pebbleEnv: { PEBBLE_VA_NOSLEEP: '1' } });
  await using controller = await startController(world);
  await using client = await openClient(world.kubeconfig, clients);
  const audit = openAudit(world.auditLog);
  progress(`${benchmark.name}: preparing`);
  await prepare(benchmark, world, client);
  await silence(audit);
  const wanted = wantedOf(benchmark);
  await using arrivals = watchArrivals(client, wanted);
  progress(`${benchmark.name}: creating ${wanted.length} listener sets`);
  const before = await readings(client, controller);
  const since = Date.now();
  const begun = performance.now();
  await Promise.all([createAll(client, wanted), arrivals.all(AbortSignal.timeout(patienceMs))]).catch(async (cause) => {
    throw new Error(`${benchmark.name} failed; the controller's log ends:\n${await tail(controller.logFile)}`, {
      cause,
    });
  });
  await silence(audit);
  const after = await readings(client, controller);
  checkAll(arrivals);
  const writes = await audit.writesBy(controllerUser, { since });
  const times = [...arrivals.at.values()].map((at) => (at - begun) / 1000).sort((a, b) => a - b);
  return {
    writes: writes.rows,
    result: {
      name: benchmark.name,
      certificates: wanted.length,
      seconds: round(times.at(-1) ?? 0, 2),
      first_s: round(times[0] ?? 0, 2),
      median_s: round(median(times), 2),
      writes_per_certificate: round(writes.total / wanted.length, 2),
      writes_all: round((after.writes - before.writes) / wanted.length, 2),
      cpu_s: round(after.cpuSeconds - before.cpuSeconds, 2),
      rss_peak_mb: round(after.peakMb, 0),
      loop_delay_max_ms: round(after.loopDelayMs, 0),
      acme_requests: after.acmeRequests - before.acmeRequests,
    },
  };
}

/** Issuers ready, Secret rights granted, the Gateway there: all that a platform owner has done long before. */
export async function prepare(benchmark: Benchmark, world: World, client: Client): Promise<void> {
  const kubectl = kubectlFor(world);
  const issuers = issuersOf(await readExample(world.acme));
  await kubectl.apply([...issuers, ...standing(benchmark)]);
  const namespaces = [...new Set([...namespacesOf(issuers), ...benchNamespaces(benchmark)])];
  const granted = await execa(process.execPath, [main, 'grant', ...namespaces]);
  await kubectl.apply(granted.stdout);
  await until(
    `ClusterIssuer ${benchmark.issuer} to be ready`,
    async () => {
      const issuer = (await client.list(clusterIssuers)).find(({ metadata }) => metadata.name === benchmark.issuer);
      return issuer?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    },
    { deadlineMs: 60_000 },
  );
}

/** Until the controller has written nothing for a while: what it does after the last Secret counts too. */
async function silence(audit: Audit): Promise<void> {
  const begun = Date.now();
  await until(
    'the controller to fall silent',
    async () => {
      const own = (await audit.writes()).filter(({ user }) => user === controllerUser);
      return Date.now() - Math.max(begun, own.at(-1)?.at ?? 0) > silenceMs;
    },
    { deadlineMs: patienceMs },
  );
}

/** Each client takes the next object when its last one is created, as so many `kubectl apply` side by side would. */
export async function createAll(client: Client, wanted: readonly Wanted[]): Promise<void> {
  const queue = wanted.values();
  const work = async (): Promise<void> => {
    for (const { set, namespace } of queue) {
      await client.create(pathOf(listenerSets, namespace), set);
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
}

interface Readings {
  readonly writes: number;
  readonly acmeRequests: number;
  /** The longest since the last reading. */
  readonly loopDelayMs: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

async function readings(client: Client, controller: Controller): Promise<Readings> {
  const [server, own, use] = await Promise.all([
    client.text('/metrics'),
    fetch(controller.metricsUrl).then((answer) => answer.text()),
    processUse(controller.pid),
  ]);
  return { writes: allWrites(server), acmeRequests: acmeRequests(own), loopDelayMs: loopDelay(own), ...use };
}

function acmeRequests(metrics: string): number {
  const samples = metrics.matchAll(/^certmanager_http_acme_client_request_count(?:\{[^}]*\})? (\S+)/gm);
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** prom-client's own measure, to 10 ms; each reading begins a new one. */
function loopDelay(metrics: string): number {
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(metrics)?.[1]) * 1000;
}

function checkAll(arrivals: Arrivals): void {
  const mistakes = arrivals.mistakes();
  if (mistakes.length > 0) {
    throw new Error(mistakes.join('\n'));
  }
}
