// The network of one node: a bridge in the namespace that this process runs in, and a network namespace with an address of its own for each
// Pod. All of it lives inside the namespaces that e2e/run.ts makes, so that it ends with them, however they end.

import { mkdir } from 'node:fs/promises';
import { execa } from 'execa';

export interface PodNetwork {
  readonly namespace: string;
  readonly address: string;
}

const bridge = 'pods0';
/** The node's own address, and the gateway of its Pods. */
export const nodeAddress = '10.244.0.1';
const podRange = '10.244';

/** Brings up loopback and the bridge. Needs root and a network namespace of our own. */
export async function raiseNetwork(): Promise<void> {
  // `ip netns` keeps its names there, outside of any namespace: ours shall end with our mount namespace.
  await mkdir('/run/netns', { recursive: true });
  await execa('mount', ['-t', 'tmpfs', 'certway', '/run/netns']);
  await ip('link set lo up');
  await ip(`link add ${bridge} type bridge forward_delay 0`);
  await ip(`address add ${nodeAddress}/16 dev ${bridge}`);
  await ip(`link set ${bridge} up`);
}

/** An address that this node answers at: those of Services. */
export function addAddress(address: string): Promise<void> {
  return ip(`address add ${address}/32 dev lo`);
}

let given = 2; // the node is the first

/** A network namespace with one interface on the bridge. */
export async function addPodNetwork(): Promise<PodNetwork> {
  const number = given;
  given += 1;
  const address = `${podRange}.${number >> 8}.${number & 255}`;
  const namespace = `pod${number}`;
  await ip(`netns add ${namespace}`);
  await ip(`link add veth${number} type veth peer name eth0 netns ${namespace}`);
  await ip(`link set veth${number} master ${bridge} up`);
  await ip(`-n ${namespace} link set lo up`);
  await ip(`-n ${namespace} address add ${address}/16 dev eth0`);
  await ip(`-n ${namespace} link set eth0 up`);
  await ip(`-n ${namespace} route add default via ${nodeAddress}`);
  return { namespace, address };
}

/** Takes the namespace's name away; it ends with the last process in it, and its interface with it. */
export function removePodNetwork({ namespace }: PodNetwork): Promise<void> {
  return ip(`netns delete ${namespace}`);
}

async function ip(command: string): Promise<void> {
  await execa('ip', command.split(' '));
}
