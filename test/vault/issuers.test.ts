// Vault issuers against a real Vault and the real API server, with the controller's own rights: every way to log in, what is missing told in words
// that mend it, and tokens that end before their time.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { splitPem } from '../../src/pki/certificate.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { makeTeam, type Team } from '../world/team.ts';
import { identityOf } from './own-vault.ts';
import { secretOf, type VaultScene, vaultScene } from './scene.ts';

let world: SharedWorld;
let team: Team;
let scene: VaultScene;
const signs = { 'pki/sign/web': ['create', 'update'] };

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'vault');
  scene = await vaultScene(world, inject('controllerKubeconfig'), team);
  const { call } = scene.vault;
  await call('PUT', 'sys/policies/acl/signs', {
    policy: 'path "pki/sign/web" { capabilities = ["create", "update"] }',
  });
  await call('POST', 'sys/auth/approle', { type: 'approle' });
  await call('POST', 'auth/approle/role/team', { token_policies: 'signs', token_ttl: '1h' });
});
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const put = (name: string, data: Readonly<Record<string, string>>) =>
  team.kubectl.apply([secretOf(team.namespace, name, data)]);

describe('a token', () => {
  it('is waited for, signs, and is told when Vault does not know it or its policies do not suffice', async () => {
    const issuer = scene.issuer('token', { tokenSecretRef: { name: 'token' } });
    await scene.says(issuer, /^Secret ".*\/token" of spec\.vault does not exist; create it\.$/);
    await put('token', { other: 'x' });
    await scene.says(issuer, /^Secret ".*\/token" holds nothing under "token"\.$/);
    await put('token', { token: 'two words' });
    await scene.says(issuer, /holds no Vault token: a token is one word/);
    await put('token', { token: 'hvs.unheard-of' });
    await scene.says(issuer, /^The token is not valid, or has expired\. The token stands in Secret "token"\.$/);
    await put('token', { token: await scene.vault.token({ 'secret/*': ['read'] }) });
    await scene.says(issuer, /may not sign: .*path "pki\/sign\/web" \{ capabilities = \["create", "update"\] \}/);
    await put('token', { token: `${await scene.vault.token(signs)}\n` });
    await scene.ready(issuer);
    const signed = await scene.sign(issuer);
    if (!signed.ok) throw new Error(signed.problem.detail);
    expect(splitPem(signed.value.chainPem)).toHaveLength(2);
    expect(signed.value.caPem?.trim()).toBe(scene.vault.rootPem.trim());
  });

  it('that ends makes the issuer be looked at again, and a new one mends it', async () => {
    const issuer = scene.issuer('brief', { tokenSecretRef: { name: 'brief' } });
    const brief = await scene.vault.token(signs);
    await put('brief', { token: brief });
    await scene.ready(issuer);
    await scene.vault.call('POST', 'auth/token/revoke', { token: brief });
    scene.later(60_000);
    await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: false, problem: { kind: 'denied' } });
    expect(scene.woken).toContain(`Issuer/${team.namespace}/brief`);
    await scene.says(issuer, /^The token is not valid, or has expired/);
    await put('brief', { token: await scene.vault.token(signs) });
    await scene.ready(issuer);
    await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: true });
  });
});

describe('an AppRole', () => {
  const roleId = async () => String((await scene.vault.call('GET', 'auth/approle/role/team/role-id')).data.role_id);
  const secretId = async () =>
    String((await scene.vault.call('POST', 'auth/approle/role/team/secret-id', {})).data.secret_id);
  const issuerFor = async (name: string) =>
    scene.issuer(name, { appRole: { path: 'approle', roleId: await roleId(), secretRef: { name, key: 'id' } } });

  it('logs in once for many requests, again when the lease is nearly over, and again when its token is revoked', async () => {
    const issuer = await issuerFor('approle');
    await put('approle', { id: await secretId() });
    await scene.ready(issuer);
    const logins = () => scene.asked.filter((action) => action === 'login').length;
    const before = logins();
    const many = await Promise.all(Array.from({ length: 10 }, () => scene.sign(issuer)));
    expect(many.every((signed) => signed.ok)).toBe(true);
    expect(logins()).toBe(before);
    scene.later(3_300_000);
    const later = await Promise.all(Array.from({ length: 10 }, () => scene.sign(issuer)));
    expect(later.every((signed) => signed.ok)).toBe(true);
    expect(logins()).toBe(before + 1);
    await scene.vault.call('POST', 'sys/leases/revoke-prefix/auth/approle', {});
    await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: true });
    expect(logins()).toBe(before + 2);
  });

  it('with a wrong secret ID is told without it', async () => {
    const issuer = await issuerFor('wrong');
    await put('wrong', { id: 'not-the-secret-id' });
    await scene.says(issuer, /^Vault refuses the login at auth\/approle\/login: invalid role or secret ID$/);
    await put('wrong', { id: await secretId() });
    await scene.ready(issuer);
  });
});

