// Fills a directory for `certway infra --crd-dir` from the pinned Go modules: the Gateway API's standard channel with its safe-upgrades policy, and
// Envoy Gateway's own CRDs out of its chart, one object a file as JSON. For image builds: `node test/rig/fill-crds.ts DIRECTORY` (docs/crds.md);
// tests take the same by crdDir().

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ownBundleAnnotation } from '../../src/api/crd.ts';
import { cached } from './cache.ts';
import { moduleDirectory } from './go.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

const chartCrds = 'charts/gateway-helm/charts/crds/crds/generated';

/** Answers the names of the files that it wrote. */
export async function fillCrds(directory: string): Promise<readonly string[]> {
  const [gatewayApi, envoyGateway] = await modules();
  const manifests = [
    ...(await read(join(gatewayApi, 'config/crd/standard'))),
    ...(await read(join(envoyGateway, chartCrds))).map((each) => ofRelease(each, versionOf(envoyGateway))),
  ];
  await mkdir(directory, { recursive: true });
  const files = manifests.map((manifest) => ({ name: fileOf(manifest), text: JSON.stringify(manifest) }));
  await Promise.all(files.map(({ name, text }) => writeFile(join(directory, name), text)));
  return files.map(({ name }) => name).sort();
}

/** The filled directory in the cache of builds: its YAML takes two seconds to read. */
export async function crdDir(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(await modules()));
  hash.update(await readFile(import.meta.filename));
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'certway');
  return cached(
    root,
    `crds-${hash.digest('hex').slice(0, 16)}`,
    async (dir) => void (await fillCrds(dir)),
    () => undefined,
  );
}

function modules(): Promise<readonly [string, string]> {
  return Promise.all([
    moduleDirectory('gateway-api', 'sigs.k8s.io/gateway-api'),
    moduleDirectory('envoy-gateway', 'github.com/envoyproxy/gateway'),
  ]);
}

async function read(directory: string): Promise<readonly Manifest[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  const texts = await Promise.all(names.sort().map((name) => readFile(join(directory, name), 'utf8')));
  const documents = texts.flatMap((text) => parseAllDocuments(text));
  return documents.flatMap((document): Manifest[] => document.toJS() ?? []);
}

// They do not say of which release they are, and without that an older image would undo a newer one's.
function ofRelease(manifest: Manifest, release: string): Manifest {
  const annotations = { ...manifest.metadata.annotations, [ownBundleAnnotation]: release };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

/** "…/gateway@v1.9.1" → "v1.9.1". */
function versionOf(directory: string): string {
  return directory.slice(directory.lastIndexOf('@') + 1);
}

function fileOf({ kind, metadata: { name } }: Manifest): string {
  return `${kind.toLowerCase()}.${name}.json`;
}

if (import.meta.main) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined || process.argv.length > 3) {
    console.error('usage: node test/rig/fill-crds.ts DIRECTORY');
    process.exitCode = 2;
  } else {
    console.log(`${(await fillCrds(directory)).length} files in ${directory}`);
  }
}
