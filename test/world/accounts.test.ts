// The life of an issuer's ACME account: registered where the CA wants a binding, kept in step with the spec and the Secret, closed, and waited for.

import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deactivate, readAccount } from '../../src/acme/account.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type OwnCa, startOwnCa } from '../acme/own-ca.ts';
import { rateLimited, refuse, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { at, firstOf } from '../rig/proxy/verdict.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { accountAtCa, accountSession, type Ca, issuerLike, issuerNamed } from './account-eyes.ts';
import { makeTeam, type Team } from './team.ts';

const macKey = randomBytes(32).toString('base64url');
const certway = `${import.meta.dirname}/../../bin/certway`;
let world: SharedWorld;
let team: Team;
let bound: OwnCa;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'account');
  bound = await startOwnCa({
    config: { externalAccountBindingRequired: true, externalAccountMACKeys: { kid: macKey } },
  });
});
afterAll(async () => {
  await bound?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function apply(ca: Ca, name: string, change: object = {}): Promise<string> {
  return team.kubectl.apply([issuerLike(team, ca, name, change)]);
}

function secret(name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: team.namespace },
    ...{ type: 'Opaque', stringData },
  };
}

const registered = (name: string) => team.issuerSays(name, 'True', /^ACMEAccountRegistered/);

async function urlOf(name: string): Promise<string> {
  return (await issuerNamed(team, name)).status?.acme?.uri ?? '';
}

describe('an account’s address', () => {
  it('reaches the CA when it is edited, and an address that the CA refuses is told until it is mended', async () => {
    await apply(world.acme, 'mail', { email: 'first@example.com' });
    await registered('mail');
    const url = await urlOf('mail');
    await apply(world.acme, 'mail', { email: 'Second@Example.com' });
    await until('the CA to know the new address', async () => {
      const account = await accountAtCa(team, world.acme, 'mail');
      return account.ok && account.value?.contact[0] === 'mailto:second@example.com';
    });
    await apply(world.acme, 'mail', { email: 'nobody@nowhere@example.com' });
    const said = await team.issuerSays('mail', 'False', /^ErrUpdateACMEAccount: .+ Tried again at \d{4}-/);
    // The event says the same each time.
    await team.told('mail', /^ErrUpdateACMEAccount: (?!.*Tried again)/);
    expect(said.reason).toBe('ErrUpdateACMEAccount');
    await apply(world.acme, 'mail', { email: 'third@example.com' });
    await registered('mail');
    expect(await urlOf('mail')).toBe(url);
    expect((await issuerNamed(team, 'mail')).status?.acme?.lastRegisteredEmail).toBe('third@example.com');
  });
});

describe('a CA that wants a binding', () => {
  const binding = { keyID: 'kid', keySecretRef: { name: 'binding', key: 'mac' } };

  it('is given it, and not asked for it again once there is an account', async () => {
    await apply(bound, 'unbound');
    await team.issuerSays('unbound', 'False', /^ErrRegisterACMEAccount: /);
    await team.kubectl.apply([secret('binding', { mac: macKey })]);
    await apply(bound, 'bound', { externalAccountBinding: binding });
    await registered('bound');
    const url = await urlOf('bound');
    // Both issuers trust a CA of their own, and the world's is a third.
    await apply(world.acme, 'elsewhere');
    await registered('elsewhere');
    await team.kubectl.run(['delete', 'secret/binding', '-n', team.namespace]);
    await apply(bound, 'bound', { externalAccountBinding: binding, email: 'other@example.com' });
    await until('the address to be registered', async () => {
      return (await issuerNamed(team, 'bound')).status?.acme?.lastRegisteredEmail === 'other@example.com';
    });
    expect(await urlOf('bound')).toBe(url);
    expect(JSON.stringify(await issuerNamed(team, 'bound'))).not.toContain(macKey);
  });

  it('that is not verified is reached all the same, when told so', async () => {
    await team.kubectl.apply([secret('trusting', { mac: macKey })]);
    const keySecretRef = { name: 'trusting', key: 'mac' };
    const change = { caBundle: undefined, skipTLSVerify: true, externalAccountBinding: { ...binding, keySecretRef } };
    await apply(bound, 'trusting', change);
    await registered('trusting');
  });
});

describe('an issuer that may not make a key', () => {
  it('waits for one, in words', async () => {
    await apply(world.acme, 'given', { disableAccountKeyGeneration: true });
    await team.issuerSays('given', 'False', /^ErrVerifyACMEAccount: .*"given-account" does not exist/);
    await apply(world.acme, 'giver');
    await registered('giver');
    const key = Buffer.from((await team.secret('giver-account'))?.data?.['tls.key'] ?? '', 'base64').toString();
    await team.kubectl.apply([secret('given-account', { 'tls.key': key })]);
    await registered('given');
    // The same key is the same account.
    expect(await urlOf('given')).toBe(await urlOf('giver'));
  });
});

