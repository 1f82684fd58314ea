// Reads kubeconfig files into the one cluster and user that the current context names. Called by credentials.ts.
// Parsed here and not by @kubernetes/client-node, whose import alone costs half a second and 85 MB; it is loaded only for exec and OIDC users.

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

export interface KubeContext {
  readonly server: string;
  readonly namespace?: string;
  readonly proxyUrl?: string;
  readonly serverName?: string;
  readonly verify: 'always' | 'never';
  readonly ca?: Source;
  readonly certificate?: Source;
  readonly key?: Source;
  readonly token?: Source;
  readonly basic?: { readonly username: string; readonly password: string };
  readonly impersonate?: { readonly user?: string; readonly groups: readonly string[] };
  /** The user's credentials come from a plugin, which only client-node can drive. */
  readonly plugin: boolean;
}

/** Where a piece of text stands: in a file that may rotate, or in the kubeconfig itself. */
export type Source = { readonly file: string } | { readonly inline: Buffer };

type Fields = Readonly<Record<string, unknown>>;

interface Sheet {
  readonly root: string;
  readonly fields: Fields;
}

/** Several files merge as kubectl does it: of entries with one name, and of current contexts, the first wins. Throws with the reason. */
export async function readKubeconfig(files: readonly string[]): Promise<KubeContext> {
  const sheets = await Promise.all(files.map(readSheet));
  const named = sheets.map((sheet) => text(sheet.fields, 'current-context')).find((name) => name !== undefined);
  if (named === undefined) throw new Error(`no current-context in ${files.join(', ')}`);
  const context = entry(sheets, 'contexts', 'context', named);
  const cluster = entry(sheets, 'clusters', 'cluster', need(context, 'cluster'));
  const user = entry(sheets, 'users', 'user', need(context, 'user'));
  return { ...clusterPart(cluster), ...userPart(user), ...part('namespace', text(context.fields, 'namespace')) };
}

function clusterPart(cluster: Sheet): Pick<KubeContext, 'server' | 'proxyUrl' | 'serverName' | 'verify' | 'ca'> {
  return {
    server: need(cluster, 'server'),
    verify: cluster.fields['insecure-skip-tls-verify'] === true ? 'never' : 'always',
    ...part('proxyUrl', text(cluster.fields, 'proxy-url')),
    ...part('serverName', text(cluster.fields, 'tls-server-name')),
    ...part('ca', source(cluster, 'certificate-authority')),
  };
}

function userPart(user: Sheet): Omit<KubeContext, 'server' | 'verify'> {
  const { fields, root } = user;
  const tokenFile = text(fields, 'tokenFile');
  const token = text(fields, 'token');
  const username = text(fields, 'username');
  const as = text(fields, 'as');
  const groups = Array.isArray(fields['as-groups']) ? fields['as-groups'].filter((g) => typeof g === 'string') : [];
  const inline = token === undefined ? undefined : { inline: Buffer.from(token) };
  return {
    plugin: fields.exec !== undefined || fields['auth-provider'] !== undefined,
    ...part('certificate', source(user, 'client-certificate')),
    ...part('key', source(user, 'client-key')),
    ...part('token', tokenFile === undefined ? inline : { file: resolve(root, tokenFile) }),
    ...part('basic', username === undefined ? undefined : { username, password: text(fields, 'password') ?? '' }),
    ...part('impersonate', as === undefined ? undefined : { user: as, groups }),
  };
}

async function readSheet(file: string): Promise<Sheet> {
  let parsed: unknown;
  try {
    const written = await readFile(file, 'utf8');
    // Kubeconfigs that programs write are often JSON.
    parsed = written.trimStart().startsWith('{') ? JSON.parse(written) : (await import('./yaml.ts')).parseYaml(written);
  } catch (cause) {
    throw new Error(`kubeconfig ${file} cannot be read`, { cause });
  }
  if (!isFields(parsed)) throw new Error(`kubeconfig ${file} is not a map`);
  return { root: dirname(resolve(file)), fields: parsed };
}

function entry(sheets: readonly Sheet[], list: string, kind: string, name: string): Sheet {
  for (const { root, fields } of sheets) {
    const entries: unknown = fields[list];
    if (!Array.isArray(entries)) continue;
    const found = entries.filter(isFields).find((e) => e.name === name);
    if (found !== undefined) return { root, fields: isFields(found[kind]) ? found[kind] : {} };
  }
  throw new Error(`kubeconfig has no ${kind} named ${name}`);
}

function source(sheet: Sheet, name: string): Source | undefined {
  // As in client-go, the data field wins over the file.
  const data = text(sheet.fields, `${name}-data`);
  if (data !== undefined) return { inline: Buffer.from(data, 'base64') };
  const file = text(sheet.fields, name);
  return file === undefined ? undefined : { file: resolve(sheet.root, file) };
}

function need(sheet: Sheet, name: string): string {
  const value = text(sheet.fields, name);
  if (value === undefined) throw new Error(`kubeconfig: ${name} is missing`);
  return value;
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function part<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]: V });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
