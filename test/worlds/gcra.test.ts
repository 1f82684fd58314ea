// Four tenants that want forty certificates of six domains at once, at a CA that gives each domain three and then one per six seconds: they come as fast as
// that allows, in turn, and the CA never has to refuse. The referee is its own (test/rig/proxy/gcra.ts), not the model that is tested.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figures, type LimitsRun, runLimits } from '../bench/limits.ts';
import { type Install, install } from '../bench/limits-install.ts';
import { demandOf } from '../bench/limits-objects.ts';
import { smallRates } from '../rig/proxy/gcra.ts';
import { type LimitedCa, startLimitedCa } from '../rig/proxy/gcra-proxy.ts';
import { startWorld, type World } from '../rig/world.ts';

const size = { certificates: 40, tenants: 4, domains: 6 };
const deadlineMs = 90_000;

let world: World;
let ca: LimitedCa;
let installed: Install;
let run: LimitsRun;

beforeAll(async () => {
  world = await startWorld();
  ca = await startLimitedCa(world.acme);
  installed = await install(world, size, { ca, rates: smallRates });
  run = await runLimits([{ install: installed, wanted: demandOf(size, 'a') }], deadlineMs);
});
afterAll(async () => {
  await installed?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

describe('a CA that gives less than is asked for', () => {
  it('gives all of it in time', () => {
    expect(run.came.length).toBe(size.certificates);
  });

  it('is never asked for more than it has', () => {
    expect(ca.referee.tally).toEqual({
      orders: size.certificates,
      issued: size.certificates,
      failures: 0,
      refusals: {},
      overruns: {},
    });
  });

  it('was needed to its limit', () => {
    const { seconds, lower_bound_s: bound } = figures('small', run, ca.referee.tally);
    expect(bound).toBe(24);
    expect(seconds).toBeGreaterThanOrEqual(bound);
  });
});