describe('Kubernetes', () => {
  beforeAll(async () => {
    const { kubectl, namespace } = team;
    for (const account of ['reviewer', 'signer', 'stranger']) {
      await kubectl.run(['-n', namespace, 'create', 'serviceaccount', account]);
    }
    const binding = `vault-reviewer-${namespace}`;
    const subject = `--serviceaccount=${namespace}:reviewer`;
    await kubectl.run(['create', 'clusterrolebinding', binding, '--clusterrole=system:auth-delegator', subject]);
    const { call } = scene.vault;
    await call('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
    await call('POST', 'auth/kubernetes/config', {
      kubernetes_host: world.apiUrl,
      kubernetes_ca_cert: world.acme.caPem,
      token_reviewer_jwt: await kubectl.run(['-n', namespace, 'create', 'token', 'reviewer']),
      disable_local_ca_jwt: true,
    });
    const bound = {
      bound_service_account_names: 'signer',
      bound_service_account_namespaces: namespace,
      token_policies: 'signs',
    };
    await call('POST', 'auth/kubernetes/role/issuer', { ...bound, audience: `vault://${namespace}/kubernetes` });
    await call('POST', 'auth/kubernetes/role/server', { ...bound, audience: scene.vault.url });
    await call('POST', 'auth/kubernetes/role/extra', { ...bound, audience: 'team-audience' });
    await call('POST', 'auth/kubernetes/role/api', bound);
  });
  afterAll(() => team.kubectl.run(['delete', 'clusterrolebinding', `vault-reviewer-${team.namespace}`]));

  const by = (role: string, account = 'signer', audiences?: readonly string[]) => ({
    kubernetes: { role, serviceAccountRef: { name: account, ...(audiences !== undefined && { audiences }) } },
  });

  it('says which rights it lacks to request a token, in commands that grant them', async () => {
    const issuer = scene.issuer('kubernetes', by('issuer'));
    const found = await scene.verdict(issuer);
    if (found.kind !== 'failed') throw new Error(found.kind);
    expect(found.message).toMatch(/^Certway may not request a token of ServiceAccount "signer" in namespace/);
    const commands = found.message.split('Run: ')[1]?.split(' && ') ?? [];
    expect(commands).toHaveLength(2);
    for (const command of commands) await team.kubectl.run(command.replace(/^kubectl /, '').split(' '));
    await scene.ready(issuer);
    await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: true });
  });

  it('asks for tokens with both of cert-manager’s audiences and the issuer’s own', async () => {
    await scene.ready(scene.issuer('kubernetes', by('server')));
    await scene.ready(scene.issuer('kubernetes', by('extra', 'signer', ['team-audience'])));
    await scene.says(
      scene.issuer('other', by('issuer')),
      /^Vault refuses the login at auth\/kubernetes\/login: .*audience/,
    );
  });

  it('is refused for a role that is not there', async () => {
    await scene.says(scene.issuer('kubernetes', by('nobody')), /auth\/kubernetes\/login: invalid role name "nobody"/);
  });

  it('says that a ServiceAccount does not exist', async () => {
    const rights = ['--verb=create', '--resource=serviceaccounts/token', '--resource-name=ghost'];
    await team.kubectl.run(['-n', team.namespace, 'create', 'role', 'ghost', ...rights]);
    const to = '--serviceaccount=certway-system:certway-controller';
    await team.kubectl.run(['-n', team.namespace, 'create', 'rolebinding', 'ghost', '--role=ghost', to]);
    await scene.says(scene.issuer('ghost', by('issuer', 'ghost')), /^ServiceAccount ".*\/ghost" .* does not exist/);
  });

  it('takes a token from a Secret, and tells one of another ServiceAccount', async () => {
    const issuer = scene.issuer('from-secret', { kubernetes: { role: 'api', secretRef: { name: 'jwt' } } });
    const tokenOf = (account: string) => team.kubectl.run(['-n', team.namespace, 'create', 'token', account]);
    await put('jwt', { token: await tokenOf('stranger') });
    await scene.says(
      issuer,
      /^Vault refuses the login at auth\/kubernetes\/login: service account name not authorized$/,
    );
    await put('jwt', { token: await tokenOf('signer') });
    await scene.ready(issuer);
    await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: true });
  });
});

