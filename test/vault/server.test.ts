// A real Vault: up or not, logins that work and logins that do not, and what is signed with the tokens.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { askHealth } from '../../src/vault/health.ts';
import { logIn } from '../../src/vault/login.ts';
import { askSignature } from '../../src/vault/sign.ts';
import { checkPolicy, checkToken } from '../../src/vault/token.ts';
import { until } from '../rig/wait.ts';
import { type OwnVault, startOwnVault, wishFor } from './own-vault.ts';

let own: OwnVault;

beforeAll(async () => {
  own = await startOwnVault();
  const { call } = own.vault;
  await call('PUT', 'sys/policies/acl/signs', {
    policy: 'path "pki/sign/web" { capabilities = ["create", "update"] }',
  });
  await call('POST', 'sys/auth/approle', { type: 'approle' });
  await call('POST', 'auth/approle/role/team', { token_policies: 'signs', token_ttl: '1h' });
  await call('POST', 'auth/approle/role/once', { token_policies: 'signs', token_num_uses: 1 });
  await call('POST', 'sys/auth/mtls', { type: 'cert' });
  await call('POST', 'auth/mtls/certs/team', {
    certificate: own.vault.caPem,
    allowed_common_names: 'team',
    token_policies: 'signs',
  });
});
afterAll(() => own?.[Symbol.asyncDispose]());

async function appRole(role = 'team') {
  const { data } = await own.vault.call('GET', `auth/approle/role/${role}/role-id`);
  const made = await own.vault.call('POST', `auth/approle/role/${role}/secret-id`, {});
  const [roleId, secretId] = [String(data.role_id), String(made.data.secret_id)];
  return { kind: 'appRole', mount: 'approle', roleId, secretId } as const;
}

const signer = () => own.vault.token({ 'pki/sign/web': ['create', 'update'] });
const problem = (kind: string, detail: RegExp) => ({
  ok: false,
  problem: expect.objectContaining({ kind, detail: expect.stringMatching(detail) }),
});

describe('the server', () => {
  it('is up', async () => {
    await expect(askHealth(own.open())).resolves.toEqual({ ok: true, value: undefined });
  });

  it('is told from servers that we do not trust', async () => {
    const answer = await askHealth(own.open({ caBundle: own.strangePem }));
    expect(answer).toEqual(
      problem('network', /certificate.*; put the CA of Vault’s certificate into spec\.vault\.caBundle/),
    );
  });

  it('must have the wanted name in its certificate', async () => {
    await expect(askHealth(own.open({ serverName: 'localhost' }))).resolves.toEqual({ ok: true, value: undefined });
    const answer = await askHealth(own.open({ serverName: 'vault.example.com' }));
    expect(answer).toEqual(problem('network', /altnames.*set spec\.vault\.serverName/));
  });

  it('may stand behind a path, and nothing of Vault does', async () => {
    const answer = await askHealth(own.open({ server: new URL(`${own.vault.url}/elsewhere`) }));
    expect(answer).toEqual(problem('unavailable', /answered 404, but not as Vault does; check spec\.vault\.server/));
  });

  it('is not there', async () => {
    const answer = await askHealth(own.open({ server: new URL('https://127.0.0.1:1') }));
    expect(answer).toEqual(problem('network', /^Cannot reach 127\.0\.0\.1:1: .*ECONNREFUSED/));
  });
});

