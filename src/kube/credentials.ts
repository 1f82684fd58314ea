// Finds the API server and what proves who we are: kubeconfig, or the Pod's ServiceAccount. Called by session.ts, again whenever the server
// answers 401. Tokens in files are read anew as soon as the file changes, since the kubelet rotates them.

import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Credentials } from './auth.ts';
import { type KubeContext, readKubeconfig, type Source } from './kubeconfig.ts';

export interface CredentialSource {
  /** One path, or several parted by ":" as in KUBECONFIG. */
  readonly kubeconfig?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly serviceAccountFolder?: string;
}

/** Precedence as in controller-runtime: the given file, $KUBECONFIG, the Pod's ServiceAccount, ~/.kube/config. Throws with the reason. */
export async function loadCredentials(from: CredentialSource): Promise<Credentials> {
  const files = (from.kubeconfig ?? from.environment.KUBECONFIG ?? '').split(delimiter).filter((f) => f !== '');
  if (files.length === 0) {
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, HOME: home } = from.environment;
    if (host !== undefined) {
      const folder = from.serviceAccountFolder ?? '/var/run/secrets/kubernetes.io/serviceaccount';
      return fromContext(await inCluster(host, port ?? '443', folder));
    }
    const standard = join(home ?? '/', '.kube', 'config');
    if (!existsSync(standard)) throw new Error(`no kubeconfig given, not in a Pod, and ${standard} does not exist`);
    files.push(standard);
  }
  const context = await readKubeconfig(files);
  if (!context.plugin) return fromContext(context);
  const { pluginCredentials } = await import('./plugin.ts');
  return pluginCredentials(files, context);
}

async function inCluster(host: string, port: string, folder: string): Promise<KubeContext> {
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => '');
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    verify: 'always',
    plugin: false,
    ca: { file: join(folder, 'ca.crt') },
    token: { file: join(folder, 'token') },
    ...(namespace === '' ? {} : { namespace: namespace.trim() }),
  };
}

async function fromContext(context: KubeContext): Promise<Credentials> {
  const [ca, cert, key] = await Promise.all([context.ca, context.certificate, context.key].map(load));
  const token = context.token === undefined ? undefined : await tokenReader(context.token);
  const fixed: Record<string, string | string[]> = {};
  if (context.basic !== undefined) {
    const { username, password } = context.basic;
    fixed.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  if (context.impersonate?.user !== undefined) fixed['impersonate-user'] = context.impersonate.user;
  if (context.impersonate !== undefined) fixed['impersonate-group'] = [...context.impersonate.groups];
  return {
    server: new URL(context.server),
    namespace: context.namespace,
    proxyUrl: context.proxyUrl,
    tls: {
      rejectUnauthorized: context.verify === 'always',
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(context.serverName === undefined ? {} : { servername: context.serverName }),
    },
    headers: async () => (token === undefined ? fixed : { ...fixed, authorization: `Bearer ${await token()}` }),
  };
}

function load(source: Source | undefined): Promise<Buffer | undefined> {
  if (source === undefined) return Promise.resolve(undefined);
  return 'inline' in source ? Promise.resolve(source.inline) : readFile(source.file);
}

/** Inode and time of change tell of a rotation at the price of one stat: microseconds, and not on the thread pool, where keys are made. */
async function tokenReader(source: Source): Promise<() => Promise<string>> {
  if ('inline' in source) {
    const token = source.inline.toString();
    return () => Promise.resolve(token);
  }
  let seen = { mark: mark(source.file), token: await readToken(source.file) };
  return async () => {
    const now = mark(source.file);
    // A file that is gone for the moment of a swap leaves us with the token that we have.
    if (now !== undefined && now !== seen.mark) seen = { mark: now, token: await readToken(source.file) };
    return seen.token;
  };
}

function mark(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}/${stat.mtimeMs}/${stat.size}`;
}

async function readToken(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}
