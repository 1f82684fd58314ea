// The volumes of a Pod as a kubelet fills and refreshes them: ConfigMaps, Secrets, projected tokens and downward fields, swapped in whole by
// one rename of a symbolic link, so that a reader sees either all old files or all new ones. Called by pod.ts.

import { chmod, lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fieldOf } from './fields.ts';
import type { DataObject, Pod, ProjectedSource, Volume } from './objects.ts';

export interface VolumeSources {
  /** Undefined: there is none (yet). */
  configMap(namespace: string, name: string): DataObject | undefined;
  secret(namespace: string, name: string): DataObject | undefined;
  /** A token bound to the Pod. */
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string>;
}

type Files = ReadonlyMap<string, Buffer>;

const defaultTokenSeconds = 3600;

/** Makes or refreshes the volume in `dir`. Answers false, and changes nothing, while an object that it needs is missing. */
export async function fillVolume(dir: string, volume: Volume, pod: Pod, sources: VolumeSources): Promise<boolean> {
  await mkdir(dir, { recursive: true });
  if (volume.emptyDir !== undefined) {
    await chmod(dir, 0o777);
    return true;
  }
  const parts = volume.projected?.sources ?? [volume];
  const files = new Map<string, Buffer>();
  for (const part of parts) {
    const found = await filesOf(part, pod, sources);
    if (found === undefined) return false;
    for (const [path, content] of found) files.set(path, content);
  }
  if (!(await holds(dir, files))) await swap(dir, files);
  return true;
}

async function filesOf(source: ProjectedSource, pod: Pod, sources: VolumeSources): Promise<Files | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  const { configMap, secret, serviceAccountToken, downwardAPI } = source;
  if (configMap !== undefined) return dataOf(sources.configMap(namespace, configMap.name ?? ''), configMap, 'utf8');
  if (secret !== undefined) {
    return dataOf(sources.secret(namespace, secret.secretName ?? secret.name ?? ''), secret, 'base64');
  }
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = defaultTokenSeconds, path } = serviceAccountToken;
    return new Map([[path, Buffer.from(await sources.token(pod, audience, expirationSeconds))]]);
  }
  const items = downwardAPI?.items ?? [];
  return new Map(items.map(({ path, fieldRef }) => [path, Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? '', ''))]));
}

type Selection = Pick<NonNullable<ProjectedSource['secret']>, 'items' | 'optional'>;

function dataOf(object: DataObject | undefined, { items, optional }: Selection, encoding: 'utf8' | 'base64') {
  if (object === undefined) return optional === true ? new Map<string, Buffer>() : undefined;
  const all = new Map([
    ...Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const),
    ...Object.entries(object.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ]);
  if (items === undefined) return all;
  const chosen = items.flatMap(({ key, path }) => {
    const content = all.get(key);
    return content === undefined ? [] : [[path, content] as const];
  });
  return chosen.length < items.length && optional !== true ? undefined : new Map(chosen);
}

async function holds(dir: string, files: Files): Promise<boolean> {
  const names = await readdir(join(dir, '..data')).catch(() => undefined);
  if (names === undefined || names.length !== new Set([...files.keys()].map(top)).size) return false;
  for (const [path, content] of files) {
    const seen = await readFile(join(dir, '..data', path)).catch(() => undefined);
    if (seen?.equals(content) !== true) return false;
  }
  return true;
}

let serial = 0;

// As the kubelet's own writer does it: a fresh folder, then `..data` renamed over the old link, then the links that lead through it.
async function swap(dir: string, files: Files): Promise<void> {
  serial += 1;
  const fresh = `..v${serial}`;
  await mkdir(join(dir, fresh), { mode: 0o755 });
  for (const [path, content] of files) {
    await mkdir(dirname(join(dir, fresh, path)), { recursive: true });
    await writeFile(join(dir, fresh, path), content, { mode: 0o644 });
  }
  await symlink(fresh, join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  const wanted = new Set([...files.keys()].map(top));
  for (const name of wanted) {
    const there = await lstat(join(dir, name)).catch(() => undefined);
    if (there === undefined) await symlink(join('..data', name), join(dir, name));
  }
  for (const name of await readdir(dir)) {
    const stale = name.startsWith('..v') ? name !== fresh : !name.startsWith('..') && !wanted.has(name);
    if (stale) await rm(join(dir, name), { recursive: true });
  }
}

function top(path: string): string {
  return path.split('/')[0] ?? path;
}
