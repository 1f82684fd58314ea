// Credentials that a plugin makes: exec (aws, gke-gcloud-auth-plugin, kubelogin) and auth-provider (OIDC). @kubernetes/client-node drives them.
// This file is loaded only when a kubeconfig's user asks for it: the import costs half a second and 85 MB.

import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { AuthHeaders, Credentials, Tls } from './auth.ts';
import type { KubeContext } from './kubeconfig.ts';

/** Runs the plugin once now; its tokens are kept until they expire. Client certificates that it hands out hold until the next 401. */
export async function pluginCredentials(files: readonly string[], context: KubeContext): Promise<Credentials> {
  const config = new KubeConfig();
  for (const [index, file] of files.entries()) {
    const next = index === 0 ? config : new KubeConfig();
    next.loadFromFile(file);
    if (index > 0) config.mergeConfig(next, config.currentContext !== undefined);
  }
  const first = await ask(config);
  return {
    server: new URL(context.server),
    namespace: context.namespace,
    proxyUrl: context.proxyUrl,
    tls: tlsOf(first, context),
    headers: async () => headersOf(await ask(config)),
  };
}

async function ask(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

function headersOf(options: RequestOptions): AuthHeaders {
  const headers: Record<string, string> = {};
  const given = options.headers === undefined || Array.isArray(options.headers) ? {} : options.headers;
  for (const [name, value] of Object.entries(given)) if (typeof value === 'string') headers[name] = value;
  return headers;
}

function tlsOf(options: RequestOptions, context: KubeContext): Tls {
  const part = (name: 'ca' | 'cert' | 'key') => {
    const value = options[name];
    if (typeof value === 'string') return { [name]: Buffer.from(value) };
    return Buffer.isBuffer(value) ? { [name]: value } : {};
  };
  return {
    rejectUnauthorized: context.verify === 'always',
    ...part('ca'),
    ...part('cert'),
    ...part('key'),
    ...(context.serverName === undefined ? {} : { servername: context.serverName }),
  };
}
