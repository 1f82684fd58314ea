// What an Issuer of a stamped one's name is to this process: its template's spec, never its own, and only while the template gives the namespace an
// account. Called by issuer-of.ts, issuer-held.ts and issuer.ts, which thereby read no word of it that a tenant can write.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Verdict } from '../plan/issuer-seen.ts';
import { notReady } from '../plan/issuer-status.ts';
import { byAnnotation, type StampTrigger, stampedSpec, templateOf } from '../plan/stamp.ts';
import type { Ports } from './ports.ts';

export interface StampSight {
  readonly stores: Pick<Ports['stores'], 'clusterIssuers'>;
}

/** Whatever may ask for an account of a namespace's own. */
const triggers: readonly StampTrigger[] = [byAnnotation];

/** The ClusterIssuer of that name, if it gives the namespace an account of its own. */
export function templateFor({ stores }: StampSight, name: string, namespace: string): Issuer | undefined {
  const template = stores.clusterIssuers.get(name);
  return template !== undefined && triggers.some((asks) => asks(template, namespace)) ? template : undefined;
}

/** The issuer as it counts. One that is not served any more keeps its template's spec: its orders are still to be cleaned up. */
export function asItCounts({ stores }: StampSight, issuer: Issuer): Issuer {
  const { namespace, name } = issuer.metadata;
  const stampedFrom = namespace === undefined ? undefined : templateOf(name);
  if (namespace === undefined || stampedFrom === undefined) return issuer;
  const template = stores.clusterIssuers.get(stampedFrom);
  return { ...issuer, spec: template === undefined ? {} : stampedSpec(template, namespace) };
}

/** The same for its own reconcile, which has nothing to do for one that is not served. */
export function asServed(sight: StampSight, issuer: Issuer): Issuer {
  return stampLack(sight, issuer.metadata) === undefined ? asItCounts(sight, issuer) : { ...issuer, spec: {} };
}

/** Why an Issuer of that name is not served, as a sentence; undefined for one that is, and for any other issuer. */
export function stampLack(
  sight: StampSight,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): string | undefined {
  const template = namespace === undefined ? undefined : templateOf(name);
  if (namespace === undefined || template === undefined) return undefined;
  if (templateFor(sight, template, namespace) !== undefined) return undefined;
  if (sight.stores.clusterIssuers.get(template) === undefined) {
    return `ClusterIssuer "${template}", which an Issuer of this name is stamped from, does not exist; create it, or name another issuer.`;
  }
  return `ClusterIssuer "${template}" gives this namespace no account of its own (${annotations.accountPerTenant}); name that ClusterIssuer instead.`;
}

/** What its Ready condition says then. */
export function stampVerdict(sight: StampSight, issuer: Issuer): Verdict | undefined {
  const lack = stampLack(sight, issuer.metadata);
  return lack === undefined ? undefined : { readiness: notReady('NoTenantAccount', lack) };
}
