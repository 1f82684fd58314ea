// The fault proxy before a real kube-apiserver, and a kubeconfig that leads through it. Crash tests run the controller on that
// kubeconfig; who the caller is stays between it and the API server, because the Authorization header passes as it came.

import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { FaultProxy, type Proxied } from './fault-proxy.ts';
import { type KubeRequest, readKubeRequest } from './kube-request.ts';
import type { Script } from './verdict.ts';

export type ApiFault = FaultProxy<KubeRequest>;

export interface ApiUpstream {
  readonly apiUrl: string;
  readonly apiCaFile: string;
}

export async function startApiFault(api: ApiUpstream, script?: Script<Proxied<KubeRequest>>): Promise<ApiFault> {
  const caPem = await readFile(api.apiCaFile, 'utf8');
  return FaultProxy.start({ origin: api.apiUrl, caPem, host: 'own', read: readKubeRequest }, script);
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, unknown>> }[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, unknown>> }[];
}

/**
 * Copies a kubeconfig to `path` with every cluster led through the proxy.
 * Throws when a user shows a client certificate: TLS ends at the proxy, so only tokens get through.
 */
export async function kubeconfigThrough(proxy: ApiFault, kubeconfig: string, path: string): Promise<string> {
  const config = parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const barred = config.users.find(({ user }) => 'client-certificate' in user || 'client-certificate-data' in user);
  if (barred !== undefined) {
    throw new Error(
      `user ${barred.name} in ${kubeconfig} has a client certificate, which cannot pass a TLS proxy; use a token`,
    );
  }
  const cluster = {
    server: proxy.origin,
    'certificate-authority-data': Buffer.from(proxy.caPem).toString('base64'),
  };
  const clusters = config.clusters.map(({ name }) => ({ name, cluster }));
  await writeFile(path, stringify({ ...config, clusters }), { mode: 0o600 });
  return path;
}
