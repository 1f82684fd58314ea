// Benchmarks limits, limits-off and limits-shared: tenants that ask a CA for more than it gives at once. Measured are the refusals that the CA had to
// give, how much of what it gives was used, and how far apart tenants with the same demand were done.

import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { tail } from '../rig/part.ts';
import { smallRates, sumOf, type Tally } from '../rig/proxy/gcra.ts';
import { lowerBoundSeconds } from '../rig/proxy/gcra-bound.ts';
import { type LimitedCa, startLimitedCa } from '../rig/proxy/gcra-proxy.ts';
import { startWorld, type World } from '../rig/world.ts';
import { type Arrivals, watchArrivals } from './arrivals.ts';
import { type Install, install } from './limits-install.ts';
import { demandOf, type LimitsSize, type LimitsWanted, patternsOf } from './limits-objects.ts';
import { createAll } from './measure.ts';
import { round } from './result.ts';

interface Variant {
  readonly name: 'limits' | 'limits-off' | 'limits-shared';
  readonly flags: readonly string[];
  readonly clusters: 1 | 2;
  readonly size: LimitsSize;
  /** The run ends then, with what has come. */
  readonly cutAfterMs: number;
}

const size: LimitsSize = { certificates: 300, tenants: 10, domains: 40 };

export const limitsBenchmarks: readonly Variant[] = [
  { name: 'limits', flags: [], clusters: 1, size, cutAfterMs: 300_000 },
  // Only the refusals are of interest.
  { name: 'limits-off', flags: ['--budgets=false'], clusters: 1, size, cutAfterMs: 60_000 },
  { name: 'limits-shared', flags: [], clusters: 2, size, cutAfterMs: 400_000 },
];

export interface LimitsResult {
  readonly name: string;
  /** Those that came. */
  readonly certificates: number;
  readonly wanted: number;
  /** newOrder refused with 429. */
  readonly refusals: number;
  /** Of all newOrder requests. */
  readonly refused_share: number;
  /** Certificates beyond a limit that the CA's check at newOrder could not see: orders made side by side. */
  readonly overruns: number;
  /** The lower bound divided by the seconds. */
  readonly utilisation: number;
  /** The last tenant's finish less the first one's, divided by the last one's; absent where not all have come. */
  readonly tenant_spread?: number;
  /** From the first create until the last Secret held its certificate. */
  readonly seconds: number;
  /** What those that came need of the CA at the least, from full cells. */
  readonly lower_bound_s: number;
  /** When the run was cut short; absent where all have come. */
  readonly cut_s?: number;
}

/** Throws when a certificate does not serve its name, or all must come and do not. */
export async function measureLimits(variant: Variant, progress: (line: string) => void): Promise<LimitsResult> {
  const { name, clusters, size, cutAfterMs } = variant;
  await using things = new AsyncDisposableStack();
  const world = things.use(await startWorld({ progress, pebbleEnv: { PEBBLE_VA_NOSLEEP: '1' } }));
  const ca = things.use(await startLimitedCa(world.acme));
  progress(`${name}: preparing`);
  const scenes = clusters === 1 ? [await alone(things, world, ca, variant)] : await both(things, world, ca, variant);
  progress(`${name}: creating ${size.certificates} listener sets`);
  const run = await runLimits(scenes, cutAfterMs);
  if (name !== 'limits-off' && run.cut) {
    const ends = await Promise.all(scenes.map(({ install: { controller } }) => tail(controller.logFile)));
    throw new Error(
      `${name} was not done in time: ${run.came.length} came; the controllers' logs end:\n${ends.join('\n')}`,
    );
  }
  return figures(name, run, ca.referee.tally);
}

export interface Scene {
  readonly install: Install;
  readonly wanted: readonly LimitsWanted[];
}

async function alone(things: AsyncDisposableStack, world: World, ca: LimitedCa, of: Variant): Promise<Scene> {
  const { flags, size } = of;
  const installed = things.use(await install(world, size, { ca, rates: smallRates, flags }));
  return { install: installed, wanted: demandOf(size, 'a') };
}