describe('a login', () => {
  it('by AppRole gives a token for nine tenths of its lease', async () => {
    const login = await appRole();
    for (const mount of ['approle', 'auth/approle', '/v1/auth/approle/']) {
      const token = await logIn(own.open(), { ...login, mount }, 1_000_000);
      expect(token).toEqual({
        ok: true,
        value: { value: expect.stringMatching(/^hvs\./), until: 1_000_000 + 3_240_000 },
      });
    }
  });

  it('whose token dies of its first use is not kept', async () => {
    const token = await logIn(own.open(), await appRole('once'), 5);
    expect(token).toMatchObject({ ok: true, value: { until: 5 } });
  });

  it('with a wrong secret ID is denied, and the secret not told', async () => {
    const login = { ...(await appRole()), secretId: 'not-the-secret' };
    const token = await logIn(own.open(), login, 0);
    expect(token).toEqual(
      problem('denied', /^Vault refuses the login at auth\/approle\/login: invalid role or secret ID/),
    );
    expect(JSON.stringify(token)).not.toContain('not-the-secret');
  });

  it('at a mount that is not there is denied', async () => {
    const token = await logIn(own.open(), { ...(await appRole()), mount: 'nowhere' }, 0);
    expect(token).toEqual(problem('denied', /^Vault refuses the login at auth\/nowhere\/login: /));
  });

  it('by a client certificate shows it in that exchange alone', async () => {
    const login = { kind: 'clientCertificate', mount: 'mtls', name: 'team' } as const;
    const [team, other] = [await own.identity('team'), await own.identity('other')];
    await expect(logIn(own.open(), { ...login, identity: team }, 0)).resolves.toMatchObject({ ok: true });
    await expect(logIn(own.open({ identity: team }), login, 0)).resolves.toMatchObject({ ok: true });
    await expect(logIn(own.open(), { ...login, identity: other }, 0)).resolves.toEqual(
      problem('denied', /auth\/mtls\/login/),
    );
    await expect(logIn(own.open(), login, 0)).resolves.toEqual(problem('denied', /auth\/mtls\/login.*certificate/));
  });
});

describe('a token', () => {
  it('is known, or is not, or was', async () => {
    const good = await signer();
    await expect(checkToken(own.open(), good)).resolves.toEqual({ ok: true, value: undefined });
    const bad = problem('denied', /^The token is not valid, or has expired\.$/);
    await expect(checkToken(own.open(), 'hvs.unheard-of')).resolves.toEqual(bad);
    const brief = await own.vault.token({ 'pki/sign/web': ['update'] }, 1);
    await until('the token to expire', async () => !(await checkToken(own.open(), brief)).ok);
    await expect(checkToken(own.open(), brief)).resolves.toEqual(bad);
    await expect(checkPolicy(own.open(), brief, 'pki/sign/web')).resolves.toEqual(bad);
  });

  it('may sign by its policies, or the policy is named', async () => {
    const [good, none] = [await signer(), await own.vault.token({ 'secret/*': ['read'] })];
    for (const path of ['pki/sign/web', '/v1/pki/sign/web']) {
      await expect(checkPolicy(own.open(), good, path)).resolves.toEqual({ ok: true, value: undefined });
    }
    await expect(checkPolicy(own.open(), own.vault.rootToken, 'pki/sign/web')).resolves.toMatchObject({ ok: true });
    const words = /path "pki\/sign\/web" \{ capabilities = \["create", "update"\] \}/;
    await expect(checkPolicy(own.open(), none, 'pki/sign/web')).resolves.toEqual(problem('denied', words));
    const signed = await askSignature(own.open(), none, await wishFor({ dnsNames: ['a.example.com'] }));
    expect(signed).toEqual(problem('denied', words));
  });
});

