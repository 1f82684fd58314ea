// The world of this vitest run as a test file sees it: the world itself lives in vitest's main process (vitest-world.ts),
// its addresses come by `inject`, and what the file starts itself ends with the file.

import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type RemoteDns, remoteDns } from './dns/control.ts';
import { controllerKubeconfig } from './identity.ts';
import { startTether } from './tether.ts';
import type { World } from './world.ts';

export type SharedWorld = Omit<World, 'dns'> & { readonly dns: RemoteDns & { readonly address: string } };

/** Dispose it in afterAll (or with `await using`): controllers that it started end then, the world itself does not. */
export async function sharedWorld(): Promise<SharedWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'certway-file-'));
  const tether = await startTether(dir);
  const access = {
    dir,
    kubeconfig: inject('kubeconfig'),
    apiUrl: inject('apiUrl'),
    apiCaFile: inject('apiCaFile'),
    kubectl: inject('kubectl'),
    auditLog: inject('auditLog'),
  };
  return {
    ...access,
    tether,
    acme: {
      directory: inject('acmeDirectory'),
      management: inject('acmeManagement'),
      httpPort: inject('acmeHttpPort'),
      caFile: inject('acmeCaFile'),
      caPem: await readFile(inject('acmeCaFile'), 'utf8'),
    },
    dns: { address: inject('dnsAddress'), ...remoteDns(inject('dnsControl')) },
    controllerKubeconfig: () => controllerKubeconfig(access),
    [Symbol.asyncDispose]: () => tether[Symbol.asyncDispose](),
  };
}
