// Vitest's global set-up of the stories: network, world, data plane and Certway, each as a user's cluster has them. Runs inside the namespaces
// that run.ts made. Stories read the addresses by `inject(…)`.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestProject } from 'vitest/node';
import { addAddress, raiseNetwork } from '../test/rig/data-plane/network.ts';
import { startDataPlane } from '../test/rig/data-plane/start.ts';
import { tail } from '../test/rig/part.ts';
import { startWorld, type World } from '../test/rig/world.ts';
import { installCertway } from './certway.ts';
import { publishAcme } from './internet.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    kubeconfig: string;
    kubectl: string;
    dnsControl: string;
    acmeDirectory: string;
    /** PEM that verifies the ACME server's HTTPS. */
    acmeCa: string;
    acmeManagement: string;
    podLogs: string;
    auditLog: string;
  }
}

const tell = (line: string) => void process.stdout.write(`  e2e: ${line}\n`);

/** Raises everything; what it answers ends it again, and keeps the logs' ends where a story has failed. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { CERTWAY_E2E_DIR: dir = '', CERTWAY_E2E_PROGRAMS: programs = '' } = process.env;
  if (dir === '') throw new Error('start the stories by npm run e2e: it makes the namespaces that they live in');
  const place = join(dir, 'world');
  await mkdir(place);
  await execa('mount', ['-t', 'tmpfs', 'certway-e2e', place]);
  await raiseNetwork();
  const world = await startWorld({ progress: tell, dir: place, acmeHttpPort: 80 });
  const plane = await startDataPlane(world, JSON.parse(programs), tell);
  const end = async (failed: boolean) => {
    if (failed) await keepLogs(world, dir);
    await plane[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  };
  try {
    provide(project, world, await publishAcme(world, addAddress));
    await installCertway(world, tell);
  } catch (error) {
    await end(true);
    throw error;
  }
  return () => end(project.vitest.state.getCountOfFailedTests() > 0);
}

function provide(project: TestProject, world: World, acmeDirectory: string): void {
  project.provide('kubeconfig', world.kubeconfig);
  project.provide('kubectl', world.kubectl);
  project.provide('dnsControl', world.dns.controlUrl);
  project.provide('acmeDirectory', acmeDirectory);
  project.provide('acmeCa', world.acme.caPem);
  project.provide('acmeManagement', world.acme.management);
  project.provide('podLogs', join(world.dir, 'pods'));
  project.provide('auditLog', world.auditLog);
}

async function keepLogs(world: World, dir: string): Promise<void> {
  await mkdir(join(dir, 'logs'), { recursive: true });
  const folder = join(world.dir, 'pods');
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.log'))) {
    await writeFile(join(dir, 'logs', name), await tail(join(folder, name)));
  }
}