describe('a signature', () => {
  it('is for exactly the names that were asked for, with the intermediate in the chain and the root beside it', async () => {
    const asked = {
      commonName: 'first.example.com',
      dnsNames: ['*.b.example.com', 'a.example.com'],
      ipAddresses: ['10.0.0.1', '2001:db8::1'],
      uris: ['spiffe://example.com/a,b'],
      emailAddresses: ['team@example.com'],
    };
    const signed = await askSignature(own.open(), await signer(), await wishFor(asked));
    if (!signed.ok) throw new Error(signed.problem.detail);
    const { chainPem, caPem } = signed.value;
    const [leaf = '', intermediate] = splitPem(chainPem);
    expect(intermediate?.trim()).toBe(own.vault.intermediatePem.trim());
    expect(splitPem(chainPem)).toHaveLength(2);
    expect(caPem?.trim()).toBe(own.vault.rootPem.trim());
    const facts = readCertificate(leaf);
    if (!facts.ok) throw new Error(facts.problem.message);
    expect(facts.value.names).toEqual(asked);
    expect(Math.round((facts.value.notAfter - Date.now()) / 86_400_000)).toBe(90);
  });

  it('is for the same names where the role takes none from the CSR', async () => {
    await own.vault.call('POST', 'pki/roles/strict', {
      allow_any_name: true,
      require_cn: false,
      key_type: 'any',
      use_csr_common_name: false,
      use_csr_sans: false,
      allowed_uri_sans: '*',
    });
    const asked = {
      dnsNames: ['a.example.com'],
      ipAddresses: ['10.0.0.1'],
      uris: ['spiffe://example.com/a,b'],
      emailAddresses: [],
    };
    const wish = await wishFor(asked, { path: 'pki/sign/strict' });
    const signed = await askSignature(own.open(), own.vault.rootToken, wish);
    if (!signed.ok) throw new Error(signed.problem.detail);
    expect(readCertificate(signed.value.chainPem)).toMatchObject({ ok: true, value: { names: asked } });
  });

  it('has no CA beside it where nothing but the leaf is sent, and a root that signs by itself is the CA alone', async () => {
    await own.vault.call('POST', 'root/roles/web', { allow_any_name: true, require_cn: false, key_type: 'any' });
    const wish = await wishFor({ dnsNames: ['a.example.com'] }, { path: 'root/sign/web', durationMs: 3_600_000 });
    const signed = await askSignature(own.open(), own.vault.rootToken, wish);
    if (!signed.ok) throw new Error(signed.problem.detail);
    expect(splitPem(signed.value.chainPem)).toHaveLength(1);
    expect(signed.value.caPem?.trim()).toBe(own.vault.rootPem.trim());
  });

  it('is refused for good where the role forbids the name, and where there is no such role', async () => {
    await own.vault.call('POST', 'pki/roles/narrow', {
      allowed_domains: 'example.org',
      allow_subdomains: true,
      key_type: 'any',
    });
    const narrow = await wishFor(
      { commonName: 'a.example.com', dnsNames: ['a.example.com'] },
      { path: 'pki/sign/narrow' },
    );
    const root = own.vault.rootToken;
    const refused = (words: RegExp) => ({
      ok: false,
      problem: { kind: 'refused', status: 400, detail: expect.stringMatching(words) },
    });
    await expect(askSignature(own.open(), root, narrow)).resolves.toEqual(
      refused(/^Vault refuses to sign at pki\/sign\/narrow: .*a\.example\.com.*not allowed by this role/),
    );
    const nobody = await wishFor({ dnsNames: ['a.example.com'] }, { path: 'pki/sign/nobody' });
    await expect(askSignature(own.open(), root, nobody)).resolves.toEqual(refused(/unknown role/));
  });

  it('is denied where nothing signs', async () => {
    const wish = await wishFor({ dnsNames: ['a.example.com'] }, { path: 'nowhere/sign/web' });
    const signed = await askSignature(own.open(), own.vault.rootToken, wish);
    expect(signed).toEqual(problem('denied', /Nothing signs at nowhere\/sign\/web .*correct spec\.vault\.path/));
  });
});

describe('a sealed Vault', () => {
  it('is unavailable to everything until it is unsealed', async () => {
    const [token, login] = [await signer(), await appRole()];
    const wish = await wishFor({ dnsNames: ['a.example.com'] });
    await own.vault.seal();
    const sealed = problem('unavailable', /^The Vault at 127\.0\.0\.1:\d+ is sealed; unseal it\.$/);
    await expect(askHealth(own.open())).resolves.toEqual(sealed);
    await expect(logIn(own.open(), login, 0)).resolves.toEqual(sealed);
    await expect(checkPolicy(own.open(), token, 'pki/sign/web')).resolves.toEqual(sealed);
    await expect(askSignature(own.open(), token, wish)).resolves.toEqual(sealed);
    await own.vault.unseal();
    await until('a signature', async () => (await askSignature(own.open(), token, wish)).ok);
  });
});
