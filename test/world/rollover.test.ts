// The rollover of an account key, asked for on the Issuer: the CA, the Secret, the Issuer and those that share it change in step, and orders go on.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAccount } from '../../src/acme/account.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type AcmeFault, refuse, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { accountAtCa, accountSession, issuerLike, issuerNamed } from './account-eyes.ts';
import { gateway, listenerSet, makeTeam, type Team } from './team.ts';

const certway = `${import.meta.dirname}/../../bin/certway`;
const asked = 'certway.dev/rollover-account-key';
const done = 'certway.dev/rolled-over-account-key';
const thumbprint = 'certway.dev/account-thumbprint';
let world: SharedWorld;
let team: Team;
let ca: AcmeFault;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'rollover');
  ca = await startAcmeFault(world.acme);
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function ready(name: string, change: object = {}): Promise<string> {
  await team.kubectl.apply([issuerLike(team, ca, name, change)]);
  await team.issuerSays(name, 'True', /^ACMEAccountRegistered/);
  return (await issuerNamed(team, name)).status?.acme?.uri ?? '';
}

function ask(name: string, value: string): Promise<string> {
  return team.kubectl.run(['annotate', `issuer/${name}`, '-n', team.namespace, '--overwrite', `${asked}=${value}`]);
}

function rolledOver(name: string, value: string): Promise<unknown> {
  return until(
    `the key of ${name} to be rolled over`,
    async () => {
      const issuer = await issuerNamed(team, name);
      const said = conditionOf(issuer.status?.conditions, 'AccountKeyRolledOver');
      if (issuer.metadata.annotations?.[done] === value && said?.status === 'True') return true;
      throw new Error(`${said?.reason}: ${said?.message}`);
    },
    { deadlineMs: 30_000 },
  );
}

async function keyIn(name: string): Promise<KeyObject> {
  const pem = (await team.secret(name))?.data?.['tls.key'] ?? '';
  return createPrivateKey(Buffer.from(pem, 'base64'));
}

async function expectInStep(name: string, url: string): Promise<void> {
  const issuer = await issuerNamed(team, name);
  const account = await accountAtCa(team, ca, name);
  expect(account).toMatchObject({ ok: true, value: { url, status: 'valid' } });
  await using session = await accountSession(team, ca, name);
  expect(issuer.metadata.annotations?.[thumbprint]).toBe(await session.endpoint.thumbprint(session.key));
  expect(issuer.status?.acme?.uri).toBe(url);
  const secret = await team.secret(issuer.spec.acme?.privateKeySecretRef.name ?? '');
  expect(Object.keys(secret?.data ?? {})).toEqual(['tls.key']);
}

function order(name: string, issuerName: string): Promise<string> {
  const hostname = `${name}.${team.namespace}.example.com`;
  const annotations = { 'cert-manager.io/issuer': issuerName, 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  return team.kubectl.apply([listenerSet(team.namespace, { name, hostname, annotations })]);
}

const keyChanges = () =>
  ca.proxy.passed.filter(({ edge, upstream }) => edge === 'keyChange' && upstream === 200).length;

describe('a rollover', () => {
  it('gives the same account a new key, once for each value, and orders go on', async () => {
    const url = await ready('plain');
    const before = await keyIn('plain-account');
    await order('before', 'plain');
    await team.ready('before-tls');
    await ask('plain', 'one');
    await rolledOver('plain', 'one');
    await expectInStep('plain', url);
    await using session = await accountSession(team, ca, 'plain');
    expect(await findAccount({ ...session, key: before })).toEqual({ ok: true, value: undefined });
    await team.told('plain', /^AccountKeyRolledOver/);
    await order('after', 'plain');
    await team.ready('after-tls');
    const changes = keyChanges();
    await ask('plain', 'two');
    await rolledOver('plain', 'two');
    await expectInStep('plain', url);
    expect(keyChanges()).toBe(changes + 1);
  });

  it('keeps the kind of key', async () => {
    const key = keyToPem(await generateKey({ algorithm: 'ECDSA', size: 384 }), 'PKCS8');
    const metadata = { name: 'curve-account', namespace: team.namespace };
    const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata, ...{ stringData: { 'tls.key': key } } };
    await team.kubectl.apply([secret]);
    const url = await ready('curve');
    await ask('curve', 'one');
    await rolledOver('curve', 'one');
    await expectInStep('curve', url);
    expect((await keyIn('curve-account')).asymmetricKeyDetails).toEqual({ namedCurve: 'secp384r1' });
  });

  it('is not made for a value that came with the Issuer', async () => {
    const issuer = issuerLike(team, ca, 'fresh');
    await team.kubectl.apply([{ ...issuer, metadata: { ...issuer.metadata, annotations: { [asked]: 'from git' } } }]);
    const changes = keyChanges();
    await team.issuerSays('fresh', 'True', /^ACMEAccountRegistered/);
    expect((await issuerNamed(team, 'fresh')).metadata.annotations?.[done]).toBe('from git');
    expect(keyChanges()).toBe(changes);
  });

  it('whose answer is lost is found out about', async () => {
    const url = await ready('lost');
    ca.proxy.follow(at({ edge: 'keyChange', nth: 1 }, { kind: 'dropReply' }));
    await ask('lost', 'one');
    await rolledOver('lost', 'one');
    ca.proxy.follow(() => forward);
    await expectInStep('lost', url);
  });

  it('waits for what is being validated, and lets no order fail', async () => {
    const url = await ready('busy');
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `busy-${letter}`);
    for (const round of ['one', 'two']) {
      await Promise.all([...names.map((name) => order(`${name}-${round}`, 'busy')), ask('busy', round)]);
      await rolledOver('busy', round);
    }
    for (const name of names.flatMap((each) => [`${each}-one-tls`, `${each}-two-tls`])) {
      const certificate = await team.ready(name, 60_000);
      expect([name, certificate.status?.failedIssuanceAttempts ?? 0]).toEqual([name, 0]);
    }
    await expectInStep('busy', url);
  });

  it('that the CA refuses is told, orders go on with the old key, and it is tried again', async () => {
    const url = await ready('refused');
    const busy = refuse({
      status: 503,
      type: 'serverInternal',
      detail: 'Keys are out',
      headers: { 'retry-after': '4' },
    });
    ca.proxy.follow(at({ edge: 'keyChange' }, busy));
    await ask('refused', 'one');
    await until('the refusal to be told', async () => {
      const { status } = await issuerNamed(team, 'refused');
      return /Keys are out.* Tried again at/.test(
        conditionOf(status?.conditions, 'AccountKeyRolledOver')?.message ?? '',
      );
    });
    expect(conditionOf((await issuerNamed(team, 'refused')).status?.conditions, 'Ready')?.status).toBe('True');
    await order('meanwhile', 'refused');
    await team.ready('meanwhile-tls');
    ca.proxy.follow(() => forward);
    await rolledOver('refused', 'one');
    await expectInStep('refused', url);
  });
});

