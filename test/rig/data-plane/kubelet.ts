// The stand-in for scheduler and kubelet: one Node, every Pod without one bound to it and started from its own spec as a process in a sandbox,
// with pod-bound tokens and volumes that follow their objects. Image pulls, limits and liveness are left out. Called by start.ts.

import { type Client, openClient, type WatchEvent } from '../demo/client.ts';
import { nodeAddress } from './network.ts';
import { configMaps, type DataObject, keyOf, type Pod, pods, secrets } from './objects.ts';
import { type PodPorts, type RunningPod, startPod } from './pod.ts';
import type { VolumeSources } from './volumes.ts';

export type KubeletSite = Omit<PodPorts, 'sources' | 'tellStatus'> & { readonly kubeconfig: string };

const nodeName = 'rig';
const beatMs = 10_000;
const connections = 8;

/** Registers the Node and runs Pods until it is disposed; the Pods' processes end with the tether. */
export async function startKubelet(site: KubeletSite): Promise<AsyncDisposable> {
  const client = await openClient(site.kubeconfig, connections);
  const ending = new AbortController();
  await registerNode(client);
  const objects = { configMaps: new Map<string, DataObject>(), secrets: new Map<string, DataObject>() };
  const sources: VolumeSources = {
    configMap: (namespace, name) => objects.configMaps.get(`${namespace}/${name}`),
    secret: (namespace, name) => objects.secrets.get(`${namespace}/${name}`),
    token: keptTokens(client),
  };
  const node = podsOf(client, { ...site, sources, tellStatus: (pod, status) => tellStatus(client, pod, status) });
  const heart = setInterval(() => {
    beat(client).catch((error: unknown) => site.log(String(error)));
    node.refresh();
  }, beatMs);
  const { signal } = ending;
  const watching = [
    client.watch(configMaps, (event) => note(objects.configMaps, event, node.refresh), signal),
    client.watch(secrets, (event) => note(objects.secrets, event, node.refresh), signal),
    client.watch(pods, node.see, signal),
  ];
  for (const watch of watching) void watch.catch((error: unknown) => site.log(`kubelet: ${String(error)}`));
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(heart);
      ending.abort();
      await Promise.allSettled(watching);
      await node.abandon();
      await client[Symbol.asyncDispose]();
    },
  };
}

function note(seen: Map<string, DataObject>, { type, object }: WatchEvent<DataObject>, refresh: (ns: string) => void) {
  if (type === 'DELETED') seen.delete(keyOf(object));
  else seen.set(keyOf(object), object);
  refresh(object.metadata.namespace ?? '');
}

function podsOf(client: Client, ports: PodPorts) {
  const running = new Map<string, { readonly pod: Pod; readonly started: Promise<RunningPod>; leaving: boolean }>();
  const complain = (pod: Pod) => (error: unknown) => ports.log(`${keyOf(pod)}: ${String(error)}`);
  const start = (pod: Pod) => {
    const started = startPod(pod, ports);
    running.set(pod.metadata.uid ?? '', { pod, started, leaving: false });
    started.catch(complain(pod));
  };
  const leave = (pod: Pod) => {
    const known = running.get(pod.metadata.uid ?? '');
    if (known?.leaving === true) return;
    if (known !== undefined) known.leaving = true;
    const stopped = known?.started.then((one) => one.stop()).catch(complain(pod)) ?? Promise.resolve();
    void stopped.then(() => forget(client, pod)).catch(complain(pod));
  };
  return {
    see: ({ type, object: pod }: WatchEvent<Pod>) => {
      const known = running.has(pod.metadata.uid ?? '');
      if (type === 'DELETED') {
        leave(pod);
        running.delete(pod.metadata.uid ?? '');
      } else if (pod.metadata.deletionTimestamp !== undefined) leave(pod);
      else if (pod.spec.nodeName === undefined) void bind(client, pod).catch(complain(pod));
      else if (pod.spec.nodeName === nodeName && !known) start(pod);
    },
    abandon: async () => {
      const all = [...running.values()].map(({ started }) => started.then((one) => one.abandon()));
      await Promise.allSettled(all);
    },
    /** In one namespace, or everywhere. */
    refresh: (namespace?: string) => {
      for (const { pod, started, leaving } of running.values()) {
        if (leaving || (namespace !== undefined && pod.metadata.namespace !== namespace)) continue;
        void started.then((one) => one.refresh()).catch(complain(pod));
      }
    },
  };
}

async function registerNode(client: Client): Promise<void> {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } },
  };
  await client.send('POST', '/api/v1/nodes', node);
  const lastHeartbeatTime = new Date().toISOString();
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime }];
  const addresses = [{ type: 'InternalIP', address: nodeAddress }];
  await client.send('PATCH', `/api/v1/nodes/${nodeName}/status`, { status: { conditions, addresses } });
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime: microTime() };
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: nodeName }, spec };
  await client.send('POST', leases, lease);
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

function beat(client: Client): Promise<unknown> {
  return client.send('PATCH', `${leases}/${nodeName}`, { spec: { renewTime: microTime() } });
}

function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}

function pathOfPod({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

async function bind(client: Client, pod: Pod): Promise<void> {
  const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
  const { name, namespace } = pod.metadata;
  await client.send('POST', `${pathOfPod(pod)}/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace },
    target,
  });
}

async function tellStatus(client: Client, pod: Pod, status: object): Promise<void> {
  await client.send('PATCH', `${pathOfPod(pod)}/status`, { metadata: { uid: pod.metadata.uid }, status });
}

/** The last word of a kubelet: the Pod's object goes when its processes have gone. */
async function forget(client: Client, pod: Pod): Promise<void> {
  const options = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
    preconditions: { uid: pod.metadata.uid },
  };
  await client.send('DELETE', pathOfPod(pod), options).catch((error: unknown) => {
    if (!/: (404|409) /.test(String(error))) throw error;
  });
}

// A kubelet asks anew when four fifths of a token's life have gone.
function keptTokens(client: Client): VolumeSources['token'] {
  const kept = new Map<string, { readonly token: Promise<string>; readonly until: number }>();
  return (pod, audience, seconds) => {
    const key = `${pod.metadata.uid} ${audience}`;
    const found = kept.get(key);
    if (found !== undefined && performance.now() < found.until) return found.token;
    const token = podToken(client, pod, audience, seconds);
    kept.set(key, { token, until: performance.now() + seconds * 800 });
    token.catch(() => kept.delete(key));
    return token;
  };
}

async function podToken(
  client: Client,
  pod: Pod,
  audience: string | undefined,
  expirationSeconds: number,
): Promise<string> {
  const { namespace, name, uid } = pod.metadata;
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
  const spec = { ...(audience === undefined ? {} : { audiences: [audience] }), expirationSeconds, boundObjectRef };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName ?? 'default'}/token`;
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const answer = await client.send<{ readonly status: { readonly token: string } }>('POST', path, review);
  return answer.status.token;
}
