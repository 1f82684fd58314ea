// A real Vault server of a test's own: HTTPS by the given CA, storage in memory, initialized and unsealed over its API, with a root and an
// intermediate CA in two PKI mounts. Starts in a second, once the binary is built.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { buildVault, type Progress } from './build.ts';
import type { Authority } from './certificates.ts';
import { startPart } from './part.ts';
import { freePort } from './ports.ts';
import type { Tether } from './tether.ts';

export interface Vault extends AsyncDisposable {
  readonly url: string;
  readonly caPem: string;
  readonly rootToken: string;
  readonly rootPem: string;
  readonly intermediatePem: string;
  /** One call as the administrator, below /v1/; rejects with Vault's own words where it refuses. */
  call<T = Answer>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, token?: string): Promise<T>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** A token with a policy for these paths, for the time in seconds; it may look itself up. */
  token(policies: Readonly<Record<string, readonly string[]>>, ttlSeconds?: number): Promise<string>;
}

export interface Answer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly auth: { readonly client_token: string };
}

export interface VaultOptions {
  /** `demanded`: no connection without a client certificate of the same CA. */
  readonly clients?: 'demanded' | 'any';
  readonly progress?: Progress;
}

export interface VaultSite {
  readonly dir: string;
  readonly tether: Tether;
  readonly authority: Authority;
}

const readyMs = 30_000;
let started = 0;

/** The Vault ends with the site's tether. */
export async function startVault(site: VaultSite, options: VaultOptions = {}): Promise<Vault> {
  const { url, agent } = await startServer(site, options);
  const { root_token: rootToken, keys } = await tell<Init>(agent, 'PUT', `${url}/v1/sys/init`, {
    secret_shares: 1,
    secret_threshold: 1,
  });
  const call: Vault['call'] = (method, path, body, token = rootToken) =>
    tell(agent, method, `${url}/v1/${path}`, body, token);
  const unseal = async () => {
    await call('PUT', 'sys/unseal', { key: keys[0] });
  };
  await unseal();
  return {
    url,
    caPem: site.authority.caPem,
    rootToken,
    ...(await makeAuthorities(call)),
    call,
    unseal,
    seal: async () => {
      await call('PUT', 'sys/seal');
    },
    token: (policies, ttlSeconds = 3600) => makeToken(call, policies, ttlSeconds),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

/** Sealed and empty; `agent` is an administrator's way to it. */
async function startServer({ dir, tether, authority }: VaultSite, { clients = 'any', progress }: VaultOptions) {
  const binary = await buildVault(progress ?? (() => undefined));
  started += 1;
  const name = `vault-${process.pid}-${started}`;
  const [server, operator] = [await authority.server(name), await authority.client(`${name}-operator`, 'operator')];
  const [cert, key] = await Promise.all([operator.certificate, operator.key].map((file) => readFile(file)));
  const agent = new Agent({ connect: { ca: authority.caPem, cert, key } });
  const demand = clients === 'demanded' ? ['-client-ca', authority.caFile] : [];
  const { url } = await startPart(tether, async () => {
    const address = `127.0.0.1:${await freePort()}`;
    return {
      url: `https://${address}`,
      command: {
        argv: [binary, '-listen', address, '-cert', server.certificate, '-key', server.key, ...demand],
        logFile: join(dir, `${name}.log`),
      },
      readiness: {
        name: 'Vault',
        deadlineMs: readyMs,
        probe: async () => (await exchange(agent, 'GET', `https://${address}/v1/sys/seal-status`)).status === 200,
      },
    };
  });
  return { url, agent };
}

interface Init {
  readonly root_token: string;
  readonly keys: readonly string[];
}

/** Mount `root` holds the root; `pki` an intermediate of it, whose role `web` signs whatever is asked. */
async function makeAuthorities(call: Vault['call']): Promise<{ rootPem: string; intermediatePem: string }> {
  for (const mount of ['root', 'pki']) {
    await call('POST', `sys/mounts/${mount}`, { type: 'pki', config: { max_lease_ttl: '87600h' } });
  }
  const common = { key_type: 'ec', key_bits: 256, ttl: '8760h' };
  const root = await call('POST', 'root/root/generate/internal', { ...common, common_name: 'Rig root' });
  const csr = await call('POST', 'pki/intermediate/generate/internal', { ...common, common_name: 'Rig intermediate' });
  const signed = await call('POST', 'root/root/sign-intermediate', { csr: csr.data.csr, ttl: '8000h', format: 'pem' });
  const rootPem = String(root.data.certificate);
  const intermediatePem = String(signed.data.certificate);
  await call('POST', 'pki/intermediate/set-signed', { certificate: `${intermediatePem}\n${rootPem}` });
  await call('POST', 'pki/roles/web', {
    allow_any_name: true,
    require_cn: false,
    allowed_uri_sans: '*',
    key_type: 'any',
    max_ttl: '2400h',
  });
  return { rootPem, intermediatePem };
}

let policies = 0;

async function makeToken(
  call: Vault['call'],
  paths: Readonly<Record<string, readonly string[]>>,
  ttlSeconds: number,
): Promise<string> {
  policies += 1;
  const name = `rig-${policies}`;
  const rules = Object.entries(paths).map(
    ([path, capabilities]) => `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`,
  );
  await call('PUT', `sys/policies/acl/${name}`, { policy: rules.join('\n') });
  const { auth } = await call('POST', 'auth/token/create', {
    policies: [name],
    ttl: `${ttlSeconds}s`,
    renewable: false,
  });
  return auth.client_token;
}

async function tell<T>(agent: Agent, method: Method, url: string, body?: object, token?: string): Promise<T> {
  const { status, text } = await exchange(agent, method, url, body, token);
  if (status >= 300) throw new Error(`${method} ${new URL(url).pathname}: Vault answers ${status} ${text}`);
  const answer: T = JSON.parse(text === '' ? '{}' : text);
  return answer;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

async function exchange(agent: Agent, method: Method, url: string, body?: object, token?: string) {
  const { statusCode, body: answer } = await request(url, {
    dispatcher: agent,
    method,
    headers: { 'content-type': 'application/json', ...(token !== undefined && { 'x-vault-token': token }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: statusCode, text: await answer.text() };
}
