// Issuers of another group: Certway makes the request, approves it, waits without a timer, and takes what they sign; what they refuse or sign wrongly is told
// once, tried again after a pause, and over at once when the spec is mended.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/names.ts';
import { certificateSatisfies } from '../../src/pki/satisfies.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { type ExternalIssuer, externalIssuer, group, type Manner } from './external-issuer.ts';
import { askedSince, askToRenew, atRevision, pairOf, put, requestsOf, type SpecWish, verified } from './spec-scene.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';
import { openTrail, type Trail } from './trail.ts';

let world: SharedWorld;
let team: Team;
let trail: Trail;
let external: ExternalIssuer;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'external');
  external = await externalIssuer(world, team);
  await team.kubectl.apply(caIssuer(team.namespace));
  await team.ready('ca-root');
});
afterAll(async () => {
  await external?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const by = (name: Manner): SpecWish => ({ issuerRef: { name, kind: 'Issuer', group } });

describe('an external issuer', () => {
  it('sees an approved request, and its certificate is served', async () => {
    const spec = await put(team, 'well', { dnsNames: ['well.example.com'], usages: ['server auth'], ...by('good') });
    await atRevision(team, 'well', 1);
    const { facts, chainPem, caPem } = await pairOf(team, 'well-tls');
    expect(certificateSatisfies(facts, spec)).toEqual([]);
    expect(caPem).toBe(external.caPem);
    expect(verified(external.caPem, chainPem)).toMatch(/OK$/);
    const [request] = await requestsOf(team, 'well');
    expect(conditionOf(request?.status?.conditions, 'Approved')).toMatchObject({ reason: 'cert-manager.io' });
    expect((await team.secret('well-tls'))?.metadata.annotations).toMatchObject({
      [annotations.issuerName]: 'good',
      [annotations.issuerKind]: 'Issuer',
      [annotations.issuerGroup]: group,
    });
    await team.told('well', /^Issuing: .*successfully issued/);
    expect(await askedSince(team, trail, 'well')).toEqual([]);
    expect(await team.list('secrets').then((all) => all.map(({ metadata }) => metadata.name))).not.toContain(
      'well-1-key',
    );
  });

  it('is asked again when a person wants a renewal', async () => {
    await askToRenew(team, 'well');
    await atRevision(team, 'well', 2);
    await team.told('well', /^Issuing: .*\(ManuallyTriggered: /);
  });

  it('that takes its time is waited for, in its own words', async () => {
    await put(team, 'slow', { dnsNames: ['slow.example.com'], ...by('slow') });
    await team.says(
      'slow',
      'Issuing',
      /^AwaitingIssuer: .*"slow-1" waits for Issuer\.example\.com "slow": Somebody must/,
    );
    expect(await askedSince(team, trail, 'slow')).toEqual([]);
    await put(team, 'slow', { dnsNames: ['slow.example.com'], ...by('good') });
    await atRevision(team, 'slow', 1);
  });

  it('whose Certificate goes back to what it was leaves nothing behind', async () => {
    const wish: SpecWish = { dnsNames: ['back.example.com'] };
    await put(team, 'back', wish);
    await atRevision(team, 'back', 1);
    const before = await pairOf(team, 'back-tls');
    await put(team, 'back', { ...wish, ...by('slow') });
    await team.says('back', 'Issuing', /^AwaitingIssuer: /);
    await team.says('back', 'Ready', /^IncorrectIssuer: /);
    await put(team, 'back', wish);
    await atRevision(team, 'back', 1);
    await until('the request and its key to go', async () => {
      const names = (await team.list('secrets')).map(({ metadata }) => metadata.name);
      return (await requestsOf(team, 'back')).length === 1 && !names.includes('back-2-key');
    });
    expect((await pairOf(team, 'back-tls')).leafPem).toBe(before.leafPem);
  });
});

const faults: readonly (readonly [Manner, RegExp])[] = [
  ['failing', /The other CA is closed today\./],
  ['forgetful', /The other CA is closed today\./],
  ['invalid', /No such name here\./],
  ['wrong-key', /The issuer certified another key than the one asked for\./],
  ['expired', /The issuer returned a certificate that has expired already\./],
  ['garbage', /The issuer returned something that is not a certificate\./],
];

describe.each(faults)('an external issuer that is %s', (manner, words) => {
  it('is told, left in peace for a while, and forgotten when the spec is mended', async () => {
    const dnsNames = [`${manner}.example.com`];
    await put(team, manner, { dnsNames, ...by(manner) });
    const said = await team.says(manner, 'Issuing', words);
    expect(said).toMatchObject({ status: 'False', reason: 'Failed' });
    expect(said.message).toMatch(/The next attempt is at /);
    await team.says(manner, 'Ready', /^DoesNotExist: /);
    await team.told(manner, /^Failed: /);
    expect(await askedSince(team, trail, manner)).toEqual([]);
    expect(await team.secret(`${manner}-tls`)).toBeUndefined();
    const { failedIssuanceAttempts, lastFailureTime } = (await team.certificate(manner))?.status ?? {};
    expect([failedIssuanceAttempts, lastFailureTime]).toEqual([1, expect.any(String)]);
    await put(team, manner, { dnsNames, ...by('good') });
    const mended = await atRevision(team, manner, 1);
    expect(mended.status).not.toHaveProperty('lastFailureTime');
    expect(mended.status).not.toHaveProperty('failedIssuanceAttempts');
  });
});
