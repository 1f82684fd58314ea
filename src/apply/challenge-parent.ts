// Finds, for a name of an order, the path that HTTP-01 takes to it: solve/path.ts decides, the caches tell. Called before an order is made and
// when its routes are put up.

import type { AcmeSolver } from '../api/certmanager.ts';
import type { Gateway, GatewayAddress } from '../api/gateway.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { xListenerSets } from '../api/resources.ts';
import { type ProofPath, proofPath } from '../solve/path.ts';
import type { Ports } from './ports.ts';

/** Of a Certificate, CertificateRequest or Order: the parent's annotations and the labels travel from one to the next. */
export interface Asking {
  readonly metadata: Pick<ObjectMeta, 'namespace' | 'labels' | 'annotations'>;
}

type Sight = { readonly stores: Pick<Ports['stores'], 'gateways' | 'listenerSets' | 'xListenerSets' | 'namespaces'> };

/** `solver` is the one chosen for the host, which is no wildcard. */
export function challengePath(ports: Sight, about: Asking, solver: AcmeSolver, host: string): ProofPath {
  const { stores } = ports;
  if (!stores.gateways.synced) {
    const needs = '--enable-gateway-api, and the Gateway API’s CRDs in the cluster';
    return {
      kind: 'closed',
      refusal: `HTTP-01 goes through Gateways, which Certway does not watch here; it needs ${needs}.`,
    };
  }
  return proofPath({
    host,
    namespace: about.metadata.namespace ?? '',
    annotations: about.metadata.annotations ?? {},
    solver,
    landscape: {
      gateway: (key) => stores.gateways.get(key),
      listenerSet: (kind, key) => {
        const watched = kind === xListenerSets.kind ? stores.xListenerSets : stores.listenerSets;
        return watched.get(key) ?? (watched.synced ? undefined : 'unwatched');
      },
      namespaceLabels: (namespace) => stores.namespaces.get(namespace)?.metadata.labels,
    },
  });
}

/** Where the path's Gateways say that they are; nothing while no data plane has said so. */
export function addressesOf(
  ports: Sight,
  { gateways }: ProofPath & { readonly kind: 'open' },
): readonly GatewayAddress[] {
  const found = gateways.map((key): Gateway | undefined => ports.stores.gateways.get(key));
  return found.flatMap((gateway) => gateway?.status?.addresses ?? []);
}
