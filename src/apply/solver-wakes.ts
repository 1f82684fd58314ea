// Which Orders a mended DNS-01 solver may help: its issuer has been edited, or a Secret that it names has changed. Called by triggers.ts; an Order that
// waits looks again at once, one whose records stand is cleaned up at once.

import type { Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import { dnsSecrets } from './dns-secrets.ts';
import { issuerKey, secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';

type Sight = Pick<Ports, 'settings'> & {
  readonly stores: Pick<Ports['stores'], 'issuers' | 'clusterIssuers' | 'orders'>;
};

/** `name` is undefined where a right to all Secrets of the namespace has come or gone. */
export function ordersBySecret(ports: Sight, namespace: string, name: string | undefined): readonly Order[] {
  const { issuers, clusterIssuers } = ports.stores;
  return [issuers, clusterIssuers]
    .flatMap((store) => store.by('secret', name ?? '*'))
    .filter((issuer) => secretNamespace(ports, issuer) === namespace)
    .filter((issuer) => dnsSecrets(issuer).some((secret) => name === undefined || secret.name === name))
    .flatMap((issuer) => ordersBy(ports, issuer));
}

export function ordersBy({ stores }: Pick<Sight, 'stores'>, issuer: Issuer): readonly Order[] {
  return stores.orders.by('issuer', issuerKey(issuer));
}
