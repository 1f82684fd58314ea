// What every replica answers HTTP-01 from: the unfinished Orders of a host in the cache, else one live read of them. Called by serve/http01.ts.

import type { Issuer } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations, certManagerGroup, labels } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { orders } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import { hostLabel } from '../solve/host.ts';
import { isUnfinished } from './order-object.ts';
import type { Stores } from './ports.ts';

/** What an unfinished Order justifies answering; the responder's view of it (serve/answers.ts). */
export interface PendingOrder {
  readonly tokens: readonly string[];
  readonly thumbprint: string;
}

/** The unfinished orders for a host, as the cache knows them. */
export function knownOrders(stores: Stores, host: string): readonly PendingOrder[] {
  return pendingFor(stores, host, stores.orders.by('host', host));
}

/** Whether an Order for the host can exist: a Certificate names it, or an unfinished Order does whose tokens may not be here yet. */
export function isExpected(stores: Stores, host: string): boolean {
  return stores.certificates.by('host', host).length > 0 || stores.orders.by('host', host).some(isUnfinished);
}

/** The same past the cache: an Order that another replica has just made is found by its host label. */
export async function liveOrders(kube: Kube, stores: Stores, host: string): Promise<readonly PendingOrder[]> {
  const labelSelector = `${labels.hostPrefix}${hostLabel(host)}=true`;
  const listed = await kube.list(orders, { labelSelector });
  return listed.ok ? pendingFor(stores, host, listed.value) : [];
}

function pendingFor(stores: Stores, host: string, found: readonly Order[]): readonly PendingOrder[] {
  return found.flatMap((order) => {
    const thumbprint = isUnfinished(order) ? thumbprintOf(stores, order) : undefined;
    return thumbprint === undefined ? [] : [{ tokens: tokensFor(order, host), thumbprint }];
  });
}

function tokensFor(order: Order, host: string): readonly string[] {
  const authorizations = (order.status?.authorizations ?? []).filter((each) => each.identifier === host);
  return authorizations.flatMap((each) =>
    (each.challenges ?? []).filter(({ type }) => type === 'http-01').map(({ token }) => token),
  );
}

function thumbprintOf(stores: Stores, order: Order): string | undefined {
  const { kind, name, group } = fullRef(order.spec.issuerRef);
  if (group !== certManagerGroup) return undefined;
  const issuer: Issuer | undefined =
    kind === 'ClusterIssuer'
      ? stores.clusterIssuers.get(name)
      : stores.issuers.get(`${order.metadata.namespace}/${name}`);
  return issuer?.metadata.annotations?.[annotations.accountThumbprint];
}
