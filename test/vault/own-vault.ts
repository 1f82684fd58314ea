// A Vault of a test file's own, and what its tests do again and again: open connections and make requests to be signed.

import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCsr, readCsr } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { type ClientIdentity, openVault, type VaultConnection, type VaultHttp } from '../../src/vault/http.ts';
import type { SignWish } from '../../src/vault/sign.ts';
import { createAuthority, type Files } from '../rig/certificates.ts';
import { startTether } from '../rig/tether.ts';
import { startVault, type Vault, type VaultOptions } from '../rig/vault.ts';

export interface OwnVault extends AsyncDisposable {
  readonly vault: Vault;
  /** A CA that has nothing to do with it, as PEM. */
  readonly strangePem: string;
  /** A connection that trusts the server, unless changed. */
  open(change?: Partial<VaultConnection>): VaultHttp;
  /** A client certificate of the CA that Vault trusts. */
  identity(user: string): Promise<ClientIdentity>;
}

export async function startOwnVault(options: VaultOptions = {}): Promise<OwnVault> {
  const dir = await mkdtemp(join(tmpdir(), 'certway-vault-'));
  const tether = await startTether(dir);
  const authority = await createAuthority(dir);
  const vault = await startVault({ dir, tether, authority }, options);
  const strange = await createAuthority(await mkdtemp(join(dir, 'strange-')));
  const opened: VaultHttp[] = [];
  return {
    vault,
    strangePem: strange.caPem,
    open: (change = {}) => {
      const http = openVault({ server: new URL(vault.url), caBundle: vault.caPem, ...change }, anything);
      opened.push(http);
      return http;
    },
    identity: async (user) => identityOf(await authority.client(user, user)),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...opened, vault].map((each) => each[Symbol.asyncDispose]()));
      await tether[Symbol.asyncDispose]();
    },
  };
}

export const anything = { mayPost: () => true } as const;

export async function identityOf(files: Files): Promise<ClientIdentity> {
  return { certificate: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') };
}

export interface Asked {
  readonly commonName?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
  readonly emailAddresses?: readonly string[];
}

/** A request for a new key, for 90 days by the role `web` unless changed. */
export async function wishFor(asked: Asked, change: Partial<SignWish> = {}): Promise<SignWish> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const names = { dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [], ...asked };
  const csr = readCsr(await createCsr({ key, names }));
  if (!csr.ok) throw new Error(csr.problem.message);
  return { path: 'pki/sign/web', csr: csr.value, durationMs: 90 * 86_400_000, ...change };
}