describe('TLS', () => {
  it('takes the bundle from a Secret, and tells one that does not fit', async () => {
    await put('good', { token: await scene.vault.token(signs) });
    const auth = { tokenSecretRef: { name: 'good' } };
    const { caBundle: _, ...vault } = scene.issuer('bundle', auth).spec.vault ?? { server: '', path: '', auth };
    const issuer = {
      ...scene.issuer('bundle', auth),
      spec: { vault: { ...vault, caBundleSecretRef: { name: 'bundle' } } },
    };
    await put('bundle', { 'ca.crt': 'hello' });
    await scene.says(issuer, /^The Secret "bundle" of spec\.vault\.caBundleSecretRef holds no PEM certificate\.$/);
    await put('bundle', { 'ca.crt': world.acme.caPem });
    await scene.says(issuer, /^Cannot reach .*certificate.*caBundle/);
    await put('bundle', { 'ca.crt': scene.vault.caPem });
    await scene.ready(issuer);
  });

  it('logs in with a client certificate, whose key must be its own', async () => {
    const { call } = scene.vault;
    await call('POST', 'sys/auth/cert', { type: 'cert' });
    await call('POST', 'auth/cert/certs/team', { certificate: scene.vault.caPem, token_policies: 'signs' });
    const issuer = scene.issuer('certificate', { clientCertificate: { secretName: 'pair', name: 'team' } });
    const [one, other] = await Promise.all(
      ['one', 'other'].map(async (user) => identityOf(await scene.authority.client(user, user))),
    );
    if (one === undefined || other === undefined) throw new Error('no identities');
    await put('pair', { 'tls.crt': one.certificate, 'tls.key': other.key });
    await scene.says(issuer, /^The key in Secret "pair" does not belong to the certificate in "pair"\.$/);
    await put('pair', { 'tls.crt': one.certificate, 'tls.key': one.key });
    await scene.ready(issuer);
    await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: true });
  });
});

it('a sealed Vault is told, and asked again until it is unsealed', async () => {
  await put('good', { token: await scene.vault.token(signs) });
  const issuer = scene.issuer('sealed', { tokenSecretRef: { name: 'good' } });
  await scene.ready(issuer);
  await scene.vault.seal();
  scene.later(60_000);
  await expect(scene.sign(issuer)).resolves.toMatchObject({ ok: false, problem: { kind: 'unavailable' } });
  await scene.says(issuer, /^The Vault at 127\.0\.0\.1:\d+ is sealed; unseal it\.$/);
  await scene.vault.unseal();
  await scene.ready(issuer);
});

it('a namespace without rights is told with the command that grants them', async () => {
  await using other = await makeTeam(world, 'vault', { rights: 'none' });
  const issuer = scene.issuer('far', { tokenSecretRef: { name: 'token' } });
  const there = { ...issuer, metadata: { ...issuer.metadata, namespace: other.namespace } };
  await scene.says(
    there,
    /^Certway may not read Secret "token" in namespace ".*"; run: certway grant .* \| kubectl apply -f -$/,
  );
});
