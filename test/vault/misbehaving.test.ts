// What a healthy Vault never says: outages, pages of others, certificates for others, secrets that come back. None of it throws, and no
// secret reaches a message.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey } from '../../src/pki/keys.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { askHealth } from '../../src/vault/health.ts';
import { logIn } from '../../src/vault/login.ts';
import { askSignature } from '../../src/vault/sign.ts';
import { wishFor } from './own-vault.ts';
import { type ScriptedVault, scriptedVault } from './scripted-vault.ts';

let vault: ScriptedVault;

beforeAll(async () => {
  vault = await scriptedVault();
});
afterAll(() => vault?.[Symbol.asyncDispose]());

const healthy = { initialized: true, sealed: false };
const jwt = `eyJ${'x'.repeat(900)}`;
const login = { kind: 'kubernetes', mount: 'kubernetes', role: 'team', jwt } as const;
const ask = (change: object = {}, options: object = {}) =>
  wishFor({ dnsNames: ['a.example.com'] }).then((wish) => askSignature(vault.open(change, options), 'hvs.token', wish));
const problem = (kind: string, detail: RegExp) =>
  expect.objectContaining({
    ok: false,
    problem: expect.objectContaining({ kind, detail: expect.stringMatching(detail) }),
  });

describe('health', () => {
  it.each([200, 429, 472, 473])('%i is up', async (status) => {
    vault.answer(() => ({ status, body: healthy }));
    await expect(askHealth(vault.open())).resolves.toEqual({ ok: true, value: undefined });
  });

  it.each<[number, unknown, RegExp]>([
    [474, healthy, /has lost its active node/],
    [500, healthy, /answered 500 to sys\/health/],
    [501, { ...healthy, initialized: false }, /is not initialized; run "vault operator init"/],
    [503, { ...healthy, sealed: true }, /is sealed; unseal it/],
    [530, healthy, /was removed from its cluster/],
    [200, '<html>', /answered 200, but not as Vault does; check spec\.vault\.server/],
    [404, '<html>', /answered 404, but not as Vault does/],
    [502, '<html>', /answered 502 without a reason/],
  ])('%i is not', async (status, body, words) => {
    vault.answer(() => ({ status, body }));
    await expect(askHealth(vault.open())).resolves.toEqual(problem('unavailable', words));
  });
});

describe('a login', () => {
  it('whose secret comes back does not tell it, however long', async () => {
    vault.answer(() => ({ status: 400, body: { errors: [`no such token: ${jwt}`, `again ${jwt}`] } }));
    const answer = await logIn(vault.open(), login, 0);
    expect(answer).toEqual(
      problem(
        'denied',
        /^Vault refuses the login at auth\/kubernetes\/login: no such token: \(hidden\); again \(hidden\)$/,
      ),
    );
  });

  it.each<[string, unknown, string, RegExp]>([
    ['no token', { auth: {} }, 'malformed', /gave no token/],
    ['a token that fits no header', { auth: { client_token: 'a\nb' } }, 'malformed', /gave no token/],
    ['a second factor', { auth: { client_token: '', mfa_requirement: {} } }, 'denied', /asks for a second factor/],
    ['no JSON', 'hello', 'malformed', /gave no token/],
  ])('answered with %s', async (_, body, kind, words) => {
    vault.answer(() => ({ status: 200, body }));
    await expect(logIn(vault.open(), login, 0)).resolves.toEqual(problem(kind, words));
  });

  it.each([
    ['a lease', { lease_duration: 100 }, 90_000],
    ['no end', { lease_duration: 0 }, Number.POSITIVE_INFINITY],
    ['an unreadable lease', { lease_duration: 'x' }, 0],
    ['one use', { lease_duration: 100, num_uses: 1 }, 0],
  ])('with %s', async (_, terms, until) => {
    vault.answer(() => ({ status: 200, body: { auth: { client_token: 'hvs.x', ...terms } } }));
    await expect(logIn(vault.open(), login, 0)).resolves.toEqual({ ok: true, value: { value: 'hvs.x', until } });
  });
});

