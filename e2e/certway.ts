// Certway as a platform owner installs it: the manifests of deploy/, and a Deployment for each half. Called by set-up.ts.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubectlFor } from '../test/rig/kubectl.ts';
import { until } from '../test/rig/wait.ts';
import type { World } from '../test/rig/world.ts';

const readyMs = 120_000;

/** Applies the Deployments; resolves when all their Pods are ready. */
export async function installCertway(world: World, tell: (line: string) => void): Promise<void> {
  const kubectl = kubectlFor(world);
  await kubectl.apply(await readFile(join(import.meta.dirname, 'manifests/certway.yaml'), 'utf8'));
  tell('Certway is applied');
  await until('the Deployments of Certway to be available', () => allAvailable(world), { deadlineMs: readyMs });
  tell('Certway is ready');
}

interface Deployments {
  readonly items: readonly {
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

async function allAvailable(world: World): Promise<boolean> {
  const { items } = await kubectlFor(world).get<Deployments>('deployments', '-n', 'certway-system');
  const available = (one: Deployments['items'][number]) =>
    one.status?.conditions?.some(({ type, status }) => type === 'Available' && status === 'True') === true;
  return items.length > 0 && items.every(available);
}
