// The stand-in for kube-proxy and the cloud's load balancer: Service addresses stand on this node, and each connection is carried to a ready
// endpoint, in user space. A LoadBalancer Service gets the next address of a small range. Called by start.ts; TCP only.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Client, openClient } from '../demo/client.ts';
import { addAddress } from './network.ts';
import { type EndpointSlice, endpointSlices, keyOf, type Service, services } from './objects.ts';

export interface ServiceAddresses extends AsyncDisposable {
  /** The ClusterIP of "namespace/name". */
  clusterIp(key: string): string | undefined;
}

export interface ServiceSite {
  readonly kubeconfig: string;
  /** Where the API server really listens: behind the Service `kubernetes`, which has no endpoints here. */
  readonly apiUrl: string;
  log(line: string): void;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

const connections = 4;
const serviceNameLabel = 'kubernetes.io/service-name';
const firstBalancer = 200;

/** Follows Services and EndpointSlices until it is disposed. */
export async function startServices({ kubeconfig, apiUrl, log }: ServiceSite): Promise<ServiceAddresses> {
  const client = await openClient(kubeconfig, connections);
  const ending = new AbortController();
  const slices = new Map<string, EndpointSlice>();
  const known = new Map<string, Service>();
  const doors = doorkeeper();
  const targetsOf = (key: string, portName: string | undefined): readonly Target[] =>
    key === 'default/kubernetes'
      ? [{ host: new URL(apiUrl).hostname, port: Number(new URL(apiUrl).port) }]
      : readyTargets(slices.values(), key, portName);
  const balance = balancer(client);
  const settle = async (service: Service) => {
    const { clusterIP, type, ports = [] } = service.spec;
    if (clusterIP === undefined || clusterIP === 'None') return;
    const addresses = type === 'LoadBalancer' ? [clusterIP, await balance(service)] : [clusterIP];
    const wanted = ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP');
    await doors.keep(keyOf(service), addresses, wanted, (name) => targetsOf(keyOf(service), name));
  };
  let last = Promise.resolve();
  const { signal } = ending;
  const watching = [
    client.watch(
      endpointSlices,
      ({ type, object }) =>
        void (type === 'DELETED' ? slices.delete(keyOf(object)) : slices.set(keyOf(object), object)),
      signal,
    ),
    client.watch(
      services,
      ({ type, object }) => {
        if (type === 'DELETED') known.delete(keyOf(object));
        else known.set(keyOf(object), object);
        const change = type === 'DELETED' ? () => doors.close(keyOf(object)) : () => settle(object);
        last = last.then(change).catch((error: unknown) => log(`Service ${keyOf(object)}: ${String(error)}`));
      },
      signal,
    ),
  ];
  for (const watch of watching) void watch.catch((error: unknown) => log(`services: ${String(error)}`));
  return {
    clusterIp: (key) => known.get(key)?.spec.clusterIP,
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await Promise.allSettled([...watching, last]);
      doors.closeAll();
      await client[Symbol.asyncDispose]();
    },
  };
}

function readyTargets(slices: Iterable<EndpointSlice>, key: string, portName: string | undefined): readonly Target[] {
  return [...slices].flatMap(({ metadata, ports = [], endpoints = [] }) => {
    if (`${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}` !== key) return [];
    const port = ports.find(({ name = '' }) => name === (portName ?? ''))?.port;
    if (port === undefined) return [];
    return endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.map((host) => ({ host, port })));
  });
}

/** Each LoadBalancer Service keeps the first address that it was given, as its status says. */
function balancer(client: Client): (service: Service) => Promise<string> {
  const given = new Map<string, string>();
  return async (service) => {
    const key = keyOf(service);
    const ip = given.get(key) ?? `172.18.0.${firstBalancer + given.size}`;
    given.set(key, ip);
    if (service.status?.loadBalancer?.ingress?.[0]?.ip !== ip) {
      const { namespace, name } = service.metadata;
      const status = { loadBalancer: { ingress: [{ ip }] } };
      await client.send('PATCH', `/api/v1/namespaces/${namespace}/services/${name}/status`, { status });
    }
    return ip;
  };
}

type ServicePort = NonNullable<Service['spec']['ports']>[number];

/** The listening sockets, by Service, address and port. */
function doorkeeper() {
  const doors = new Map<string, Map<string, Server>>();
  const addresses = new Set<string>();
  const open = async (address: string, port: number, targets: () => readonly Target[]): Promise<Server> => {
    if (!addresses.has(address)) await addAddress(address);
    addresses.add(address);
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, carry(targets));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, address, resolve);
    });
    return server;
  };
  const close = (key: string) => {
    for (const server of doors.get(key)?.values() ?? []) server.close();
    doors.delete(key);
  };
  return {
    keep: async (
      key: string,
      at: readonly string[],
      ports: readonly ServicePort[],
      targetsOf: (portName: string | undefined) => readonly Target[],
    ): Promise<void> => {
      const before = doors.get(key) ?? new Map<string, Server>();
      const after = new Map<string, Server>();
      doors.set(key, after);
      for (const address of at) {
        for (const { port, name } of ports) {
          const place = `${address}:${port} ${name ?? ''}`;
          after.set(place, before.get(place) ?? (await open(address, port, () => targetsOf(name))));
        }
      }
      for (const [place, server] of before) if (!after.has(place)) server.close();
    },
    close,
    closeAll: () => {
      for (const key of [...doors.keys()]) close(key);
    },
  };
}

let turn = 0;

// Without a ready endpoint the connection is closed at once, as kube-proxy refuses it.
function carry(targets: () => readonly Target[]): (socket: Socket) => void {
  return (socket) => {
    const ready = targets();
    turn += 1;
    const target = ready[turn % Math.max(1, ready.length)];
    socket.on('error', () => socket.destroy());
    if (target === undefined) return void socket.destroy();
    const onward = connect({ ...target, allowHalfOpen: true });
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroySoon());
    socket.on('close', () => onward.destroySoon());
    socket.setNoDelay(true).pipe(onward.setNoDelay(true)).pipe(socket);
  };
}