describe('a signature', () => {
  it.each([408, 412, 429, 473, 500, 502])('is put off by %i', async (status) => {
    vault.answer(() => ({ status, body: { errors: ['request path "pki/sign/web": quota exceeded'] } }));
    await expect(ask()).resolves.toEqual(
      problem('unavailable', /answered \d+ and says: request path "pki\/sign\/web": quota exceeded\.$/),
    );
  });

  it('is refused in one line, whatever list Vault makes of it', async () => {
    vault.answer(() => ({ status: 400, body: { errors: ['2 errors occurred:\n\t* one\n\t* another\n\n'] } }));
    await expect(ask()).resolves.toEqual(problem('refused', /^Vault refuses to sign at pki\/sign\/web: one; another$/));
    vault.answer(() => ({ status: 400, body: { errors: [] } }));
    await expect(ask()).resolves.toEqual(problem('refused', /Vault answered 400 without a reason/));
  });

  it('does not tell the token', async () => {
    vault.answer(({ headers }) => ({ status: 400, body: { errors: [`you sent ${headers['x-vault-token']}`] } }));
    await expect(ask()).resolves.toEqual(problem('refused', /you sent \(hidden\)$/));
  });

  it('ends when the answer is too large, or does not come', async () => {
    vault.answer(() => ({ status: 200, body: 'x'.repeat(1_100_000) }));
    await expect(ask()).resolves.toEqual(problem('malformed', /larger than 1 MiB/));
    vault.answer(() => undefined);
    await expect(ask({}, { timeLimitMs: 200 })).resolves.toEqual(
      problem('network', /no complete answer within 0\.2 s/),
    );
  });

  it('must be a certificate, and for the key that asked', async () => {
    for (const body of ['<html>', {}, { data: { certificate: 'none' } }]) {
      vault.answer(() => ({ status: 200, body }));
      await expect(ask()).resolves.toEqual(problem('malformed', /holds no PEM certificate/));
    }
    const { csr } = await wishFor({ dnsNames: ['a.example.com'] });
    const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
    const life = { notBefore: 1_700_000_000_000, notAfter: 1_800_000_000_000 };
    const other = await selfSign({
      csr: { ...csr, publicKey: key },
      key,
      ...life,
      usages: [],
      isCA: false,
      serial: Buffer.alloc(16, 7),
    });
    const certificate = other.ok ? other.value.chainPem : '';
    expect(certificate).toContain('BEGIN CERTIFICATE');
    vault.answer(() => ({ status: 200, body: { data: { certificate } } }));
    await expect(ask()).resolves.toEqual(problem('malformed', /for another key/));
  });

  it('follows a standby to the active node once, with the token, and not to another protocol', async () => {
    vault.answer(({ path }) =>
      path === '/active'
        ? { status: 400, body: { errors: ['here'] } }
        : { status: 307, headers: { location: '/active' } },
    );
    await expect(ask()).resolves.toEqual(problem('refused', /here$/));
    expect(vault.heard.map(({ path, headers }) => [path, headers['x-vault-token']])).toEqual([
      ['/v1/pki/sign/web', 'hvs.token'],
      ['/active', 'hvs.token'],
    ]);
    vault.answer(() => ({ status: 307, headers: { location: '/active' } }));
    await expect(ask()).resolves.toEqual(problem('unavailable', /answered 307, but not as Vault does/));
    vault.answer(() => ({ status: 307, headers: { location: 'https://127.0.0.1:1/' } }));
    await expect(ask()).resolves.toEqual(problem('unavailable', /answered 307/));
    expect(vault.heard).toHaveLength(1);
  });

  it('is not asked for by a replica that does not lead', async () => {
    vault.answer(() => ({ status: 200 }));
    const answer = await ask({}, { mayPost: () => false });
    expect(answer).toMatchObject({ ok: false, problem: { kind: 'network', sent: 'no' } });
    expect(vault.heard).toEqual([]);
  });
});

it('names the namespace wherever there is one', async () => {
  vault.answer(() => ({ status: 200, body: healthy }));
  const http = vault.open({ namespace: 'team' });
  await askHealth(http);
  await logIn(http, login, 0);
  await ask({ namespace: 'team' });
  const named = vault.heard.map(({ path, headers }) => [path, headers['x-vault-namespace']]);
  expect(named).toEqual([
    ['/v1/sys/health', undefined],
    ['/v1/auth/kubernetes/login', 'team'],
    ['/v1/pki/sign/web', 'team'],
  ]);
});

it('asks nothing at paths that lead elsewhere', async () => {
  const wish = await wishFor({ dnsNames: ['a.example.com'] }, { path: 'pki/../sys/seal' });
  vault.answer(() => ({ status: 200 }));
  await expect(askSignature(vault.open(), 't', wish)).resolves.toEqual(problem('network', /is no path of Vault.s API/));
  expect(vault.heard).toEqual([]);
});
