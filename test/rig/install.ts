// What a cluster has before Certway's controller starts: the Gateway API, our CRDs and the manifests of deploy/ and deploy/infra/,
// applied with kubectl as the README tells users to.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Parts } from './build.ts';
import { type Cluster, type Kubectl, kubectlFor } from './kubectl.ts';
import { until } from './wait.ts';

const root = join(import.meta.dirname, '../..');
const lanes = 3;
const establishedMs = 60_000;

/** Applies everything; resolves when all CRDs are established. */
export async function install(cluster: Cluster, parts: Parts): Promise<void> {
  const kubectl = kubectlFor(cluster);
  const crds = [parts.xListenerSetCrd, ...(await manifests('crds')), ...parts.gatewayApiCrds];
  // kubectl applies its files one after the other; three of it at once keep both cores of a small machine busy.
  await Promise.all(deal(crds, lanes).map((files) => kubectl.run(serverSide(files))));
  const deploy = [...(await manifests('deploy')), ...(await manifests('deploy/infra'))];
  await Promise.all([
    until('all CRDs to be established', () => allEstablished(kubectl), { deadlineMs: establishedMs }),
    deploy.length > 0 && kubectl.run(serverSide(deploy)),
  ]);
}

// Asked for, not awaited with `kubectl wait`, which takes two seconds over a list that is done in one.
async function allEstablished(kubectl: Kubectl): Promise<boolean> {
  const each = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Established")].status}{"\\n"}{end}';
  const lines = await kubectl.run(['get', 'crd', `--output=jsonpath=${each}`]);
  return lines.split('\n').every((line) => line.endsWith('=True'));
}

// Our own field manager, as CI and people have theirs. Validation by the client would fetch the whole OpenAPI.
function serverSide(files: readonly string[]): readonly string[] {
  return [
    'apply',
    '--server-side',
    '--validate=false',
    '--field-manager=certway-rig',
    ...files.map((file) => `--filename=${file}`),
  ];
}

/** The manifests in a folder of the repository, the Namespace first: the others live in it. */
async function manifests(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(root, folder)).catch(() => []);
  const first = (name: string) => (name.startsWith('namespace') ? 0 : 1);
  return names
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .sort((a, b) => first(a) - first(b) || a.localeCompare(b))
    .map((name) => join(root, folder, name));
}

function deal<T>(items: readonly T[], hands: number): readonly T[][] {
  const dealt = Array.from({ length: hands }, (): T[] => []);
  for (const [index, item] of items.entries()) dealt[index % hands]?.push(item);
  return dealt.filter((hand) => hand.length > 0);
}