describe('a key that issuers share', () => {
  const shared = { privateKeySecretRef: { name: 'shared-account' } };

  it('is rolled over for all of them', async () => {
    const url = await ready('one', shared);
    expect(await ready('other', shared)).toBe(url);
    await ask('one', 'now');
    await rolledOver('one', 'now');
    await until('the other to be registered with the new key', async () => {
      const [one, other] = [await issuerNamed(team, 'one'), await issuerNamed(team, 'other')];
      return one.status?.acme?.lastPrivateKeyHash === other.status?.acme?.lastPrivateKeyHash;
    });
    await expectInStep('one', url);
    await expectInStep('other', url);
    await order('of-other', 'other');
    await team.ready('of-other-tls');
  });

  it('with an issuer of another CA is not rolled over, and the reason is told', async () => {
    const apart = { privateKeySecretRef: { name: 'apart-account' } };
    await ready('here', apart);
    await team.kubectl.apply([issuerLike(team, world.acme, 'there', apart)]);
    await team.issuerSays('there', 'True', /^ACMEAccountRegistered/);
    const command = ['account', 'rollover', 'here', '-n', team.namespace, '--kubeconfig', world.kubeconfig];
    const refused = await execa(certway, command, { reject: false });
    expect([refused.exitCode, refused.stdout + refused.stderr]).toEqual([
      1,
      expect.stringMatching(/also holds .* of Issuer\/.*\/there at another CA/),
    ]);
  });
});

describe('certway account', () => {
  it('rolls over and says when it is done; shows what came of it', async () => {
    const url = await ready('told');
    const here = ['-n', team.namespace, '--kubeconfig', world.kubeconfig];
    const rolled = await execa(certway, ['account', 'rollover', 'told', ...here], { reject: false });
    expect([rolled.exitCode, rolled.stdout + rolled.stderr]).toEqual([0, expect.stringMatching(/by a new key\.$/)]);
    await expectInStep('told', url);
    const shown = await execa(certway, ['account', 'show', 'told', ...here, '-o', 'json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      ready: true,
      account: url,
      rollover: { state: 'done' },
      sharedWith: [],
    });
  });

  it.each([
    [['account', 'rollover', 'nobody'], 1, /"nobody" not found/],
    [['account', 'show', 'selfsigned'], 1, /is no ACME issuer/],
    [['account', 'show'], 2, /name an issuer/],
  ])('%j ends with %i', async (command, code, words) => {
    await team.kubectl.apply([
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Issuer',
        metadata: { name: 'selfsigned', namespace: team.namespace },
        ...{ spec: { selfSigned: {} } },
      },
    ]);
    const ended = await execa(certway, [...command, '-n', team.namespace, '--kubeconfig', world.kubeconfig], {
      reject: false,
    });
    expect([ended.exitCode, ended.stderr]).toEqual([code, expect.stringMatching(words)]);
  });
});
