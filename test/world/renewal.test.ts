// Renewal on the clock of the real controller: certificates that live for seconds are renewed in time, those that shall not be are left to expire, a person
// can ask for one at any moment, and the key is kept or changed as the spec says.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { briefMs, type ExternalIssuer, externalIssuer, group } from './external-issuer.ts';
import { askedSince, askToRenew, atRevision, type Pair, pairOf, put, requestsOf, type SpecWish } from './spec-scene.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';
import { openTrail, type Trail } from './trail.ts';

const hour = 3_600_000;

let world: SharedWorld;
let team: Team;
let trail: Trail;
let external: ExternalIssuer;
const first = new Map<string, Pair>();

const ecdsa = { algorithm: 'ECDSA' } as const;
const wishes: Readonly<Record<string, SpecWish>> = {
  always: { revisionHistoryLimit: 2 },
  never: { privateKey: { ...ecdsa, rotationPolicy: 'Never' } },
  left: { renewal: { policy: 'Disabled' } },
};

function wishOf(name: string): SpecWish {
  const { [name]: wish = {} } = wishes;
  return {
    dnsNames: [`${name}.example.com`],
    duration: '1h',
    issuerRef: { name: 'brief', kind: 'Issuer', group },
    ...wish,
  };
}

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'renewal');
  await team.kubectl.apply(caIssuer(team.namespace));
  await team.ready('ca-root');
  external = await externalIssuer(world, team);
  await Promise.all(Object.keys(wishes).map((name) => put(team, name, wishOf(name))));
  for (const name of Object.keys(wishes)) {
    await atRevision(team, name, 1);
    first.set(name, await pairOf(team, `${name}-tls`));
  }
});
afterAll(async () => {
  await external?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function firstOf(name: string): Pair {
  const pair = first.get(name);
  if (pair === undefined) throw new Error(`no first pair of ${name}`);
  return pair;
}

describe.each(['always', 'never'])('a certificate whose key is kept: %s', (name) => {
  const keeps = name === 'never';

  it('is renewed before it ends, and says why', async () => {
    const before = firstOf(name);
    expect(before.facts.notAfter - before.facts.notBefore).toBe(briefMs);
    const { status } = await atRevision(team, name, 2);
    const after = await pairOf(team, `${name}-tls`);
    expect(after.facts.notBefore).toBeLessThan(before.facts.notAfter);
    expect(after.facts.notAfter - after.facts.notBefore).toBe(hour);
    expect(after.keyPem === before.keyPem).toBe(keeps);
    await team.told(name, /^Issuing: .*\(Renewing: .*scheduled at /);
    expect(Date.parse(status?.renewalTime ?? '')).toBeLessThanOrEqual(after.facts.notAfter - hour / 3);
    expect(await askedSince(team, trail, name)).toEqual([]);
  });

  it('is renewed when a person asks', async () => {
    const before = await pairOf(team, `${name}-tls`);
    await askToRenew(team, name);
    await atRevision(team, name, 3);
    const after = await pairOf(team, `${name}-tls`);
    expect(after.leafPem).not.toBe(before.leafPem);
    expect(after.keyPem === before.keyPem).toBe(keeps);
    await team.told(name, /^Issuing: .*\(ManuallyTriggered: /);
  });

  it('follows an edit', async () => {
    const before = await pairOf(team, `${name}-tls`);
    await put(team, name, { ...wishOf(name), dnsNames: [`${name}.example.com`, 'more.example.com'] });
    await atRevision(team, name, 4);
    const after = await pairOf(team, `${name}-tls`);
    expect(after.facts.names.dnsNames).toContain('more.example.com');
    expect(after.keyPem === before.keyPem).toBe(keeps);
  });

  it('keeps as many requests as its revisionHistoryLimit says', async () => {
    const kept = keeps ? [`${name}-4`] : [`${name}-3`, `${name}-4`];
    await until('the older requests to go', async () => (await requestsOf(team, name)).length === kept.length);
    expect((await requestsOf(team, name)).map(({ metadata }) => metadata.name)).toEqual(kept);
  });
});

describe('a key that is to be kept', () => {
  it('outlives its Certificate with the Secret', async () => {
    const before = await pairOf(team, 'never-tls');
    await team.kubectl.run(['delete', 'certificate/never', '-n', team.namespace]);
    await until('its requests to go', async () => (await requestsOf(team, 'never')).length === 0);
    await put(team, 'never', { ...wishOf('never'), issuerRef: { name: 'ca' } });
    await atRevision(team, 'never', 1);
    const after = await pairOf(team, 'never-tls');
    expect(after.leafPem).not.toBe(before.leafPem);
    expect(after.keyPem).toBe(before.keyPem);
  });

  it('is not replaced by one of another kind before its owner has said so', async () => {
    const before = await pairOf(team, 'never-tls');
    const rsa = { algorithm: 'RSA', size: 2048 } as const;
    const wish = { ...wishOf('never'), issuerRef: { name: 'ca' } };
    await put(team, 'never', { ...wish, privateKey: { ...rsa, rotationPolicy: 'Never' } });
    const said = await team.says('never', 'Issuing', /^CannotRegenerateKey: /);
    expect(said.message).toMatch(
      /key of kind ECDSA 256, the spec asks for RSA 2048, and .*Never: .*Always for a new key/,
    );
    expect(await askedSince(team, trail, 'never')).toEqual([]);
    expect((await pairOf(team, 'never-tls')).keyPem).toBe(before.keyPem);
    await put(team, 'never', { ...wish, privateKey: { ...rsa, rotationPolicy: 'Always' } });
    await atRevision(team, 'never', 2);
    expect((await pairOf(team, 'never-tls')).keyPem).toMatch(/BEGIN RSA PRIVATE KEY/);
  });
});

describe('a renewal policy of Disabled', () => {
  it('leaves the certificate to expire, and says so', async () => {
    const said = await team.says('left', 'Ready', /^Expired: /);
    expect(said).toMatchObject({ status: 'False' });
    expect(said.message).toMatch(/expired at .*renewal\.policy is Disabled.*cmctl renew/);
    await team.says('left', 'Issuing', /^RenewalDisabled: /);
    expect(Date.now()).toBeGreaterThanOrEqual(firstOf('left').facts.notAfter);
    expect(await askedSince(team, trail, 'left')).toEqual([]);
    expect((await pairOf(team, 'left-tls')).leafPem).toBe(firstOf('left').leafPem);
    expect((await team.certificate('left'))?.status).not.toHaveProperty('renewalTime');
  });

  it('does not keep a person from asking for one', async () => {
    await askToRenew(team, 'left');
    await atRevision(team, 'left', 2);
    expect((await pairOf(team, 'left-tls')).facts.notAfter).toBeGreaterThan(Date.now());
  });
});
