// The order machine against a CA that misbehaves: each fault at every step of an order, then a hundred orders under all of them mixed. Whatever
// happens, the certificate comes, the CA is asked for no second order, and never before it allows.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { badNonce, broken, rateLimited, unavailable } from '../rig/proxy/acme-fault.ts';
import { spoils } from '../rig/proxy/acme-spoils.ts';
import { tooEarly } from '../rig/proxy/passage.ts';
import { at, cut, firstOf, type Verdict } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { gateway, makeTeam, type Team } from '../world/team.ts';
import { mixture } from './faults-mixed.ts';
import { type Customer, customer, pebbleEnv } from './faults-scene.ts';

/** Every request of an order that is new, in the order in which they come. */
const edges = ['newOrder', 'read authz', 'challenge', 'finalize', 'read order', 'read cert'] as const;

interface Fault {
  readonly name: string;
  /** `seconds`: of its Retry-After, where it says one. */
  readonly verdict: (seconds: number) => Verdict;
  /** In a row; once unless told. */
  readonly times?: number;
  /** What the Certificate says meanwhile, where the wait is long enough to be told. */
  readonly told?: RegExp;
}

const limit = 'new-certificates-per-registered-domain';
const limited = /^RateLimited: too many requests, retry after .*#new-certificates-per-registered-domain$/;
const down = /^CAUnavailable: The service is down for maintenance\.$/;
const faults: readonly Fault[] = [
  ...spoils.map(([name, verdict]) => ({ name, verdict: () => verdict })),
  { name: '429 for seconds', verdict: (seconds) => rateLimited(limit, seconds, Date.now()), told: limited },
  { name: '429 until a date', verdict: (seconds) => rateLimited(limit, seconds, Date.now(), 'date'), told: limited },
  { name: '503 for seconds', verdict: (seconds) => unavailable(seconds), told: down },
  { name: '503 until a date', verdict: (seconds) => unavailable(seconds, Date.now(), 'date'), told: down },
  { name: '503 until who knows', verdict: (seconds) => unavailable(seconds, Date.now(), 'unsaid') },
  { name: '500', verdict: broken },
  { name: 'a connection cut', verdict: () => cut },
  { name: 'a slow answer', verdict: () => ({ kind: 'delay', ms: 1_500 }) },
  { name: 'one bad nonce', verdict: badNonce },
  { name: 'a storm of bad nonces', verdict: badNonce, times: 9 },
];

let world: World;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  world = await startWorld({ pebbleEnv });
  controller = await startController(world);
  team = await makeTeam(world, 'faults');
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function suffer(by: Customer, { verdict, times = 1 }: Fault): void {
  const scripts = edges.flatMap((edge) =>
    Array.from({ length: times }, (_, index) =>
      // Long enough to be told at the first step, where a rate limit belongs; then only long enough to be undercut.
      at({ edge, nth: index + 1 }, verdict(edge === 'newOrder' ? 6 : 1)),
    ),
  );
  by.ca.proxy.follow(firstOf(...scripts));
}

async function issuedThrough(fault: Fault, name: string): Promise<void> {
  await using by = await customer(world, team, name);
  suffer(by, fault);
  await by.want({ set: name, hosts: [by.host('a')] });
  if (fault.told !== undefined) {
    await team.says(`${name}-tls`, 'Issuing', fault.told);
    const { nextAttemptAt, reason, message } = await by.toldWait(name);
    expect(`${reason}: ${message}`).toMatch(fault.told);
    const allowed = by.ca.proxy.passed.find(({ edge }) => edge === 'newOrder')?.notBefore ?? 0;
    expect(nextAttemptAt).toBeGreaterThanOrEqual(allowed);
    expect(nextAttemptAt).toBeLessThan(allowed + 2_000);
  }
  const { status } = await team.ready(`${name}-tls`, 90_000);
  expect(status?.failedIssuanceAttempts ?? 0).toBe(0);
  expect(status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
  expect(by.ca.proxy.passed.map(({ edge }) => edge)).toEqual(expect.arrayContaining([...edges]));
  expect(by.placed()).toBe(1);
  expect(by.hasty()).toEqual([]);
}

describe('an order that meets, at each of its steps,', () => {
  const runs = new Map<string, Promise<unknown>>();
  beforeAll(() => {
    for (const [index, fault] of faults.entries()) {
      // All at once, each with an account of its own: most of the time is waiting. A failure is its test's to tell.
      runs.set(
        fault.name,
        issuedThrough(fault, `f${index}`).catch((error: unknown) => error),
      );
    }
  });

  it.each(faults.map(({ name }) => name))('%s, is not lost and not made twice', async (name) => {
    const failure = await runs.get(name);
    if (failure !== undefined) throw failure;
  });
});

/** Else an error that says what the others wait for. */
async function allReady(sets: readonly string[]): Promise<true> {
  const wanted = new Set(sets.map((set) => `${set}-tls`));
  const found = (await team.all(certificates)).filter(({ metadata }) => wanted.has(metadata.name));
  const unready = found.filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status !== 'True');
  if (found.length === sets.length && unready.length === 0) return true;
  const said = unready.map(
    ({ metadata, status }) => `${metadata.name}: ${conditionOf(status?.conditions, 'Issuing')?.message}`,
  );
  throw new Error(`${unready.length} of ${found.length} not yet: ${said.slice(0, 3).join('; ')}`);
}

const seed = Number(process.env.CERTWAY_FAULT_SEED ?? Math.floor(Math.random() * 1_000_000));

it(`a hundred orders under all of these mixed (CERTWAY_FAULT_SEED=${seed}) are a hundred certificates`, async () => {
  await using by = await customer(world, team, 'mixed');
  const { script, injected, lostOrders } = mixture(seed);
  by.ca.proxy.follow(script);
  const begun = performance.now();
  const sets = Array.from({ length: 100 }, (_, index) => `m${index}`);
  await by.want(...sets.map((set) => ({ set, hosts: [by.host(set)] })));
  await until('a hundred certificates', () => allReady(sets), { deadlineMs: 170_000 });
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  const { passed } = by.ca.proxy;
  process.stdout.write(
    `  seed ${seed}: ${by.placed()} orders, ${lostOrders()} of them lost, ${injected()} faults in ${passed.length} requests, ${seconds} s\n`,
  );
  expect(by.placed()).toBeLessThanOrEqual(100 + lostOrders());
  // Who looks for a lost order reads those of others too, whatever these were told: only what belongs to one order is looked at.
  const shared = new Set(['read account', 'read orders', 'read order']);
  expect(tooEarly(passed.filter(({ edge }) => !shared.has(edge)))).toEqual([]);
}, 180_000);
