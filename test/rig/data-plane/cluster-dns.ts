// The cluster's DNS: names of Services give their ClusterIP, every other name is asked of the world's DNS server, as a resolver of a real
// cluster passes it on. Called by start.ts.

import * as packet from 'dns-packet';
import { forward } from '../dns/forward.ts';
import { listenDns } from '../dns/listen.ts';
import { addAddress } from './network.ts';

/** Where every Pod's resolv.conf points. */
export const clusterDnsAddress = '10.96.0.10';

const suffix = '.svc.cluster.local';
const ttlSeconds = 1;
const nameError = 3;

/** Listens on the cluster's address until it is disposed; `clusterIp` takes "namespace/name", `upstream` is address:port. */
export async function startClusterDns(
  clusterIp: (key: string) => string | undefined,
  upstream: string,
): Promise<AsyncDisposable> {
  await addAddress(clusterDnsAddress);
  return listenDns(clusterDnsAddress, 53, async (message, over) => {
    const query = decoded(message);
    const question = query?.questions?.[0];
    if (query === undefined || question === undefined) return undefined;
    const name = question.name.toLowerCase().replace(/\.$/, '');
    if (!name.endsWith('.cluster.local')) return forward(message, upstream, over);
    const address = name.endsWith(suffix) ? clusterIp(keyIn(name)) : undefined;
    const answers =
      address === undefined || question.type !== 'A'
        ? []
        : [{ type: 'A' as const, name: question.name, data: address, ttl: ttlSeconds }];
    return packet.encode({
      type: 'response',
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_AVAILABLE | (address === undefined ? nameError : 0),
      questions: [question],
      answers,
    });
  });
}

/** envoy-gateway.envoy-gateway-system.svc.cluster.local → envoy-gateway-system/envoy-gateway. */
function keyIn(name: string): string {
  const [service, namespace] = name.slice(0, -suffix.length).split('.');
  return `${namespace}/${service}`;
}

function decoded(message: Buffer): packet.DecodedPacket | undefined {
  try {
    return packet.decode(message);
  } catch {
    return undefined; // not DNS
  }
}
