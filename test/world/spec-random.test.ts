// Random specs on the real API server: the schema takes each, the issued certificate satisfies it, the CSR carries it, and then nothing is done any more.

import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CertificateSpec } from '../../src/api/certmanager.ts';
import { readCsr } from '../../src/pki/csr.ts';
import { certificateSatisfies, requestSatisfies } from '../../src/pki/satisfies.ts';
import { seeded } from '../pki/fixtures.ts';
import { randomSpec } from '../pki/random-spec.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { askedSince, atRevision, certificateOf, pairOf, requestsOf } from './spec-scene.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';
import { openTrail, type Trail } from './trail.ts';

const count = 20;
/** Other specs at each run; a failure names the one that it came from. */
const seed = randomInt(1_000_000);

let world: SharedWorld;
let team: Team;
let trail: Trail;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'random');
  await team.kubectl.apply(caIssuer(team.namespace));
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

it(`${count} random specs (seed ${seed}) are issued as asked, once`, async () => {
  const random = seeded(seed);
  const specs = Array.from({ length: count }, (): CertificateSpec => randomSpec(random));
  const named = specs.map((spec, index) => ({ name: `random-${index}`, spec }));
  await team.kubectl.apply(
    named.map(({ name, spec }) => certificateOf(team.namespace, name, { ...spec, secretName: `${name}-tls` })),
  );
  for (const { name, spec } of named) {
    await atRevision(team, name, 1, 60_000);
    const { facts } = await pairOf(team, `${name}-tls`);
    expect(certificateSatisfies(facts, spec), JSON.stringify(spec)).toEqual([]);
    const [request] = await requestsOf(team, name);
    const csr = readCsr(Buffer.from(request?.spec.request ?? '', 'base64').toString());
    expect(csr.ok ? requestSatisfies(csr.value, spec) : csr.problem, JSON.stringify(spec)).toEqual([]);
  }
  expect(await askedSince(team, trail, 'random-')).toEqual([]);
});
