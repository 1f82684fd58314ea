// An order as the budget sees it: what it asks the CA for, for whom, and how much it presses. Made for the turn of an order by budgets.ts, and for
// Orders that a restart finds by budget-records.ts.

import type { Issuer } from '../api/certmanager.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Order } from '../api/order.ts';
import type { Ask } from '../budget/ask.ts';
import { conditionOf } from '../plan/conditions.ts';
import { type LastCertificate, standingBefore } from '../plan/renewal-class.ts';
import { holder } from '../tenancy/ownership.ts';
import { identifiersOf } from './order-object.ts';
import type { Stores } from './ports.ts';

/** Whose share an Order, or a Certificate, counts for. */
export type TenantOf = (of: Pick<KubeObject, 'metadata'>) => string;

/** The GatewayTenant that has the namespace; without one each namespace is a tenant. No namespace's name has a slash. */
export function shares({ gatewayTenants }: Pick<Stores, 'gatewayTenants'>): TenantOf {
  return ({ metadata: { namespace = '' } }) => {
    const tenant = holder(gatewayTenants.by('namespace', namespace));
    return tenant === undefined ? namespace : `tenant/${tenant.metadata.name}`;
  };
}

export interface Asking {
  readonly order: Order;
  /** URL of the account. */
  readonly account: string;
  readonly tenant: string;
  readonly last: LastCertificate | undefined;
  readonly replacing: 'asWished' | 'no';
}

/** `now`: epoch ms, on the CA's clock. */
export function askFor({ order, account, tenant, last, replacing }: Asking, now: number): Ask {
  const { uid = '', creationTimestamp = '' } = order.metadata;
  const identifiers = identifiersOf(order).map(({ value }) => value);
  const created = Date.parse(creationTimestamp);
  const since = Number.isNaN(created) ? now : Math.min(created, now);
  const replaces = replacing === 'asWished' && order.spec.replaces !== undefined ? 'named' : 'none';
  const standing = standingBefore({ identifiers, since, last, replaces }, now);
  return { id: uid, account, identifiers, tenant, since, ...standing };
}

export function accountOf(issuer: Issuer): string {
  return issuer.status?.acme?.uri ?? '';
}

/** The account that the CA of the present spec has confirmed; empty for one that another CA, of an earlier spec, has named. */
export function provenAccount(issuer: Issuer): string {
  const ready = conditionOf(issuer.status?.conditions, 'Ready');
  const isProven = ready?.status === 'True' && ready.observedGeneration === issuer.metadata.generation;
  return isProven ? accountOf(issuer) : '';
}

/** One spelling of the CA's directory, so that nobody has books of his own by another. */
export function directoryOf({ spec }: Issuer): string {
  const { server = '' } = spec.acme ?? {};
  if (!URL.canParse(server)) return server;
  const { origin, pathname } = new URL(server);
  return `${origin}${pathname}`;
}