/** Two clusters with half of the demand each, for the same domains, and one account. */
async function both(
  things: AsyncDisposableStack,
  world: World,
  ca: LimitedCa,
  { flags, size }: Variant,
): Promise<readonly Scene[]> {
  const half = { ...size, certificates: size.certificates / 2 };
  const accountKey = keyToPem(await generateKey({ algorithm: 'ECDSA', size: 256 }), 'PKCS8');
  const options = { ca, rates: smallRates, flags, accountKey };
  const first = things.use(await install(world, half, options));
  const other = things.use(await startWorld());
  const host = '127.0.0.5';
  for (const pattern of patternsOf(size, 'b')) world.dns.set(pattern, [host]);
  const second = things.use(await install(other, half, { ...options, at: { host, world } }));
  return [
    { install: first, wanted: demandOf(half, 'a') },
    { install: second, wanted: demandOf(half, 'b') },
  ];
}

export interface LimitsRun {
  /** In the order in which they came. */
  readonly came: readonly { readonly one: LimitsWanted; readonly seconds: number }[];
  readonly wanted: number;
  readonly seconds: number;
  readonly cut: boolean;
}

/** Creates everything in all clusters at once, and waits until all certificates have come or the time is up. */
export async function runLimits(scenes: readonly Scene[], cutAfterMs: number): Promise<LimitsRun> {
  await using things = new AsyncDisposableStack();
  const watched = scenes.map(({ install: { client }, wanted }) => ({
    client,
    wanted,
    arrivals: things.use(watchArrivals(client, wanted)),
  }));
  const begun = performance.now();
  const late = AbortSignal.timeout(cutAfterMs);
  const all = watched.flatMap(({ client, wanted, arrivals }) => [createAll(client, wanted), arrivals.all(late)]);
  await Promise.all(all).catch((error: unknown) => {
    if (!late.aborted) throw error;
  });
  const mistake = watched.flatMap(({ arrivals }) => arrivals.mistakes())[0];
  if (mistake !== undefined) throw new Error(mistake);
  const came = watched.flatMap(({ wanted, arrivals }) => wanted.flatMap((one) => cameAt(one, arrivals, begun)));
  const wanted = watched.reduce((sum, each) => sum + each.wanted.length, 0);
  const cut = came.length < wanted;
  const seconds = cut ? cutAfterMs / 1000 : Math.max(...came.map((each) => each.seconds));
  return { came: came.toSorted((a, b) => a.seconds - b.seconds), wanted, seconds, cut };
}

function cameAt(one: LimitsWanted, { at }: Arrivals, begun: number) {
  const when = at.get(`${one.namespace}/${one.secretName}`);
  return when === undefined ? [] : [{ one, seconds: (when - begun) / 1000 }];
}

export function figures(name: string, run: LimitsRun, tally: Tally): LimitsResult {
  const { came, wanted, seconds, cut } = run;
  const refusals = sumOf(tally.refusals);
  const bound = lowerBoundSeconds(
    came.map(({ one }) => ({ account: 'the only one', names: [one.hostname] })),
    smallRates,
  );
  return {
    name,
    certificates: came.length,
    wanted,
    refusals,
    refused_share: round(refusals / Math.max(1, refusals + tally.orders), 3),
    overruns: sumOf(tally.overruns),
    utilisation: round(bound / seconds, 3),
    ...(cut ? { cut_s: seconds } : { tenant_spread: round(spreadOf(run), 3) }),
    seconds: round(seconds, 2),
    lower_bound_s: round(bound, 1),
  };
}

function spreadOf({ came }: LimitsRun): number {
  const finishes = [...new Map(came.map(({ one, seconds }) => [one.tenant, seconds])).values()];
  const last = Math.max(...finishes);
  return (last - Math.min(...finishes)) / last;
}
