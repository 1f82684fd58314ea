// Helm as a Go tool, and Envoy Gateway's own chart as its Go module brings it. Used by the parity test alone.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { cached } from './cache.ts';
import { type Build, goBuild, goVersion, keyOf, moduleDirectory } from './go.ts';

const build: Build = { module: 'helm', packages: ['helm.sh/helm/v4/cmd/helm'], ldflags: '-s -w' };

/** The binary, from the cache or built into it (minutes, once). */
export async function buildHelm(progress: (line: string) => void): Promise<string> {
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'certway');
  const dir = await cached(
    root,
    `helm-${await keyOf(build, await goVersion())}`,
    (draft) => {
      progress('Helm: building (once, kept in the cache)');
      return goBuild(build, draft);
    },
    () => progress('Helm: another run is building it; waiting'),
  );
  return join(dir, 'helm');
}

export interface ChartObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** The chart as a release of that version has it: the module holds its values with the images left open. */
export async function chartOf(version: string): Promise<{ readonly dir: string } & AsyncDisposable> {
  const module = await moduleDirectory('envoy-gateway', 'github.com/envoyproxy/gateway');
  const dir = await mkdtemp(join(tmpdir(), 'certway-chart-'));
  await cp(join(module, 'charts/gateway-helm'), dir, { recursive: true, mode: 0 });
  await execa('chmod', ['-R', 'u+w', dir]);
  const template = await readFile(join(dir, 'values.tmpl.yaml'), 'utf8');
  const values = template
    .replace(`\${GatewayImage}`, `docker.io/envoyproxy/gateway:v${version}`)
    .replace(`\${GatewayImagePullPolicy}`, 'IfNotPresent');
  await writeFile(join(dir, 'values.yaml'), values);
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** What `helm install` would send, hooks included, the CRDs left out. */
export async function renderChart(
  helm: string,
  chart: string,
  namespace: string,
  values: unknown,
): Promise<readonly ChartObject[]> {
  const args = ['template', 'gateway-helm', chart, '--namespace', namespace, '--set', 'crds.enabled=false', '-f', '-'];
  const { stdout } = await execa(helm, args, { input: JSON.stringify(values) });
  return parseAllDocuments(stdout).flatMap((document) => document.toJS() ?? []);
}
