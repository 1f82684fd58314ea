// One Pod on the node: its network, volumes and containers, and its status told as they change. Called by kubelet.ts.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../wait.ts';
import { type ContainerSite, type RunningContainer, startContainer } from './container.ts';
import { addPodNetwork, nodeAddress, type PodNetwork, removePodNetwork } from './network.ts';
import { keyOf, type Pod } from './objects.ts';
import { watchReadiness } from './probes.ts';
import { fillVolume, type VolumeSources } from './volumes.ts';

export interface PodPorts extends Pick<ContainerSite, 'programs' | 'tether'> {
  /** Folders and logs of Pods are made there. */
  readonly dir: string;
  readonly apiServer: { readonly host: string; readonly port: string };
  readonly nameserver: string;
  readonly sources: VolumeSources;
  tellStatus(pod: Pod, status: object): Promise<void>;
  log(line: string): void;
}

export interface RunningPod {
  /** Fills the volumes anew, as a kubelet does when an object that they show has changed. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
  /** Looks no more whether it is ready: the node is going. */
  abandon(): void;
}

const volumesMs = 60_000;
const defaultGraceSeconds = 30;

/** Starts a Pod that is bound to this node; resolves when its containers are started, not when they are ready. */
export async function startPod(pod: Pod, ports: PodPorts): Promise<RunningPod> {
  const dir = join(ports.dir, `pod-${pod.metadata.uid}`);
  let filling = Promise.resolve(false);
  const fill = () => {
    if (ended.signal.aborted) return filling;
    filling = filling.catch(() => false).then(() => fillVolumes(pod, join(dir, 'volumes'), ports.sources));
    return filling;
  };
  const ended = new AbortController();
  await until(`the volumes of ${keyOf(pod)}`, fill, { deadlineMs: volumesMs });
  const network = await addPodNetwork();
  const board = statusBoard(pod, network, ports);
  const running: RunningContainer[] = [];
  for (const container of pod.spec.containers) {
    const site = await siteOf({ pod, container, dir, network }, ports);
    const started = await startContainer(site, (code) => {
      ports.log(`${keyOf(pod)}: ${container.name} ended with ${code}, see ${site.logFile}`);
      board.set(container.name, { ready: false, restarts: started.restarts() + 1 });
    });
    running.push(started);
    void watchReadiness(network.address, container, ended.signal, (ready) =>
      board.set(container.name, { ready, restarts: started.restarts() }),
    );
  }
  return {
    refresh: async () => void (await fill()),
    abandon: () => ended.abort(),
    stop: async () => {
      const graceMs = (pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds) * 1000;
      board.unready();
      await Promise.all(running.map((container) => container.stop(graceMs)));
      ended.abort();
      await filling.catch(() => undefined);
      await removePodNetwork(network);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function siteOf(
  own: Pick<ContainerSite, 'pod' | 'container' | 'dir' | 'network'>,
  { programs, tether, apiServer, sources, nameserver, ...ports }: PodPorts,
): Promise<ContainerSite> {
  const { pod, container, network } = own;
  const dir = join(own.dir, container.name);
  await mkdir(dir, { recursive: true });
  const { namespace, name } = pod.metadata;
  return {
    ...own,
    dir,
    logFile: join(ports.dir, `${namespace}-${name}-${container.name}.log`),
    volumes: new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, join(own.dir, 'volumes', volume.name)])),
    around: { ...sources, address: network.address, apiServer },
    programs,
    tether,
    resolv: [
      `search ${namespace}.svc.cluster.local svc.cluster.local cluster.local`,
      `nameserver ${nameserver}`,
      'options ndots:5',
    ],
  };
}

async function fillVolumes(pod: Pod, dir: string, sources: VolumeSources): Promise<boolean> {
  for (const volume of pod.spec.volumes ?? []) {
    if (!(await fillVolume(join(dir, volume.name), volume, pod, sources))) return false;
  }
  return true;
}

interface ContainerState {
  readonly ready: boolean;
  readonly restarts: number;
}

// Statuses are written one after the other, and only the last one counts.
function statusBoard(pod: Pod, network: PodNetwork, { tellStatus, log }: PodPorts) {
  const states = new Map<string, ContainerState>(
    pod.spec.containers.map(({ name }) => [name, { ready: false, restarts: 0 }]),
  );
  const startTime = new Date().toISOString();
  let leaving = false;
  let last = Promise.resolve();
  const tell = () => {
    last = last
      .then(() => tellStatus(pod, statusOf(pod, network, leaving ? new Map() : states, startTime)))
      .catch((error: unknown) => log(`${keyOf(pod)}: its status was not written: ${String(error)}`));
  };
  return {
    set: (name: string, state: ContainerState) => {
      states.set(name, state);
      tell();
    },
    unready: () => {
      leaving = true;
      tell();
    },
  };
}

function statusOf(
  pod: Pod,
  { address }: PodNetwork,
  states: ReadonlyMap<string, ContainerState>,
  startTime: string,
): object {
  const containerStatuses = pod.spec.containers.map(({ name, image }) => {
    const { ready = false, restarts = 0 } = states.get(name) ?? {};
    const state = { running: { startedAt: startTime } };
    return { name, image, imageID: image, ready, started: true, restartCount: restarts, state };
  });
  const ready = containerStatuses.every((container) => container.ready);
  const condition = (type: string, holds: boolean) => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: new Date().toISOString(),
  });
  return {
    phase: 'Running',
    startTime,
    hostIP: nodeAddress,
    podIP: address,
    podIPs: [{ ip: address }],
    conditions: [
      condition('Initialized', true),
      condition('PodScheduled', true),
      condition('ContainersReady', ready),
      condition('Ready', ready),
    ],
    containerStatuses,
  };
}
