// Benchmark acme-60-behind-200-dead: 200 listener sets whose names lead nowhere and 20 that only the CA refuses are created, and 60 good ones right
// behind them, and 60 more once all the dead are known as such. Measured is how long the good ones take, beside acme-60 in the same run.

import { certificates, orders } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { startController } from '../rig/controller.ts';
import { type Client, openClient } from '../rig/demo/client.ts';
import type { Answer } from '../rig/dns/table.ts';
import { tail } from '../rig/part.ts';
import { type DeadAddresses, startDeadAddresses } from '../rig/proxy/dead-addresses.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { watchArrivals } from './arrivals.ts';
import { createAll, prepare } from './measure.ts';
import { type Wanted, wantedOf } from './objects.ts';
import { median, round } from './result.ts';
import type { Benchmark } from './suite.ts';

export const deadBenchmark = { name: 'acme-60-behind-200-dead', likewise: 'acme-60' } as const;

const deadNames = 200;
const refusedNames = 20;
/** So many namespaces own all the dead names; the good ones are dealt over the others. */
const careless = 2;
const clients = 8;
const patienceMs = 300_000;

export interface DeadResult {
  readonly name: string;
  readonly certificates: number;
  readonly dead: number;
  /** From the first create of a good one, right behind the last dead one, until the last good one held its certificate. */
  readonly seconds: number;
  readonly first_s: number;
  readonly median_s: number;
  readonly ratio_to_acme_60: number;
  /** The same for as many more, created when every dead one had been told why it waits. */
  readonly amid_seconds: number;
  readonly amid_ratio_to_acme_60: number;
  /** Orders that the CA was asked for beyond the good ones: for names that only it refuses, which are tried again after a minute. */
  readonly orders_for_dead: number;
}

/** `alone`: the seconds of acme-60. Throws when a certificate is missing, or a dead name was ordered. */
export async function measureBehindDead(
  benchmark: Benchmark,
  alone: number,
  progress: (line: string) => void,
): Promise<DeadResult> {
  await using world = await startWorld({ progress, pebbleEnv: { PEBBLE_VA_NOSLEEP: '1' } });
  await using addresses = await startDeadAddresses(world.acme.httpPort);
  await using controller = await startController(world);
  await using client = await openClient(world.kubeconfig, clients);
  const { name } = deadBenchmark;
  progress(`${name}: preparing`);
  const { certificates: size, namespaces } = benchmark;
  const dying = deadNames + refusedNames;
  const all = { ...benchmark, namespaces: namespaces + careless };
  await prepare(all, world, client);
  const dead = wantedOf({ ...benchmark, certificates: dying, namespaces: careless });
  const owners = new Set(dead.map(({ namespace }) => namespace));
  const good = wantedOf({ ...all, certificates: 3 * size }).filter(({ namespace }) => !owners.has(namespace));
  bury(world, addresses, dead);
  try {
    progress(`${name}: creating ${dying} dead listener sets, and ${size} good ones behind them`);
    await createAll(client, dead);
    const behind = await timed(client, good.slice(0, size));
    progress(`${name}: ${round(behind.seconds, 2)} s; waiting until all of the dead are told why`);
    await allTold(client, dead);
    const amid = await timed(client, good.slice(size, 2 * size));
    await neverOrdered(client, dead.slice(0, deadNames));
    const ordered = await newOrders(controller.metricsUrl);
    return {
      name,
      certificates: size,
      dead: dying,
      seconds: round(behind.seconds, 2),
      first_s: round(behind.first, 2),
      median_s: round(behind.median, 2),
      ratio_to_acme_60: round(behind.seconds / alone, 2),
      amid_seconds: round(amid.seconds, 2),
      amid_ratio_to_acme_60: round(amid.seconds / alone, 2),
      orders_for_dead: ordered - 2 * size,
    };
  } catch (cause) {
    throw new Error(`${name} failed; the controller's log ends:\n${await tail(controller.logFile)}`, { cause });
  }
}

/** Four ways to be dead in turn, and at the end the names that the CA alone cannot reach. */
function bury({ dns }: World, { dropping, foreign, forbidding }: DeadAddresses, dead: readonly Wanted[]): void {
  const ways: readonly Answer[] = ['NXDOMAIN', 'SERVFAIL', [dropping], [foreign]];
  for (const [index, { hostname }] of dead.entries()) {
    dns.set(hostname, index < deadNames ? (ways[index % ways.length] ?? []) : [forbidding]);
  }
}

async function timed(client: Client, wanted: readonly Wanted[]) {
  await using arrivals = watchArrivals(client, wanted);
  const begun = performance.now();
  await Promise.all([createAll(client, wanted), arrivals.all(AbortSignal.timeout(patienceMs))]);
  const [mistake] = arrivals.mistakes();
  if (mistake !== undefined) throw new Error(mistake);
  const times = [...arrivals.at.values()].map((at) => (at - begun) / 1000).sort((a, b) => a - b);
  return { seconds: times.at(-1) ?? 0, first: times[0] ?? 0, median: median(times) };
}

async function allTold(client: Client, dead: readonly Wanted[]): Promise<void> {
  const names = new Set(dead.map(({ namespace, secretName }) => `${namespace}/${secretName}`));
  const reasons = new Set(['SelfCheckFailed', 'Failed']);
  await until(
    'all of the dead to be told why',
    async () => {
      const untold = (await client.list(certificates)).filter(({ metadata, status }) => {
        const said = conditionOf(status?.conditions, 'Issuing')?.reason ?? '';
        return names.has(`${metadata.namespace}/${metadata.name}`) && !reasons.has(said);
      });
      if (untold.length > 0) throw new Error(`${untold.length} are not`);
      return true;
    },
    { deadlineMs: patienceMs },
  );
}

async function neverOrdered(client: Client, dead: readonly Wanted[]): Promise<void> {
  const names = new Set(dead.map(({ hostname }) => hostname));
  const ordered = (await client.list(orders)).filter(
    ({ spec, status }) => status?.url !== undefined && (spec.dnsNames ?? []).some((name) => names.has(name)),
  );
  if (ordered.length > 0) throw new Error(`${ordered.length} dead names were ordered`);
}

async function newOrders(metricsUrl: string): Promise<number> {
  const metrics = await (await fetch(metricsUrl)).text();
  const samples = metrics.matchAll(
    /^certmanager_http_acme_client_request_count\{action="newOrder",status="201"\} (\S+)/gm,
  );
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
