// The data plane of one world: what a node of a real cluster does for it, so that Deployments run, Services have addresses and names resolve.
// Called by e2e/set-up.ts, inside the namespaces that e2e/run.ts made.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from '../world.ts';
import { clusterDnsAddress, startClusterDns } from './cluster-dns.ts';
import type { Programs } from './images.ts';
import { startKubelet } from './kubelet.ts';
import { startServices } from './services.ts';

// Of the Service default/kubernetes: the first address of the API server's --service-cluster-ip-range.
const apiServer = { host: '10.96.0.1', port: '443' };

/** Starts the stand-ins; they stop with the returned value, the Pods' processes with the world. */
export async function startDataPlane(
  world: World,
  programs: Programs,
  log: (line: string) => void,
): Promise<AsyncDisposable> {
  const { kubeconfig, apiUrl, tether } = world;
  const dir = join(world.dir, 'pods');
  await mkdir(dir, { recursive: true });
  const services = await startServices({ kubeconfig, apiUrl, log });
  const dns = await startClusterDns(services.clusterIp, world.dns.address);
  const kubelet = await startKubelet({
    kubeconfig,
    dir,
    apiServer,
    nameserver: clusterDnsAddress,
    programs,
    tether,
    log,
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await kubelet[Symbol.asyncDispose]();
      await dns[Symbol.asyncDispose]();
      await services[Symbol.asyncDispose]();
    },
  };
}
