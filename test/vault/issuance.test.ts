// From an annotated listener to a certificate of a real Vault, by the whole controller: issued, put off while Vault is sealed, refused by a role.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { splitPem } from '../../src/pki/certificate.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { createAuthority } from '../rig/certificates.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { startVault, type Vault } from '../rig/vault.ts';
import { until } from '../rig/wait.ts';
import { gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';
import { secretOf } from './scene.ts';

let world: SharedWorld;
let team: Team;
let vault: Vault;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'vault');
  const authority = await createAuthority(world.dir);
  vault = await startVault({ dir: world.dir, tether: world.tether, authority });
  await vault.call('POST', 'pki/roles/narrow', { allowed_domains: 'example.org', require_cn: false, key_type: 'any' });
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await vault?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function issuer(name: string, role: string): KubeObject {
  const spec = {
    vault: {
      server: vault.url,
      path: `pki/sign/${role}`,
      caBundle: Buffer.from(vault.caPem).toString('base64'),
      auth: { tokenSecretRef: { name: 'vault-token', key: 'token' } },
    },
  };
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name, namespace: team.namespace },
    ...{ spec },
  };
}

const host = (name: string) => `${name}.${team.namespace}.example.com`;
const annotations = (issuerName: string) => ({
  'cert-manager.io/issuer': issuerName,
  'cert-manager.io/private-key-algorithm': 'ECDSA',
});
const set = (name: string, issuerName: string) =>
  listenerSet(team.namespace, { name, hostname: host(name), annotations: annotations(issuerName) });
const pemOf = async (secret: string, key: string) =>
  Buffer.from((await team.secret(secret))?.data?.[key] ?? '', 'base64').toString('utf8');

it('waits for the token, and then gives the listener its certificate, its chain and the root', async () => {
  await team.kubectl.apply([issuer('vault', 'web'), set('web', 'vault')]);
  await team.issuerSays(
    'vault',
    'False',
    /^VaultError: Secret ".*\/vault-token" of spec\.vault does not exist; create it/,
  );
  await team.told('web-tls', /^IssuerNotReady: Issuer "vault" is not ready: Secret ".*\/vault-token"/);
  const token = await vault.token({ 'pki/sign/*': ['create', 'update'] });
  await team.kubectl.apply([secretOf(team.namespace, 'vault-token', { token })]);
  await team.issuerSays('vault', 'True', /^VaultVerified: Vault verified$/);
  await team.ready('web-tls');
  const chain = splitPem(await pemOf('web-tls', 'tls.crt'));
  expect(new X509Certificate(chain[0] ?? '').subjectAltName).toBe(`DNS:${host('web')}`);
  expect(chain[1]?.trim()).toBe(vault.intermediatePem.trim());
  expect(chain).toHaveLength(2);
  expect((await pemOf('web-tls', 'ca.crt')).trim()).toBe(vault.rootPem.trim());
  const [request] = await team.all<CertificateRequest>(certificateRequests);
  expect(conditionOf(request?.status?.conditions, 'Ready')).toMatchObject({ status: 'True', reason: 'Issued' });
  expect(
    Buffer.from(request?.status?.ca ?? '', 'base64')
      .toString('utf8')
      .trim(),
  ).toBe(vault.rootPem.trim());
  // The key was durable while the CSR was away, and is in the target Secret alone now.
  await until('the next key to be gone', async () => (await team.secret('web-tls-1-key')) === undefined);
});

it('waits while Vault is sealed, says so, and goes on when it is unsealed', async () => {
  await vault.seal();
  await team.kubectl.apply([set('later', 'vault')]);
  await team.issuerSays('vault', 'False', /^VaultError: The Vault at .* is sealed; unseal it\.$/);
  await team.says('later-tls', 'Ready', /sealed; unseal it/);
  await vault.unseal();
  await team.ready('later-tls');
  await team.issuerSays('vault', 'True', /^VaultVerified/);
});

it('fails for good, in Vault’s words, where the role forbids the name', async () => {
  await team.kubectl.apply([issuer('narrow', 'narrow'), set('forbidden', 'narrow')]);
  await team.issuerSays('narrow', 'True', /^VaultVerified/);
  const words = /Vault refuses to sign at pki\/sign\/narrow: .*not allowed by this role/;
  await team.told('forbidden-tls', words);
  await until('the request to have failed', async () =>
    (await team.all<CertificateRequest>(certificateRequests)).some((request) => {
      const ready = conditionOf(request.status?.conditions, 'Ready');
      return ready?.reason === 'Failed' && words.test(ready.message ?? '');
    }),
  );
});