describe('the Secret of an account key', () => {
  it('that is given another key by hand brings another account, without a restart or an order', async () => {
    await apply(world.acme, 'swap');
    await apply(world.acme, 'donor');
    await registered('swap');
    await registered('donor');
    const data = (await team.secret('donor-account'))?.data ?? {};
    const patch = JSON.stringify({ data: { 'tls.key': data['tls.key'] } });
    await team.kubectl.run(['patch', 'secret/swap-account', '-n', team.namespace, '--type=merge', '-p', patch]);
    const donor = await urlOf('donor');
    await until('the issuer to have the account of the key', async () => (await urlOf('swap')) === donor);
    await registered('swap');
  });

  it('that is deleted brings a new one', async () => {
    await apply(world.acme, 'gone');
    await registered('gone');
    const url = await urlOf('gone');
    await team.kubectl.run(['delete', 'secret/gone-account', '-n', team.namespace]);
    await until('the issuer to have a new account', async () => (await urlOf('gone')) !== url);
    await registered('gone');
    expect((await accountAtCa(team, world.acme, 'gone')).ok).toBe(true);
  });
});

describe('an account that is closed', () => {
  it('at the CA is told with the remedy, and the remedy helps', async () => {
    await apply(world.acme, 'closed');
    await registered('closed');
    const url = await urlOf('closed');
    await using session = await accountSession(team, world.acme, 'closed');
    expect((await deactivate(session)).ok).toBe(true);
    await apply(world.acme, 'closed', { email: 'edited@example.com' });
    await team.issuerSays(
      'closed',
      'False',
      /^ACMEAccountDeactivated: .*Delete Secret ".*\/closed-account" for a new account/,
    );
    await team.kubectl.run(['delete', 'secret/closed-account', '-n', team.namespace]);
    await registered('closed');
    expect(await urlOf('closed')).not.toBe(url);
  });

  it('by the command is closed for good, and only after a yes', async () => {
    await apply(world.acme, 'quit');
    await registered('quit');
    await using session = await accountSession(team, world.acme, 'quit');
    const command = ['account', 'deactivate', 'quit', '-n', team.namespace, '--kubeconfig', world.kubeconfig];
    const asked = await execa(certway, command, { reject: false });
    expect([asked.exitCode, asked.stderr]).toEqual([1, expect.stringContaining('--yes')]);
    expect((await readAccount(session)).ok).toBe(true);
    const done = await execa(certway, [...command, '--yes'], { reject: false });
    expect([done.exitCode, done.stdout + done.stderr]).toEqual([0, expect.stringContaining('Delete Secret')]);
    expect(await readAccount(session)).toMatchObject({ ok: false, problem: { type: 'unauthorized' } });
    await team.kubectl.run(['delete', 'secret/quit-account', '-n', team.namespace]);
    await registered('quit');
    const shown = await execa(certway, [
      'account',
      'show',
      'quit',
      '-n',
      team.namespace,
      '--kubeconfig',
      world.kubeconfig,
    ]);
    expect(shown.stdout).toContain(await urlOf('quit'));
  });
});

describe('a registration that the CA puts off', () => {
  it('is waited for as long as it says, and told until then', async () => {
    const limited = rateLimited('new-registrations-per-ip-address', 3, Date.now());
    await using proxy = await startAcmeFault(world.acme, at({ edge: 'newAccount', nth: 1 }, limited));
    await apply(proxy, 'limited');
    await team.issuerSays('limited', 'False', /^ErrRegisterACMEAccount: too many requests.* Tried again at \d{4}-/);
    await registered('limited');
    const asked = proxy.proxy.passed.filter(({ edge }) => edge === 'newAccount').map(({ status }) => status);
    // Pebble's 400 is a nonce that it did not like.
    expect(asked.filter((status) => status !== 400)).toEqual([429, 201]);
  });

  it('or refuses is tried again', async () => {
    const no = refuse({ status: 403, type: 'userActionRequired', detail: 'Read our terms first' });
    const script = firstOf(at({ edge: 'newAccount', nth: 1 }, no));
    await using proxy = await startAcmeFault(world.acme, script);
    await apply(proxy, 'refused');
    await team.issuerSays('refused', 'False', /^ErrRegisterACMEAccount: Read our terms first\. Tried again/);
    await registered('refused');
    const issuer = await issuerNamed(team, 'refused');
    expect(conditionOf(issuer.status?.conditions, 'Ready')?.status).toBe('True');
  });
});
