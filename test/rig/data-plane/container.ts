// One container of a Pod: started in its sandbox, started again when it ends, and ended as a kubelet ends it, by its preStop hook, SIGTERM
// and, after the grace period, SIGKILL. Called by pod.ts.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Part, Tether } from '../tether.ts';
import { environmentOf, expanded, type Surroundings } from './fields.ts';
import { type Programs, programOf } from './images.ts';
import type { PodNetwork } from './network.ts';
import type { Container, Pod } from './objects.ts';
import { asks } from './probes.ts';
import { sandboxed } from './sandbox.ts';

export interface ContainerSite {
  readonly pod: Pod;
  readonly container: Container;
  /** A folder for its script and root. */
  readonly dir: string;
  readonly logFile: string;
  readonly network: PodNetwork;
  readonly volumes: ReadonlyMap<string, string>;
  readonly around: Surroundings;
  readonly programs: Programs;
  readonly resolv: readonly string[];
  readonly tether: Tether;
}

export interface RunningContainer {
  readonly restarts: () => number;
  /** Resolves when the process has ended; at most the grace period later. */
  stop(graceMs: number): Promise<void>;
}

const restartMs = 1_000;

/** Starts it and keeps it started; `onEnd` hears of each end that nobody asked for. */
export async function startContainer(
  site: ContainerSite,
  onEnd: (code: number | null) => void,
): Promise<RunningContainer> {
  const { tether, logFile, dir, network } = site;
  let stopping = false;
  let restarts = 0;
  let part: Part;
  // Its standard output: programs open /dev/stdout again, as whom the Pod says they run.
  await writeFile(logFile, '');
  await chmod(logFile, 0o666);
  const launch = async () => {
    const root = join(dir, `root-${restarts}`);
    await mkdir(root, { recursive: true });
    const argv = await sandboxed(join(dir, `run-${restarts}.sh`), root, network.namespace, sandboxOf(site));
    part = await tether.start({ argv, logFile });
    void part.exited.then(async (code) => {
      if (stopping || code === null) return; // null: the world has ended
      onEnd(code);
      restarts += 1;
      await sleep(restartMs);
      if (!stopping) await launch().catch(() => undefined); // the world has ended meanwhile
    });
    return part;
  };
  part = await launch();
  return {
    restarts: () => restarts,
    stop: async (graceMs) => {
      stopping = true;
      const limit = AbortSignal.timeout(graceMs);
      await beforeStop(site, part, graceMs);
      signal(part, 'SIGTERM');
      await Promise.race([part.exited, new Promise((resolve) => limit.addEventListener('abort', resolve))]);
      signal(part, 'SIGKILL');
      await part.exited;
    },
  };
}

function sandboxOf({ pod, container, volumes, around, programs, resolv }: ContainerSite) {
  const { files, entrypoint } = programOf(container.image, programs);
  const environment = environmentOf(pod, container, around);
  const words = (list: readonly string[] = []) => list.map((word) => expanded(word, environment));
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => {
    const volume = volumes.get(name);
    if (volume === undefined)
      throw new Error(`${container.name} mounts the volume ${name}, which its Pod does not have`);
    return [mountPath, subPath === undefined ? volume : join(volume, subPath)] as const;
  });
  const { runAsUser = 0, runAsGroup = runAsUser } = { ...pod.spec.securityContext, ...container.securityContext };
  return {
    mounts: new Map([...Object.entries(files), ...mounts]),
    environment,
    argv: [...(container.command === undefined ? entrypoint : words(container.command)), ...words(container.args)],
    user: runAsUser,
    group: runAsGroup,
    resolv,
  };
}

async function beforeStop({ container, network }: ContainerSite, part: Part, graceMs: number): Promise<void> {
  const { httpGet, exec } = container.lifecycle?.preStop ?? {};
  if (httpGet !== undefined) await asks(network.address, container, httpGet, graceMs);
  const [program, ...rest] = exec?.command ?? [];
  if (program === undefined) return;
  const inside = [`--target=${part.pid}`, '--mount', '--net', '--root', '--', program, ...rest];
  await execa('nsenter', inside, { timeout: graceMs, reject: false });
}

function signal({ pid }: Part, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ended already
  }
}
