// Whose an order at the CA is: the first Order's that took it, from the moment of its answer on. Its URL is written down a little later, and until then
// another Order for the same names, that asks or looks at the CA meanwhile, must not take it too. Called by perform-order.ts and find-order.ts.

import type { Order } from '../api/order.ts';
import { keyOf } from '../kube/store.ts';
import { isUnfinished } from './order-object.ts';
import type { Ports } from './ports.ts';

export interface Claim {
  /** "namespace/name" of the Order. */
  readonly key: string;
  readonly uid: string;
}

type Needs = Pick<Ports, 'claims'> & { readonly stores: Pick<Ports['stores'], 'orders'> };

/** False where it is another unfinished Order's. */
export function claim(ports: Needs, order: Order, url: string): boolean {
  if (isAnothers(ports, order, url)) return false;
  ports.claims.set(url, { key: keyOf(order), uid: order.metadata.uid ?? '' });
  return true;
}

/** The Order says it itself now. */
export function noteClaim(ports: Needs, url: string): void {
  ports.claims.delete(url);
}

function isAnothers({ claims, stores }: Needs, order: Order, url: string): boolean {
  const { uid } = order.metadata;
  const noted = stores.orders.by('url', url).some((each) => each.metadata.uid !== uid && isUnfinished(each));
  const claimed = claims.get(url);
  if (noted || claimed === undefined || claimed.uid === uid) return noted;
  const holder = stores.orders.get(claimed.key);
  return holder?.metadata.uid === claimed.uid && isUnfinished(holder);
}
