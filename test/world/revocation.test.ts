// Revocation on request: another certificate first, then the end of the old one at the CA; at once for those who say so; and never a neighbour's.

import { X509Certificate } from 'node:crypto';
import { execa } from 'execa';
import { Agent, request as ask } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import { secrets } from '../../src/api/resources.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

const certway = `${import.meta.dirname}/../../bin/certway`;
let world: SharedWorld;
let team: Team;
let agent: Agent;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'revoke');
  agent = new Agent({ connect: { ca: world.acme.caPem } });
  await team.kubectl.apply([
    gateway(team.namespace),
    acmeIssuer(team.namespace, world.acme),
    ...caIssuer(team.namespace),
  ]);
  await team.issuerSays('acme', 'True', /^ACMEAccountRegistered/);
});
afterAll(async () => {
  await agent?.destroy();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function served(name: string): Promise<X509Certificate> {
  const secret = await team.secret(name);
  return new X509Certificate(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64'));
}

async function issued(name: string, annotations: Record<string, string> = {}): Promise<X509Certificate> {
  const hostname = `${name}.${team.namespace}.example.com`;
  const usual = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  await team.kubectl.apply([
    listenerSet(team.namespace, { name, hostname, annotations: { ...usual, ...annotations } }),
  ]);
  await team.ready(`${name}-tls`);
  return served(`${name}-tls`);
}

/** What Pebble's management says of the certificate. */
async function standing({
  serialNumber,
}: X509Certificate): Promise<{ readonly Status?: string; readonly Reason?: number }> {
  const url = `${world.acme.management}/cert-status-by-serial/${serialNumber.toLowerCase()}`;
  const reply = await ask(url, { dispatcher: agent, headers: { 'user-agent': 'certway-test' } });
  const said: unknown = await reply.body.json();
  return Object(said);
}

function revoke(name: string, ...flags: readonly string[]) {
  const command = ['revoke', `${name}-tls`, '-n', team.namespace, '--kubeconfig', world.kubeconfig, ...flags];
  return execa(certway, command, { reject: false });
}

async function leftovers(): Promise<readonly string[]> {
  const all = await team.all<Secret>(secrets);
  return all.map(({ metadata }) => metadata.name).filter((name) => name.endsWith('-revoke'));
}

describe('a certificate', () => {
  it('is replaced by one with a new key before it is revoked', async () => {
    const old = await issued('web', { 'cert-manager.io/private-key-rotation-policy': 'Never' });
    const done = await revoke('web', '--reason', 'keyCompromise');
    expect([done.exitCode, done.stdout + done.stderr]).toEqual([
      0,
      expect.stringContaining('was revoked (keyCompromise)'),
    ]);
    const young = await served('web-tls');
    expect(young.serialNumber).not.toBe(old.serialNumber);
    expect(young.publicKey.equals(old.publicKey)).toBe(false);
    expect(await standing(old)).toMatchObject({ Status: 'Revoked', Reason: 1 });
    expect(await standing(young)).toMatchObject({ Status: 'Valid' });
    await team.told('web-tls', /^Revoked: Certificate [0-9A-F]+ was revoked/);
    await until('nothing to be put aside any more', async () => (await leftovers()).length === 0);
    expect((await team.certificate('web-tls'))?.status?.revision).toBe(2);
  });

  it('is revoked at once and then replaced where its owner says so', async () => {
    const old = await issued('now');
    const done = await revoke('now', '--reason', 'superseded', '--now');
    expect(done.exitCode).toBe(0);
    expect(await standing(old)).toMatchObject({ Status: 'Revoked', Reason: 4 });
    await until('another one to be served', async () => (await served('now-tls')).serialNumber !== old.serialNumber, {
      deadlineMs: 30_000,
    });
    expect(await leftovers()).toEqual([]);
  });

  it('of a name that is given up is revoked and stays where it is', async () => {
    const old = await issued('end');
    expect((await revoke('end', '--reason', 'cessationOfOperation')).exitCode).toBe(0);
    expect(await standing(old)).toMatchObject({ Status: 'Revoked', Reason: 5 });
    expect((await served('end-tls')).serialNumber).toBe(old.serialNumber);
  });

  it('that is not the one in the Secret is left alone', async () => {
    const neighbour = await issued('neighbour');
    await issued('mine');
    const refused = await revoke('mine', '--reason', 'keyCompromise', '--now', '--serial', neighbour.serialNumber);
    expect([refused.exitCode, refused.stdout]).toEqual([1, expect.stringContaining('Nothing is known of certificate')]);
    expect(await standing(neighbour)).toMatchObject({ Status: 'Valid' });
  });

  it('that somebody has put into a Secret without its key is left alone', async () => {
    const victim = await issued('victim');
    await issued('thief');
    const pem = Buffer.from(victim.toString()).toString('base64');
    const patch = JSON.stringify({ data: { 'tls.crt': pem } });
    const wish = `certway.dev/revoke=keyCompromise@${victim.serialNumber} now`;
    await team.kubectl.run(['annotate', 'certificate/thief-tls', '-n', team.namespace, wish]);
    await team.kubectl.run(['patch', 'secret/thief-tls', '-n', team.namespace, '--type=merge', '-p', patch]);
    await team.says('thief-tls', 'Revoked', /^NotFound: Nothing is known of certificate/);
    await team.ready('thief-tls');
    expect(await standing(victim)).toMatchObject({ Status: 'Valid' });
  });

  it('of a CA issuer is replaced, and whom to tell is said', async () => {
    const old = await issued('local', { 'cert-manager.io/issuer': 'ca' });
    const refused = await revoke('local', '--reason', 'keyCompromise');
    expect([refused.exitCode, refused.stdout]).toEqual([1, expect.stringContaining('is no ACME issuer')]);
    await until('another one to be served', async () => (await served('local-tls')).serialNumber !== old.serialNumber, {
      deadlineMs: 30_000,
    });
  });
});

it('a wish that cannot be read is told', async () => {
  await issued('misread');
  await team.kubectl.run(['annotate', 'certificate/misread-tls', '-n', team.namespace, 'certway.dev/revoke=please']);
  await team.says('misread-tls', 'Revoked', /^Misread: .*"reason@SERIAL"/);
});
