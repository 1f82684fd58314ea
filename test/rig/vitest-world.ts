// Vitest's global set-up of the projects `kube` and `world`: one world and one controller for the whole run, however many
// projects ask for it. Test files read the addresses by `inject(…)`, or get a handle from shared-world.ts.

import type { TestProject } from 'vitest/node';
import { type Controller, startController } from './controller.ts';
import { startWorld, type World } from './world.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    kubeconfig: string;
    controllerKubeconfig: string;
    kubectl: string;
    apiUrl: string;
    apiCaFile: string;
    auditLog: string;
    acmeDirectory: string;
    /** PEM that verifies Pebble's HTTPS. */
    acmeCa: string;
    acmeCaFile: string;
    acmeManagement: string;
    acmeHttpPort: number;
    dnsAddress: string;
    dnsControl: string;
    solverUrl: string;
    metricsUrl: string;
    healthUrl: string;
    controllerPid: number;
    controllerLog: string;
    worldDir: string;
  }
}

interface Shared {
  readonly ready: Promise<{ readonly world: World; readonly controller: Controller; readonly kubeconfig: string }>;
  users: number;
}

// Each project loads this module anew, so what they share hangs on the process.
const place = Symbol.for('certway.rig.shared');
const holder: typeof globalThis & { [place]?: Shared } = globalThis;

/** Starts the world for the first project that asks and ends it with the last one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  holder[place] ??= { ready: start(), users: 0 };
  const shared = holder[place];
  shared.users += 1;
  const { world, controller, kubeconfig } = await shared.ready;
  provide(project, world, controller, kubeconfig);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete holder[place];
    if (project.vitest.state.getCountOfFailedTests() > 0) {
      world.tether.keepLogs();
      process.stdout.write(`  world: its logs are in ${world.dir}\n`);
    }
    await controller[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  };
}

async function start(): ReturnType<() => Shared['ready']> {
  const world = await startWorld({ progress: (line) => process.stdout.write(`  world: ${line}\n`) });
  try {
    const kubeconfig = await world.controllerKubeconfig();
    return { world, kubeconfig, controller: await startController(world, { kubeconfig }) };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

function provide(project: TestProject, world: World, controller: Controller, controllerKubeconfig: string): void {
  project.provide('kubeconfig', world.kubeconfig);
  project.provide('controllerKubeconfig', controllerKubeconfig);
  project.provide('kubectl', world.kubectl);
  project.provide('apiUrl', world.apiUrl);
  project.provide('apiCaFile', world.apiCaFile);
  project.provide('auditLog', world.auditLog);
  project.provide('acmeDirectory', world.acme.directory);
  project.provide('acmeCa', world.acme.caPem);
  project.provide('acmeCaFile', world.acme.caFile);
  project.provide('acmeManagement', world.acme.management);
  project.provide('acmeHttpPort', world.acme.httpPort);
  project.provide('dnsAddress', world.dns.address);
  project.provide('dnsControl', world.dns.controlUrl);
  project.provide('solverUrl', controller.solverUrl);
  project.provide('metricsUrl', controller.metricsUrl);
  project.provide('healthUrl', controller.healthUrl);
  project.provide('controllerPid', controller.pid);
  project.provide('controllerLog', controller.logFile);
  project.provide('worldDir', world.dir);
}
