// Kubeconfig files for the test world, written as JSON, which is YAML too. Used for the administrator, for
// kube-controller-manager and for the controller under test.

import { writeFile } from 'node:fs/promises';
import type { Files } from './certificates.ts';

export type Credential =
  | { readonly kind: 'certificate'; readonly files: Files }
  | { readonly kind: 'token'; readonly token: string };

/** Writes a kubeconfig with one cluster, one user and one context to `file` and returns its path. */
export async function writeKubeconfig(
  file: string,
  server: { readonly url: string; readonly caFile: string },
  credential: Credential,
): Promise<string> {
  const name = 'certway-rig';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server: server.url, 'certificate-authority': server.caFile } }],
    users: [{ name, user: user(credential) }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}

function user(credential: Credential): Readonly<Record<string, string>> {
  return credential.kind === 'token'
    ? { token: credential.token }
    : { 'client-certificate': credential.files.certificate, 'client-key': credential.files.key };
}
