// Who the controller under test is: its own ServiceAccount, by a token of the API server, with exactly the rights that
// deploy/ grants. Never an administrator.

import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig.ts';
import { type Cluster, kubectlFor } from './kubectl.ts';

// Long enough for a world that someone left running over a week.
const tokenLifetime = '720h';

/** Writes a kubeconfig with a fresh token of certway-system/certway-controller and returns its path. */
export async function controllerKubeconfig(
  world: Cluster & { readonly dir: string; readonly apiUrl: string; readonly apiCaFile: string },
): Promise<string> {
  const token = await kubectlFor(world).run([
    'create',
    'token',
    'certway-controller',
    '--namespace=certway-system',
    `--duration=${tokenLifetime}`,
  ]);
  const server = { url: world.apiUrl, caFile: world.apiCaFile };
  return writeKubeconfig(join(world.dir, 'controller.kubeconfig'), server, { kind: 'token', token });
}
